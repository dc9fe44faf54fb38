"""Layers with weights of their own for each member, all of them in one batched product.

Legend: ``x`` and ``y`` are [member, row, feature].
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from wellfit.models.sloped import SLOPED, Sloped

__all__ = ["MemberBlock", "MemberLinear"]

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
        return torch.baddbmm(self.bias, x, self.weight, alpha=self.gain)

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
        y = torch.lerp(z, self.activation.function(z), self.mix)
        return functional.dropout(y, dropout, self.training)


class _Fused(torch.autograd.Function):
    """A block in training, in a third of the passes over memory: slopes are taken while the values are at hand."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, mix: Tensor, gain: float, activation: Sloped, dropout: float
    ) -> Tensor:
        wide = mix.dtype
        if torch.is_autocast_enabled(x.device.type):
            low = torch.get_autocast_dtype(x.device.type)
            x, weight = x.to(low), weight.to(low)
        z = torch.baddbmm(bias.to(x.dtype), x, weight, alpha=gain).to(wide)
        bent, slope = activation.with_slope(z)
        bent.sub_(z)
        slope.sub_(1.0).mul_(mix).add_(1.0)
        if dropout:
            kept = _kept(z, dropout)
            z.mul_(kept)
            bent.mul_(kept)
            slope.mul_(kept)
        ctx.save_for_backward(x, weight, bent, slope)
        ctx.gain, ctx.wide = gain, wide
        return z.addcmul_(bent, mix)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, bent, slope = ctx.saved_tensors
        grad = grads[0].to(ctx.wide)
        of_mix = (grad * bent).sum(1, keepdim=True)
        of_z = grad * slope
        of_bias = of_z.sum(1, keepdim=True)
        # Under autocast, products are taken of shorter numbers in both directions.
        of_z = of_z.to(x.dtype)
        none = of_z.new_empty(1)
        of_x = None
        if ctx.needs_input_grad[0]:
            of_x = torch.baddbmm(none, of_z, weight.transpose(1, 2), beta=0, alpha=ctx.gain).to(ctx.wide)
        of_weight = torch.baddbmm(none, x.transpose(1, 2), of_z, beta=0, alpha=ctx.gain)
        return of_x, of_weight.to(ctx.wide), of_bias, of_mix, None, None, None


_LEVELS = 2**16


def _kept(like: Tensor, dropout: float) -> Tensor:
    """Give 0 for the share of units that is dropped and one over the other share for the rest.

    Four units share a random number of 64 bits, which takes a quarter of the time; the share is rounded to 16 bits.
    """
    numbers = torch.empty(-(-like.numel() // 4), dtype=torch.int64, device=like.device).random_(-(2**63), None)
    cut = min(round(dropout * _LEVELS), _LEVELS - 1)
    # As floats first: whole numbers of 16 bits are compared ten times as slowly.
    drawn = numbers.view(torch.int16)[: like.numel()].view(like.shape).to(like.dtype)
    return drawn.ge_(cut - _LEVELS // 2).mul_(_LEVELS / (_LEVELS - cut))
