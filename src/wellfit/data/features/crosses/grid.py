"""`Grid`: rows by the values of a few columns, and what the neighbours of a row's values say.

Legend: ``n`` rows, ``o`` outputs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wellfit.data.features.crosses.values import Codes, Floats, Values

__all__ = ["Grid"]

REACHES = (1, 4, 16)
"""How many values on either side are neighbours."""
MOST_CELLS = 2**20
NARROW = 8
"""A reach is at most this part of a column's values: the mean of all other values would give a value's own away."""
PRIOR = 5.0
"""For how many rows the overall mean stands where neighbours' means are taken."""


@dataclass(frozen=True)
class Grid:
    """Rows by the values of columns, in the order of the values where they have one.

    >>> ids, numbers = np.arange(1, 10), np.arange(9.0)
    >>> grid = Grid((Values(name="x", exact=ids, count=9, steps=ids, numbers=numbers),))
    >>> grid.of_neighbours(np.where(numbers == 4, 7.0, 0.0)[:, None])[3:6, 0].round(2).tolist()
    [0.78, -0.22, 0.78]
    """

    columns: Sequence[Values]

    def of_neighbours(self, values: Floats) -> Floats:
        """Give how the means of the rows of neighbouring values, without those of the same, differ from that of all.

        A category has no neighbours: those of a cross with one lie along its other column.

        Returns:
            Float64 [n, o * reaches]; [n, 0] where no column has neighbours, or where hardly a cell has any row.
        """
        reaches = list(dict.fromkeys(tuple(self._reaches(reach)) for reach in REACHES))
        if not any(reaches[-1]):
            return np.empty((len(values), 0))
        shape = tuple(its.count + 1 for its in self.columns)
        if math.prod(shape) > MOST_CELLS:
            return np.empty((len(values), 0))
        place = np.ravel_multi_index([its.exact for its in self.columns], shape)
        cells = [_cells(place, weights, shape) for weights in (None, *(values - values.mean(axis=0)).T)]
        found = []
        for reach in reaches:
            rows, *sums = (_near(its, reach) - its for its in cells)
            found += [(its / (rows + PRIOR)).ravel()[place] for its in sums]
        return np.column_stack(found)

    def _reaches(self, reach: int) -> Iterator[int]:
        """Give the reach along each column."""
        for its in self.columns:
            yield 0 if its.numbers is None else min(reach, its.count // NARROW)


def _cells(place: Codes, weights: Floats | None, shape: tuple[int, ...]) -> Floats:
    return np.bincount(place, weights, int(np.prod(shape))).astype(np.float64).reshape(shape)


def _near(cells: Floats, reaches: Sequence[int]) -> Any:
    """Sum over the cells that are near along each axis."""
    for axis, reach in enumerate(reaches):
        if reach:
            lead = [(0, 0)] * cells.ndim
            lead[axis] = (reach + 1, reach)
            sums = np.cumsum(np.pad(cells, lead), axis=axis)
            last = np.arange(2 * reach + 1, 2 * reach + 1 + cells.shape[axis])
            cells = np.take(sums, last, axis=axis) - np.take(sums, last - 2 * reach - 1, axis=axis)
    return cells
