"""Scales as layers: inputs standardised before a module, outputs put into the target's units behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from wellfit.treatment.surgery.edit import WRAPPING, Edit

__all__ = ["Fed", "Standardize", "Unscale", "standardize_inputs", "unscale_outputs"]

_FARTHEST = 10.0


class Standardize(nn.Module):
    """``(x - mean) / std`` along one axis, held within +-10; what is not finite becomes the mean.

    Ten spreads are far out for any bell-shaped feature; a pixel that hardly ever lights up would else be hundreds.

    >>> Standardize([1.0, 0.0], [2.0, 1.0])(torch.tensor([[3.0, float("nan")]]))
    tensor([[1., 0.]])
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float], axis: int = -1) -> None:
        super().__init__()
        self.axis = axis
        self.register_buffer("mean", torch.tensor(list(mean), dtype=torch.float32))
        self.register_buffer("std", torch.tensor(list(std), dtype=torch.float32))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[row, ...]`` to the same shape."""
        shape = [1] * x.ndim
        shape[self.axis] = -1
        scaled = (x - self.mean.reshape(shape)) / self.std.reshape(shape)
        return torch.where(torch.isfinite(scaled), scaled, torch.zeros_like(scaled)).clamp(-_FARTHEST, _FARTHEST)


class Unscale(nn.Module):
    """``mean + std x``: from the scale a module was trained in to the target's own units.

    >>> Unscale([10.0], [2.0])(torch.tensor([[1.0]]))
    tensor([[12.]])
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(list(mean), dtype=torch.float32))
        self.register_buffer("std", torch.tensor(list(std), dtype=torch.float32))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[row]`` or ``[row, column]`` to the same shape."""
        return self.mean + self.std * x


class Fed(nn.Module):
    """A module whose first input passes a layer before."""

    def __init__(self, front: nn.Module, body: nn.Module) -> None:
        super().__init__()
        self.front, self.body = front, body

    def forward(self, first: Tensor, *rest: Tensor) -> Any:
        """Give what the module gives."""
        return self.body(self.front(first), *rest)


def standardize_inputs(mean: Sequence[float], std: Sequence[float], axis: int = -1) -> Edit:
    """Standardise the first input as the first thing a module does."""
    return Edit("inputs standardised", lambda module, _: Fed(Standardize(mean, std, axis), module), stage=WRAPPING)


def unscale_outputs(mean: Sequence[float], std: Sequence[float]) -> Edit:
    """Put outputs into the target's units as the last thing a module does."""
    return Edit("outputs in the target's units", lambda m, _: nn.Sequential(m, Unscale(mean, std)), stage=WRAPPING)
