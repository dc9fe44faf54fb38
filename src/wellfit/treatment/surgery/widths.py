"""Hidden layers made wider, narrower or more in number, where layers stand in an `nn.Sequential`."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from wellfit.errors import ConfigError
from wellfit.runtime import restored_random_state
from wellfit.treatment.surgery.anatomy import anatomy
from wellfit.treatment.surgery.edit import Edit, Sample

__all__ = ["deepen", "narrow", "widen"]

_WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
_WIDEST = 1024


def widen(factor: float = 2.0, *, least: int = 64) -> Edit:
    """Make hidden layers wider by a factor, and at least ``least`` units (a quarter of it for channels).

    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> widen().apply(net, [torch.zeros(2, 2)])[0].out_features
    64
    """

    def wider(units: int, channels: bool) -> int:
        return max(units, min(_WIDEST, max(round(units * factor), least // 4 if channels else least)))

    return Edit("wider hidden layers", lambda module, sample: _resized(module, sample, wider))


def narrow(factor: float = 0.25, *, least: int = 8) -> Edit:
    """Make hidden layers narrower by a factor, but no narrower than ``least`` units."""

    def narrower(units: int, channels: bool) -> int:
        return min(units, max(round(units * factor), least))

    return Edit("narrower hidden layers", lambda module, sample: _resized(module, sample, narrower))


def _resized(module: nn.Module, sample: Sample, width: Callable[[int, bool], int]) -> nn.Module:
    if type(module) is not nn.Sequential or len(sample) != 1:
        raise ConfigError("Widths are changed where a module is an nn.Sequential.", got=type(module).__name__)
    last = [part for part in module.modules() if isinstance(part, _WEIGHTED)]
    with restored_random_state(), torch.no_grad():
        shape_only = sample[0][:2]
        made, _ = _rebuilt(module, shape_only, width, last[-1] if last else None)
    if _counts(made) == _counts(module):
        raise ConfigError("Hidden layers must be of a width that can be changed.", got="none")
    return made


def _counts(module: nn.Module) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in module.parameters()]


def _rebuilt(
    stack: nn.Sequential, x: Tensor, width: Callable[[int, bool], int], last: nn.Module | None
) -> tuple[nn.Sequential, Tensor]:
    made = nn.Sequential()
    for part in stack:
        if type(part) is nn.Sequential:
            inner, x = _rebuilt(part, x, width, last)
            made.append(inner)
            continue
        made.append(_fitted(part, x, width, last))
        made[-1].eval()
        x = made[-1](x)
        made[-1].train(part.training)
    return made, x


def _fitted(part: nn.Module, x: Tensor, width: Callable[[int, bool], int], last: nn.Module | None) -> nn.Module:
    """Give a layer like the given one, for inputs shaped like x."""
    if isinstance(part, nn.Linear):
        units = part.out_features if part is last else width(part.out_features, False)
        return nn.Linear(x.shape[-1], units, bias=part.bias is not None)
    if isinstance(part, nn.modules.conv._ConvNd) and part.groups == 1 and not part.transposed:
        units = part.out_channels if part is last else width(part.out_channels, True)
        kind: Any = type(part)
        same = {"stride": part.stride, "padding": part.padding, "dilation": part.dilation}
        made: nn.Module = kind(x.shape[1], units, part.kernel_size, bias=part.bias is not None, **same)
        return made
    if isinstance(part, nn.modules.batchnorm._BatchNorm):
        return type(part)(x.shape[1])
    if isinstance(part, nn.LayerNorm) and len(part.normalized_shape) == 1:
        return nn.LayerNorm(x.shape[-1])
    return copy.deepcopy(part)


def deepen(layers: int = 1) -> Edit:
    """Put further hidden layers, as wide as the last one, behind it.

    >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    >>> len(list(deepen().apply(net, [torch.zeros(2, 2)])[1].children()))
    3
    """

    def apply(module: nn.Module, sample: Sample) -> nn.Module:
        hidden = [part for part in anatomy(module, sample).hidden if part.own and len(part.shape) == 2]
        if not hidden:
            raise ConfigError("A hidden layer is added behind an activation that is a module.", got="none")
        last, width = hidden[-1], hidden[-1].shape[-1]
        activation = module.get_submodule(last.where)
        added = [part for _ in range(layers) for part in (nn.Linear(width, width), copy.deepcopy(activation))]
        module.set_submodule(last.where, nn.Sequential(activation, *added))
        return module

    return Edit("another hidden layer", apply)
