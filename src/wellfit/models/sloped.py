"""Activations as what they add to the identity, with their slope, for layers that write their own backward pass."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["SLOPED", "Sloped"]

_SELU_SCALE = 1.0507009873554804934193349852946
_SELU_ALPHA = 1.6732632423543772848170429916717
_STEEP = _SELU_SCALE * _SELU_ALPHA
_PER_OCTAVE = math.log2(math.e)
"""exp(z) = exp2(z log2(e)): torch takes a quarter of the time for powers of 2."""


@dataclass(frozen=True)
class Sloped:
    """An activation as torch has it, and how it differs from the identity."""

    function: Callable[[Tensor], Tensor]
    bend: Callable[[Tensor], tuple[Tensor, Tensor]]
    """Gives ``f(z) - z`` and ``f'(z) - 1``; both may be changed in place."""


def _mish(z: Tensor) -> tuple[Tensor, Tensor]:
    """Give ``z r`` and ``r - z r (2 + r (q + 1))`` with ``q = exp(z) + 1`` and ``r = -2 / (q^2 + 1)``.

    ``1 + r`` is tanh(softplus(z)), with one exponential instead of four.
    """
    # Far above 0 both are 0 to the last digit, and the square of exp(z) would leave float32's range.
    q = z.mul(_PER_OCTAVE).clamp_max_(40.0).exp2_().add_(1.0)
    r = q.mul(q).add_(1.0).reciprocal_().mul_(-2.0)
    bend = z * r
    rise = q.add_(1.0).mul_(r).add_(2.0)
    return bend, r.addcmul_(bend, rise, value=-1.0)


def _selu(z: Tensor) -> tuple[Tensor, Tensor]:
    """Give ``(s - 1) z`` and ``s - 1`` above 0, ``s a (exp(z) - 1) - z`` and ``s a exp(z) - 1`` below."""
    power = z.clamp_max(0.0).mul_(_PER_OCTAVE).exp2_().mul_(_STEEP).sub_(_STEEP)
    value = power.add_(z.clamp_min(0.0), alpha=_SELU_SCALE)
    # torch's own backward pass gives the slope by the value, in one pass over memory.
    ones = value.new_ones(()).expand_as(value)
    slope = torch.ops.aten.elu_backward(ones, _SELU_ALPHA, _SELU_SCALE, 1.0, True, value)
    return value.sub_(z), slope.sub_(1.0)


def _relu(z: Tensor) -> tuple[Tensor, Tensor]:
    return z.clamp_max(0.0).neg_(), z.sign().clamp_min_(0.0).sub_(1.0)


def _silu(z: Tensor) -> tuple[Tensor, Tensor]:
    """Give ``z (g - 1)`` and ``(g - 1) (1 - z g)`` with ``g = sigmoid(z)``."""
    gate = z.sigmoid()
    less = gate - 1.0
    return less * z, gate.mul_(z).neg_().add_(1.0).mul_(less)


SLOPED: dict[str, Sloped] = {
    "selu": Sloped(functional.selu, _selu),
    "mish": Sloped(functional.mish, _mish),
    "relu": Sloped(functional.relu, _relu),
    "silu": Sloped(functional.silu, _silu),
}
