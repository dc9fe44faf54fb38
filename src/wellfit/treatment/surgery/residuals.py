"""Residual connections around blocks that keep their shape."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor, nn

from wellfit.errors import ConfigError
from wellfit.treatment.surgery.edit import Edit, Sample

__all__ = ["Residual", "add_residuals"]


class Residual(nn.Module):
    """``x + body(x)``: He et al. 2016."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[row, ...]`` to the same shape."""
        y: Tensor = x + self.body(x)
        return y


def add_residuals() -> Edit:
    """Add its input to every block of an `nn.Sequential` that is a layer of equal widths and its activation.

    >>> import torch
    >>> net = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    >>> len(add_residuals().apply(net, [torch.zeros(2, 2)]))
    2
    """

    def apply(module: nn.Module, sample: Sample) -> nn.Module:
        wrapped = 0
        for part in list(module.modules()):
            if type(part) is nn.Sequential:
                wrapped += _wrap(part)
        if not wrapped:
            raise ConfigError("A residual connection needs a hidden layer as wide as its input.", got="none")
        return module

    return Edit("residual connections", apply)


def _wrap(stack: nn.Sequential) -> int:
    blocks = list(_blocks(list(stack)))
    for _ in range(len(stack)):
        del stack[0]
    for block in blocks:
        stack.append(block)
    return sum(isinstance(block, Residual) for block in blocks)


def _blocks(parts: list[nn.Module]) -> Iterator[nn.Module]:
    place = 0
    while place < len(parts):
        end = place + 1
        while end < len(parts) and _between(parts[end]):
            end += 1
        if _keeps_shape(parts[place]) and end < len(parts) and _activation(parts[end]) and end + 1 < len(parts):
            yield Residual(nn.Sequential(*parts[place : end + 1]))
            place = end + 1
        else:
            yield parts[place]
            place += 1


def _keeps_shape(part: nn.Module) -> bool:
    if type(part) is nn.Sequential:
        return len(part) > 1 and _keeps_shape(part[0]) and all(_between(inner) for inner in list(part)[1:])
    if isinstance(part, nn.Linear):
        return part.in_features == part.out_features
    if isinstance(part, nn.Conv2d):
        pads = part.padding
        same = pads == "same" if isinstance(pads, str) else [2 * pad + 1 for pad in pads] == list(part.kernel_size)
        return part.in_channels == part.out_channels and set(part.stride) == {1} and same
    return False


def _between(part: nn.Module) -> bool:
    return isinstance(part, (nn.modules.batchnorm._BatchNorm, nn.LayerNorm, nn.GroupNorm, nn.Identity))


def _activation(part: nn.Module) -> bool:
    return type(part).__module__ == "torch.nn.modules.activation" and not list(part.parameters())
