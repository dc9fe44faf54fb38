"""Layers with weights of their own for each member, all of them in one batched product.

Legend: ``x`` and ``y`` are [member, row, feature].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from wellfit.models.kept_units import kept_units
from wellfit.models.member_products import affine, of_inputs, of_weights, shortened
from wellfit.models.sloped import SLOPED, Sloped

__all__ = ["MemberBlock", "MemberLinear", "product_of"]

SIMPLEX = 5
"""Training rows whose mean is where a unit bends at first."""


class MemberLinear(nn.Module):
    """``y = x W / sqrt(inputs) + b`` for each member: weights of size 1 (NTK parametrisation).

    Shapes: ``weight`` [member, inputs, outputs], ``bias`` [member, 1, outputs].

    >>> MemberLinear(2, 3, 4)(torch.zeros(2, 5, 3)).shape
    torch.Size([2, 5, 4])
    """

    def __init__(self, members: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(members, inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(members, 1, outputs))
        self.gain = 1.0 / math.sqrt(inputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[member, row, inputs]`` to ``[member, row, outputs]``."""
        return product_of(self.training)(x, self.weight, self.bias, self.gain)

    @torch.no_grad()
    def fit_to(self, x: Tensor) -> None:
        """Give each unit unit variance over training rows ``[member, row, inputs]``, and a bend among them (he+5)."""
        made = torch.bmm(x, self.weight) * self.gain
        spread = made.std(1, correction=0, keepdim=True)
        spread = torch.where(spread > 0, spread, 1.0)
        self.weight.div_(spread)
        self.bias.copy_(-_among(made / spread))


def _among(x: Tensor) -> Tensor:
    """Give for each unit a random mean of a few rows' values, ``[member, 1, unit]``; the shares fill a simplex."""
    members, rows, units = x.shape
    chosen = torch.randint(rows, (members, SIMPLEX, units), device=x.device)
    shares = torch.empty(members, SIMPLEX, units, device=x.device, dtype=x.dtype).exponential_()
    return (x.gather(1, chosen) * (shares / shares.sum(1, keepdim=True))).sum(1, keepdim=True)


def product_of(training: bool) -> Callable[..., Tensor]:
    """Give what makes ``gain x W + b`` for each member (gain 1 where none is given), by what is fastest.

    In training with gradients, a second derivative is refused; otherwise all of torch's gradients are there.

    >>> product_of(training=True)(torch.ones(1, 2, 3), torch.ones(1, 3, 1), torch.zeros(1, 1, 1)).flatten().tolist()
    [3.0, 3.0]
    """
    if not torch.is_grad_enabled():
        return _untrained
    return _trained if training else _plain


def _trained(x: Tensor, weight: Tensor, bias: Tensor, gain: float = 1.0) -> Tensor:
    made: Tensor = _Product.apply(x, weight, bias, gain)  # type: ignore[no-untyped-call]
    return made


def _plain(x: Tensor, weight: Tensor, bias: Tensor, gain: float = 1.0) -> Tensor:
    return torch.baddbmm(bias, x, weight, alpha=gain)


def _untrained(x: Tensor, weight: Tensor, bias: Tensor, gain: float = 1.0) -> Tensor:
    return affine(x, weight * gain, bias)


class _Product(torch.autograd.Function):
    """A linear layer in training: its products forth and back are those that are fastest for its shape."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, gain: float) -> Tensor:
        x, scaled = shortened(x, weight * gain)
        ctx.save_for_backward(x, scaled)
        ctx.gain = gain
        return affine(x, scaled, bias.to(x.dtype)).to(bias.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, scaled = ctx.saved_tensors
        return *_slopes(ctx, x, scaled, grads[0]), grads[0].sum(1, keepdim=True), None


class MemberBlock(nn.Module):
    """A linear layer, an activation that is mixed with the identity, ``z + a (f(z) - z)``, ``a`` learned, and dropout.

    >>> MemberBlock(2, 3, 4, activation="mish")(torch.zeros(2, 5, 3), 0.1).shape
    torch.Size([2, 5, 4])
    """

    def __init__(self, members: int, inputs: int, outputs: int, *, activation: str) -> None:
        super().__init__()
        self.linear = MemberLinear(members, inputs, outputs)
        self.mix = nn.Parameter(torch.ones(members, 1, outputs))
        self.activation = SLOPED[activation]

    def forward(self, x: Tensor, dropout: float) -> Tensor:
        """Map ``[member, row, inputs]`` to ``[member, row, outputs]``; ``dropout`` is the share dropped in training."""
        linear = self.linear
        if self.training and torch.is_grad_enabled():
            given = (x, linear.weight, linear.bias, self.mix, linear.gain, self.activation, dropout)
            made: Tensor = _Fused.apply(*given)  # type: ignore[no-untyped-call]
            return made
        z = linear(x)
        if torch.is_grad_enabled():
            y = torch.lerp(z, self.activation.function(z), self.mix)
        else:
            y = z.addcmul_(self.activation.bend(z)[0], self.mix)
        return functional.dropout(y, dropout, self.training)


class _Fused(torch.autograd.Function):
    """A block in training, in a third of the passes over memory: slopes are taken while the values are at hand."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, mix: Tensor, gain: float, activation: Sloped, dropout: float
    ) -> Tensor:
        x, scaled = shortened(x, weight * gain)
        z = affine(x, scaled, bias.to(x.dtype)).to(bias.dtype)
        bend, slope = activation.bend(z)
        slope.mul_(mix).add_(1.0)
        y = z.addcmul_(bend, mix)
        kept = kept_units(y, dropout) if dropout else None
        ctx.save_for_backward(x, scaled, bend, slope, kept)
        ctx.gain = gain
        return y if kept is None else y.mul_(kept)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, scaled, bend, slope, kept = ctx.saved_tensors
        grad = grads[0]
        if kept is not None:
            grad = grad * kept
        of_mix = (grad * bend).sum(1, keepdim=True)
        of_z = grad * slope
        of_bias = of_z.sum(1, keepdim=True)
        return *_slopes(ctx, x, scaled, of_z), of_bias, of_mix, None, None, None


def _slopes(ctx: Any, x: Tensor, scaled: Tensor, of_z: Tensor) -> tuple[Tensor | None, Tensor]:
    """Give the gradients of the rows, if they are wanted, and of the weights."""
    short = of_z.to(x.dtype)
    of_x = of_inputs(short, scaled).to(of_z.dtype) if ctx.needs_input_grad[0] else None
    return of_x, of_weights(x, short).to(of_z.dtype).mul_(ctx.gain)
