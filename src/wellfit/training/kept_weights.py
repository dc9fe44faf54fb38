"""The numbers of a module at one time, kept so that it can be looked at later as it was then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from wellfit.errors import RunFailed

__all__ = ["Weights"]


class Weights:
    """The parameters and buffers of a module, whose numbers are copied and computed with again.

    >>> layer = nn.Linear(1, 1, bias=False)
    >>> weights, before = Weights(layer), layer.weight.item()
    >>> kept = weights.copy()
    >>> _ = nn.init.zeros_(layer.weight)
    >>> with weights.put(kept):
    ...     layer.weight.item() == before
    True
    >>> layer.weight.item()
    0.0
    """

    def __init__(self, module: nn.Module) -> None:
        self._module, self._parts = module, list(module.modules())
        self._fixed, self._buffers = list(module.parameters()), list(module.buffers())
        self._tensors: list[Tensor] = [*self._fixed, *self._buffers]
        self.size = sum(tensor.numel() for tensor in self._tensors)

    @torch.no_grad()
    def copy(self) -> list[Tensor]:
        """Give the numbers as they are now."""
        return [tensor.clone() for tensor in self._tensors]

    @contextmanager
    def put(self, kept: list[Tensor] | None) -> Iterator[None]:
        """Compute with numbers that `copy` gave, None for the present ones; what a pass writes into buffers is undone.

        Raises:
            RunFailed: the module has other parts than it had.
        """
        now = (*self._module.parameters(), *self._module.buffers())
        if not _same(self._parts, self._module.modules()) or not _same(self._tensors, now):
            raise RunFailed("A module can't be judged once its layers are others than those that were trained.")
        present = [tensor.data for tensor in self._tensors]
        values = kept or [*(weight.data for weight in self._fixed), *(part.clone() for part in self._buffers)]
        try:
            for tensor, value in zip(self._tensors, values, strict=True):
                tensor.data = value
            yield
        finally:
            for tensor, value in zip(self._tensors, present, strict=True):
                tensor.data = value


def _same(known: list[Any], found: Any) -> bool:
    others = list(found)
    return len(known) == len(others) and all(a is b for a, b in zip(known, others, strict=True))
