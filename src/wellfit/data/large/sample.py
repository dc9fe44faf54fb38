"""A bounded sample of rows that pass by: the same rows whatever the batches they come in."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

__all__ = ["Reservoir"]

Rows = np.ndarray[Any, np.dtype[np.int64]]
Priorities = np.ndarray[Any, np.dtype[np.uint64]]


class Reservoir:
    """Keeps the rows of the least priorities, which are drawn by the rows' numbers: every row is as likely as another.

    >>> reservoir = Reservoir(most=2)
    >>> reservoir.add(pl.DataFrame({"a": [0, 1, 2]}), 0)
    >>> reservoir.add(pl.DataFrame({"a": [3, 4]}), 3)
    >>> rows, frame = reservoir.taken()
    >>> len(rows), frame["a"].to_list() == rows.tolist()
    (2, True)
    """

    def __init__(self, most: int, seed: int = 0) -> None:
        self.most = most
        self.seed = seed
        self._rows: list[Rows] = []
        self._priorities: list[Priorities] = []
        self._frames: list[pl.DataFrame] = []
        self._held = 0
        self._border = np.uint64(2**64 - 1)

    def add(self, frame: pl.DataFrame, first: int) -> None:
        """Look at the next rows, the first of which has this number."""
        rows = np.arange(first, first + frame.height, dtype=np.int64)
        priorities = _drawn(rows, self.seed)
        kept = np.flatnonzero(priorities <= self._border)
        if not len(kept):
            return
        self._rows.append(rows[kept])
        self._priorities.append(priorities[kept])
        self._frames.append(frame if len(kept) == frame.height else frame[kept])
        self._held += len(kept)
        if self._held > 2 * self.most:
            self._prune()

    def _prune(self) -> None:
        rows, priorities, frame = np.concatenate(self._rows), np.concatenate(self._priorities), pl.concat(self._frames)
        if len(rows) > self.most:
            self._border = np.partition(priorities, self.most - 1)[self.most - 1]
            kept = np.flatnonzero(priorities <= self._border)
            rows, priorities, frame = rows[kept], priorities[kept], frame[kept]
        self._rows, self._priorities, self._frames = [rows], [priorities], [frame]
        self._held = len(rows)

    def taken(self) -> tuple[Rows, pl.DataFrame]:
        """Give the numbers of the rows that were taken, in order, and the rows."""
        self._prune()
        return self._rows[0], self._frames[0]


def _drawn(rows: Rows, seed: int) -> Priorities:
    """Draw a number for each row by its own number (SplitMix64, G. L. Steele and others, 2014)."""
    with np.errstate(over="ignore"):
        mixed = (rows.astype(np.uint64) + np.uint64(1 + seed)) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
