"""`RawColumns`: what training rows have for numbers before any is filled and scaled, a column at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl

__all__ = ["RawColumns"]

Floats = np.ndarray[Any, np.dtype[np.float64]]


class RawColumns:
    """Columns [row, source] that are never in one piece; number columns stay where they are until they are asked for.

    >>> columns = RawColumns(2, [pl.Series([1.0, None]), np.array([[3.0, 5.0], [4.0, 6.0]])])
    >>> columns.shape, columns[:, 0].tolist(), columns[:, 2].tolist()
    ((2, 3), [1.0, nan], [5.0, 6.0])
    """

    def __init__(self, rows: int, blocks: Iterable[pl.Series | Floats]) -> None:
        """Line up number columns, Float64 [row], and what was made of others, float64 [row] or [row, source]."""
        self._columns: list[pl.Series | Floats] = []
        for block in blocks:
            self._columns += [block] if isinstance(block, pl.Series) or block.ndim == 1 else list(block.T)
        self.shape = (rows, len(self._columns))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, place: tuple[slice, int]) -> Floats:
        """Give rows of one column, NaN where a cell is missing."""
        rows, number = place
        column = self._columns[number]
        return (column.to_numpy() if isinstance(column, pl.Series) else column)[rows]

    def known(self, number: int) -> Floats:
        """Give one column's values, less the missing cells.

        >>> RawColumns(2, [pl.Series([1.0, None])]).known(0).tolist()
        [1.0]
        """
        column = self._columns[number]
        values = column.alias("cell").drop_nulls().to_numpy() if isinstance(column, pl.Series) else column
        absent = np.isnan(values)
        return values[~absent] if absent.any() else values
