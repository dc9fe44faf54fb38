"""Activations that give their slope beside their value, for layers that write their own backward pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

__all__ = ["SLOPED", "Sloped"]

_SELU_SCALE = 1.0507009873554804934193349852946
_SELU_ALPHA = 1.6732632423543772848170429916717


@dataclass(frozen=True)
class Sloped:
    """An activation as torch has it, and together with its slope; both results may be changed in place."""

    function: Callable[[Tensor], Tensor]
    with_slope: Callable[[Tensor], tuple[Tensor, Tensor]]


def _mish(z: Tensor) -> tuple[Tensor, Tensor]:
    """Give ``z t`` and ``t + 4 z e (e + 1) / (n + 2)^2`` with ``e = exp(z)``, ``n = e (e + 2)``, ``t = n / (n + 2)``.

    ``t`` is tanh(softplus(z)), with one exponential instead of four.
    """
    # Above 20 the value is z to the last digit, and the square of exp(z) would leave float32's range.
    power = z.clamp_max(20.0).exp_()
    above = (power + 2.0).mul_(power)
    below = above + 2.0
    share = above.div_(below)
    slope = (power + 1.0).mul_(power).mul_(z).div_(below).div_(below).mul_(4.0).add_(share)
    return share.mul_(z), slope


def _selu(z: Tensor) -> tuple[Tensor, Tensor]:
    """Give ``s z`` and ``s`` above 0, ``s a (exp(z) - 1)`` and ``s a exp(z)`` below."""
    power = z.clamp_max(0.0).exp_().mul_(_SELU_SCALE * _SELU_ALPHA)
    value = z.clamp_min(0.0).mul_(_SELU_SCALE).add_(power).sub_(_SELU_SCALE * _SELU_ALPHA)
    # Where z is above 0 the exponential is 1: a step is taken off, which is many times as fast as to choose.
    step = z.sign().clamp_min_(0.0).mul_(_SELU_SCALE * (_SELU_ALPHA - 1.0))
    return value, power.sub_(step)


def _relu(z: Tensor) -> tuple[Tensor, Tensor]:
    return z.clamp_min(0.0), z.sign().clamp_min_(0.0)


def _silu(z: Tensor) -> tuple[Tensor, Tensor]:
    """Give ``z g`` and ``g (1 + z (1 - g))`` with ``g = sigmoid(z)``."""
    gate = z.sigmoid()
    slope = (1.0 - gate).mul_(z).add_(1.0).mul_(gate)
    return gate.mul_(z), slope


SLOPED: dict[str, Sloped] = {
    "selu": Sloped(functional.selu, _selu),
    "mish": Sloped(functional.mish, _mish),
    "relu": Sloped(functional.relu, _relu),
    "silu": Sloped(functional.silu, _silu),
}
