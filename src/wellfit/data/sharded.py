"""Rows in shards on disk as a training reads them: shuffled by blocks, read ahead, a window of them in memory.

Legend: ``inputs`` are ``(numeric, categorical)``, float32 ``[row, number]`` and int64 ``[row, category]``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from wellfit.data.batches import Batch, bounds
from wellfit.data.large.ahead import made_ahead
from wellfit.data.large.shards import Part
from wellfit.errors import DataError
from wellfit.runtime import keyed_generator

__all__ = ["Sharded"]

BLOCK = 4096
"""Rows that stay together on disk."""
WINDOW = 64
"""Blocks that are in memory together, from all over the table, and whose rows are shuffled among each other."""

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class _Window:
    """Rows in memory, in the order of the disk, and the order in which they are given."""

    inputs: tuple[Tensor, Tensor]
    target: Tensor
    weight: Tensor | None
    order: Tensor

    def batch(self, first: int, last: int) -> Batch:
        """Gather rows of the order."""
        chosen = self.order[first:last]
        weight = None if self.weight is None else self.weight.index_select(0, chosen)
        numeric, categorical = (part.index_select(0, chosen) for part in self.inputs)
        return Batch((numeric, categorical), self.target.index_select(0, chosen), weight)


class Sharded:
    """The rows of a part whose target is known.

    An epoch's order is a permutation of blocks, of which some make a window, and a permutation of each window's rows;
    both depend on the seed and the epoch alone.
    """

    def __init__(self, part: Part, weight: Array | None = None, *, block: int = BLOCK, window: int = WINDOW) -> None:
        """Find the rows that have a target; ``weight`` is of every row of the part.

        Raises:
            DataError: no row is left.
        """
        self.part, self.block, self.window = part, block, window
        self._weight = weight
        self._counts = np.array(
            [int(_known(part.read("target", first, last)).sum()) for first, last in part.pieces(block)], dtype=np.int64
        )
        self.rows: int | None = int(self._counts.sum())
        if not self.rows:
            rule = "Validation rows must have labels that training rows have."
            raise DataError(rule, got="none that does", do="Deal the rows otherwise.")

    @property
    def digest(self) -> str:
        """A checksum of all rows."""
        return self.part.digest

    def steps(self, batch_rows: int) -> int:
        """Give the number of batches an epoch has."""
        return len(bounds(int(self._counts.sum()), batch_rows))

    def epoch(self, *, batch_rows: int, seed: int, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Walk through a shuffled epoch from batch ``start`` on."""
        blocks = torch.randperm(len(self._counts), generator=keyed_generator(seed, "order", epoch)).numpy()
        windows = [blocks[first : first + self.window] for first in range(0, len(blocks), self.window)]
        ends = np.cumsum([self._counts[window].sum() for window in windows])
        wanted = bounds(int(self._counts.sum()), batch_rows)[start:]
        if not wanted:
            return
        begun = int(np.searchsorted(ends, wanted[0][0], side="right"))
        makers = [partial(self._shuffled, windows[place], seed, epoch, place) for place in range(begun, len(windows))]
        before = int(ends[begun - 1]) if begun else 0
        yield from _dealt(makers, wanted, before)

    def _shuffled(self, blocks: Array, seed: int, epoch: int, place: int) -> _Window:
        rows = int(self._counts[blocks].sum())
        order = torch.randperm(rows, generator=keyed_generator(seed, "order", epoch, "window", place))
        return self._window(blocks, order)

    def _window(self, blocks: Array, order: Tensor | None = None) -> _Window:
        """Read blocks; neighbours on disk are read at once."""
        runs = [self._read(int(block) * self.block, (int(block) + 1) * self.block) for block in blocks]
        inputs = tuple(torch.cat(parts) for parts in zip(*(run[0] for run in runs), strict=True))
        target = torch.cat([run[1] for run in runs])
        weight = None if self._weight is None else torch.cat([run[2] for run in runs])
        assert len(inputs) == 2
        return _Window(inputs, target, weight, torch.arange(len(target)) if order is None else order)

    def _read(self, first: int, last: int) -> tuple[tuple[Tensor, Tensor], Tensor, Tensor]:
        last = min(last, self.part.rows)
        target = self.part.read("target", first, last)
        weight = np.ones(0) if self._weight is None else self._weight[first:last].astype(np.float32)
        matrix = self.part.matrix(first, last)
        known = _known(target)
        arrays: list[Array] = [
            matrix.numeric,
            matrix.categorical,
            target if target.dtype.kind == "f" else target.astype(np.int64),
        ]
        if not known.all():
            arrays = [array[known] for array in arrays]
            weight = weight[known] if len(weight) else weight
        numeric, categorical, targets = (torch.from_numpy(array) for array in arrays)
        return (numeric, categorical), targets, torch.from_numpy(weight)

    def walk(self, batch_rows: int) -> Iterator[Batch]:
        """Walk through the rows as they stand."""
        rows = int(self._counts.sum())
        wanted = [(first, min(first + batch_rows, rows)) for first in range(0, rows, batch_rows)]
        places = np.arange(len(self._counts))
        makers = [
            partial(self._window, places[first : first + self.window]) for first in range(0, len(places), self.window)
        ]
        yield from _dealt(makers, wanted, 0)

    def peek(self) -> Batch:
        """Give at most two rows, to try a module on."""
        return next(self.walk(2))


def _known(target: Array) -> Array:
    return np.isfinite(target) if target.dtype.kind == "f" else target >= 0


def _dealt(makers: Sequence[Callable[[], _Window]], wanted: list[tuple[int, int]], before: int) -> Iterator[Batch]:
    """Give batches of windows that follow each other; a batch may begin in one and end in the next.

    Args:
        makers: what reads the windows, in order.
        wanted: the first and the last row of each batch, counted from the first row of the epoch.
        before: rows of the epoch before the first window.
    """
    windows = made_ahead(makers)
    try:
        window = next(windows)
        for first, last in wanted:
            parts = []
            while last > before + len(window.order):
                if first < before + len(window.order):
                    parts.append(window.batch(first - before, len(window.order)))
                    first = before + len(window.order)
                before += len(window.order)
                window = next(windows)
            parts.append(window.batch(first - before, last - before))
            yield parts[0] if len(parts) == 1 else _joined(parts)
    finally:
        windows.close()  # type: ignore[attr-defined]


def _joined(parts: list[Batch]) -> Batch:
    inputs = tuple(torch.cat(group) for group in zip(*(part.inputs for part in parts), strict=True))
    weights = [part.weight for part in parts if part.weight is not None]
    return Batch(inputs, torch.cat([part.target for part in parts]), torch.cat(weights) if weights else None)
