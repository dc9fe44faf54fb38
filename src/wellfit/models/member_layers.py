"""Layers with weights of their own for each member, all of them in one batched product.

Legend: ``x`` and ``y`` are [member, row, feature].
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

from wellfit.models.member_products import affine, of_inputs, of_weights
from wellfit.models.sloped import SLOPED, Sloped

__all__ = ["MemberBlock", "MemberLinear", "kept_units"]

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
        if self.training and torch.is_grad_enabled():
            made: Tensor = _Product.apply(x, self.weight, self.bias, self.gain)  # type: ignore[no-untyped-call]
            return made
        if torch.is_grad_enabled():
            return torch.baddbmm(self.bias, x, self.weight, alpha=self.gain)
        return affine(x, self.weight * self.gain, self.bias)

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


class _Product(torch.autograd.Function):
    """A linear layer in training: its products forth and back are those that are fastest for its shape."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, gain: float) -> Tensor:
        x, scaled = _shortened(x, weight * gain)
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
        x, scaled = _shortened(x, weight * gain)
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


def _shortened(*given: Tensor) -> list[Tensor]:
    """Give what is multiplied: under autocast, shorter numbers, in both directions."""
    device = given[0].device.type
    low = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
    return [each if low is None else each.to(low) for each in given]


def _slopes(ctx: Any, x: Tensor, scaled: Tensor, of_z: Tensor) -> tuple[Tensor | None, Tensor]:
    """Give the gradients of the rows, if they are wanted, and of the weights."""
    short = of_z.to(x.dtype)
    of_x = of_inputs(short, scaled).to(of_z.dtype) if ctx.needs_input_grad[0] else None
    return of_x, of_weights(x, short).to(of_z.dtype).mul_(ctx.gain)


_LEVELS = 2**16


def kept_units(like: Tensor, dropout: float) -> Tensor:
    """Give 0 for the share of units that is dropped and one over the other share for the rest.

    Four units share a random number of 64 bits, which takes a quarter of the time; the share is rounded to 16 bits.

    >>> kept_units(torch.zeros(2, 3), 0.0).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    numbers = torch.empty(-(-like.numel() // 4), dtype=torch.int64, device=like.device).random_(-(2**63), None)
    cut = min(round(dropout * _LEVELS), _LEVELS - 1)
    # As floats first: whole numbers of 16 bits are compared ten times as slowly.
    wide = torch.promote_types(like.dtype, torch.float32)
    drawn = numbers.view(torch.int16)[: like.numel()].view(like.shape).to(wide)
    return drawn.ge_(cut - _LEVELS // 2).mul_(_LEVELS / (_LEVELS - cut)).to(like.dtype)
