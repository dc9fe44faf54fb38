"""A linear layer, ReLU and dropout in one: as few passes over memory as there can be, and one tensor kept of them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from wellfit.models.kept_units import kept_units
from wellfit.models.member_products import affine, of_inputs, of_weights, shortened

__all__ = ["rectified"]


def rectified(x: Tensor, weight: Tensor, bias: Tensor, dropout: float = 0.0, *, training: bool = False) -> Tensor:
    """Give ``max(0, x W' + b)``, of which a share is dropped in training.

    Args:
        x: ``[row, input]``.
        weight: ``[output, input]``.
        bias: ``[output]``.
        dropout: the share of units that is dropped, in [0, 1).
        training: whether to drop them; a second derivative is then refused.

    Returns:
        ``[row, output]``; in training under autocast, of autocast's type.

    >>> rectified(torch.ones(1, 2), torch.tensor([[1.0, 1.0], [-1.0, 0.0]]), torch.zeros(2)).tolist()
    [[2.0, 0.0]]
    """
    if not torch.is_grad_enabled():
        return affine(x[None], weight.mT[None], bias[None, None])[0].clamp_min_(0.0)
    if not training:
        return functional.linear(x, weight, bias).clamp_min(0.0)
    made: Tensor = _Rectified.apply(x, weight, bias, dropout)  # type: ignore[no-untyped-call]
    return made


class _Rectified(torch.autograd.Function):
    """The layer in training. An output above 0 tells that a unit was on and was kept, which its slope needs alone."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, dropout: float) -> Tensor:
        x, short = shortened(x, weight)
        made = affine(x[None], short.mT[None], bias.to(short.dtype)[None, None])[0].to(bias.dtype).clamp_min_(0.0)
        if dropout:
            made.mul_(kept_units(made, dropout))
        made = made.to(short.dtype)
        ctx.save_for_backward(x, short, made)
        ctx.gain = 1.0 / (1.0 - dropout)
        return made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, short, made = ctx.saved_tensors
        wide = torch.promote_types(made.dtype, torch.float32)
        slope = torch.ops.aten.threshold_backward(grads[0], made, 0.0)[None]
        # What is kept was made greater: the weights are fewer numbers to say so to than the slopes.
        of_x = of_inputs(slope, short.mT[None] * ctx.gain)[0] if ctx.needs_input_grad[0] else None
        of_weight = of_weights(x[None], slope)[0].mT.to(wide) * ctx.gain
        of_bias = slope[0].sum(0, dtype=wide).mul_(ctx.gain)
        return of_x, of_weight, of_bias, None
