"""The levels of a category column, as numbers that never run out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

__all__ = ["FIRST", "MISSING", "UNSEEN", "Codes", "Vocabulary"]

MISSING, UNSEEN, FIRST = 0, 1, 2
"""The codes of a missing cell, of a level that is not in the vocabulary, and of its first level."""

SMALL = 256

Codes = np.ndarray[Any, np.dtype[np.int64]]


class Vocabulary:
    """Levels in a fixed order; level i has the code i + 2.

    >>> Vocabulary(["a", "b"]).codes(pl.Series(["b", None, "z"])).tolist()
    [3, 0, 1]
    """

    def __init__(self, levels: Sequence[str]) -> None:
        self.levels = tuple(levels)

    @cached_property
    def _code(self) -> dict[str | None, int]:
        return {None: MISSING, **{level: code for code, level in enumerate(self.levels, FIRST)}}

    @cached_property
    def _dtype(self) -> pl.Enum:
        return pl.Enum(self.levels)

    def codes(self, series: pl.Series) -> Codes:
        """Give the code of each cell, int64 [row]."""
        if len(series) <= SMALL:
            return np.array([self._code.get(cell, UNSEEN) for cell in series.to_list()], dtype=np.int64)
        series = series.alias("cell")
        physical = series.cast(self._dtype, strict=False).to_physical().cast(pl.Int64) + FIRST
        codes = physical.fill_null(UNSEEN).to_numpy().copy()
        codes[series.is_null().to_numpy()] = MISSING
        return codes
