"""A linear layer, ReLU and dropout in one: as few passes over memory as there can be, and one tensor kept of them.

An output above 0 tells that a unit was on and was kept, which is all that its slope needs.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from wellfit.models.kept_units import kept_units
from wellfit.models.member_products import affine, of_inputs, of_weights, shortened

__all__ = ["rectified", "rectified_heads"]

_IN_CACHE = 2**18
"""Numbers that fit into a megabyte."""


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
        return _product(x, weight, bias).clamp_min_(0.0)
    if not training:
        return functional.linear(x, weight, bias).clamp_min(0.0)
    made: Tensor = _Rectified.apply(x, weight, bias, dropout)  # type: ignore[no-untyped-call]
    return made


def rectified_heads(
    x: Tensor, scale: Tensor, weight: Tensor, bias: Tensor, dropout: float = 0.0, *, training: bool = False
) -> Tensor:
    """Give what heads that share weights make of inputs that each scales: ``max(0, (r_i * x) W' + b)`` for head i.

    Of more rows than units, scaling the weights is less work than scaling the rows, and one product makes all heads.

    Args:
        x: ``[row, input]``.
        scale: ``[head, input]``.
        weight: ``[output, input]``, of all heads.
        bias: ``[output]``.
        dropout: as of `rectified`.
        training: likewise.

    Returns:
        ``[row * head, output]``, a row's heads one after the other.

    >>> scale = torch.tensor([[1.0], [2.0]])
    >>> rectified_heads(torch.tensor([[3.0]]), scale, torch.ones(1, 1), torch.zeros(1)).tolist()
    [[3.0], [6.0]]
    """
    heads, outputs = len(scale), len(weight)
    if len(x) <= outputs:
        return rectified((x.unsqueeze(1) * scale).flatten(0, 1), weight, bias, dropout, training=training)
    if training and torch.is_grad_enabled():
        made: Tensor = _RectifiedHeads.apply(x, scale, weight, bias, dropout)  # type: ignore[no-untyped-call]
    else:
        made = rectified(x, (scale.unsqueeze(1) * weight).flatten(0, 1), bias.repeat(heads))
    return made.reshape(len(x) * heads, outputs)


class _Rectified(torch.autograd.Function):
    """The layer in training."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, dropout: float) -> Tensor:
        x, short = shortened(x, weight)
        made = _kept(_product(x, short, bias.to(short.dtype)).to(bias.dtype), dropout).to(short.dtype)
        ctx.save_for_backward(x, short, made)
        ctx.gain = 1.0 / (1.0 - dropout)
        return made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, short, made = ctx.saved_tensors
        slope = _slope(grads[0], made)
        # What is kept was made greater: the weights are fewer numbers to say so to than the slopes.
        of_x = of_inputs(slope[None], short.mT[None] * ctx.gain)[0] if ctx.needs_input_grad[0] else None
        wide = torch.promote_types(made.dtype, torch.float32)
        of_weight = of_weights(slope[None], x[None])[0].to(wide) * ctx.gain
        return of_x, of_weight, _summed(slope).to(wide).mul_(ctx.gain), None


class _RectifiedHeads(torch.autograd.Function):
    """The layer of heads in training: what is as large as all heads' weights is made and used in pieces."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, weight: Tensor, bias: Tensor, dropout: float) -> Tensor:
        (x,) = shortened(x)
        heads, (outputs, inputs) = len(scale), weight.shape
        every = x.new_empty(heads, outputs, inputs)
        ctx.at_once = max(1, _IN_CACHE // weight.numel())
        for part, own in zip(every.split(ctx.at_once), scale.split(ctx.at_once), strict=True):
            part.copy_(own.unsqueeze(1) * weight)
        every = every.flatten(0, 1)
        made = _product(x, every, bias.to(x.dtype).repeat(heads)).to(bias.dtype)
        made = _kept(made, dropout).to(x.dtype)
        ctx.save_for_backward(x, scale, weight, every, made)
        ctx.gain = 1.0 / (1.0 - dropout)
        return made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, scale, weight, every, made = ctx.saved_tensors
        slope = _slope(grads[0], made)
        of_x = of_inputs(slope[None], every.mT[None])[0].mul_(ctx.gain) if ctx.needs_input_grad[0] else None
        of_scale, of_weight = torch.empty_like(scale), torch.zeros_like(weight)
        parts = zip(
            slope.split(ctx.at_once * len(weight), 1),
            scale.split(ctx.at_once),
            of_scale.split(ctx.at_once),
            strict=True,
        )
        for own, scales, of_scales in parts:
            of_every = of_weights(own[None], x[None])[0].to(weight.dtype).unflatten(0, (len(scales), -1))
            torch.sum(of_every * weight, 1, out=of_scales)
            of_weight += of_every.mul_(scales.unsqueeze(1)).sum(0)
        of_bias = _summed(slope).to(weight.dtype).view(len(scale), -1).sum(0)
        return of_x, *(each.mul_(ctx.gain) for each in (of_scale, of_weight, of_bias)), None


def _product(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return affine(x[None], weight.mT[None], bias[None, None])[0]


def _kept(x: Tensor, dropout: float) -> Tensor:
    """Give in place what is on, less what is dropped."""
    x.clamp_min_(0.0)
    return x.mul_(kept_units(x, dropout)) if dropout else x


def _slope(grad: Tensor, made: Tensor) -> Tensor:
    slope: Tensor = torch.ops.aten.threshold_backward(grad, made, 0.0)
    return slope


def _summed(x: Tensor) -> Tensor:
    """Give the sum over rows; of short numbers as a product, which takes half the time of torch's sum."""
    if x.dtype == torch.bfloat16:
        return torch.mm(x.new_ones(1, len(x)), x)[0]
    return x.sum(0)
