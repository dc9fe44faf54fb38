"""The levels of a category column, as numbers that never run out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from wellfit.data.compact import is_compact

__all__ = ["FIRST", "MISSING", "SMALL", "UNSEEN", "Codes", "Vocabulary"]

MISSING, UNSEEN, FIRST = 0, 1, 2
"""The codes of a missing cell, of a level that is not in the vocabulary, and of its first level."""

SMALL = 256
"""Cells up to which a look-up of each is quicker than one of a column."""

Codes = np.ndarray[Any, np.dtype[Any]]
"""Whole numbers without a sign, of as few bytes as hold the codes of a vocabulary."""


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
        """Give the code of each cell of a column of text, [row]."""
        if len(series) <= SMALL:
            return np.array([self._code.get(cell, UNSEEN) for cell in series.to_list()], dtype=self._bytes)
        series = series.alias("cell")
        codes = self._of_compact(series) if is_compact(series) else self._of_texts(series)
        codes[series.is_null().to_numpy()] = MISSING
        return codes

    @cached_property
    def _bytes(self) -> np.dtype[Any]:
        return np.min_scalar_type(len(self.levels) + FIRST)

    def _of_texts(self, series: pl.Series) -> Codes:
        found = series.cast(self._dtype, strict=False)
        codes: Codes = found.to_physical().fill_null(0).to_numpy().astype(self._bytes) + self._bytes.type(FIRST)
        codes[found.is_null().to_numpy()] = UNSEEN
        return codes

    def _of_compact(self, series: pl.Series) -> Codes:
        """Look the few texts up, and fetch by their numbers what was found for them."""
        known = series.drop_nulls().unique()
        numbers = known.to_physical().to_numpy()
        table = np.full(int(numbers.max(initial=0)) + 1, UNSEEN, dtype=self._bytes)
        table[numbers] = [self._code.get(text, UNSEEN) for text in known.cast(pl.String).to_list()]
        return table.take(series.to_physical().fill_null(0).to_numpy())
