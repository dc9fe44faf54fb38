"""`Cells`: a raw column of training rows, and what is asked of it more than once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from wellfit.data.cleaning.numbers import plain_numbers
from wellfit.data.compact import as_text, is_compact

__all__ = ["PROBE", "Cells"]

PROBE = 5_000
"""Cells of a sample."""

FEW = 0.5
"""Different texts in a sample, as a share of it, up to which each is looked at once and not in every cell."""


@dataclass(frozen=True)
class Cells:
    """A raw column of training rows.

    >>> cells = Cells(pl.Series(["1", None, "x", "1"]))
    >>> cells.counts.rows(), cells.numbers.tolist()
    ([('1', 2), (None, 1), ('x', 1)], [1.0, nan, nan, 1.0])
    """

    series: pl.Series

    @cached_property
    def counts(self) -> pl.DataFrame:
        """How often each ``cell`` stands in the column (``len``), in the order in which they come."""
        counts = self.series.alias("cell").to_frame().group_by("cell", maintain_order=True).len()
        return counts.with_columns(as_text(counts["cell"]))

    @cached_property
    def in_full(self) -> Cells:
        """The column with every cell as text of its own, where it is held by its levels."""
        return Cells(as_text(self.series)) if is_compact(self.series) else self

    @cached_property
    def numbers(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """The cells of a text column that are plain numbers, NaN for the others."""
        return plain_numbers(self.series)

    @cached_property
    def sample(self) -> pl.Series:
        """Evenly spaced cells that are there, all of them where they are few."""
        known = self.series.drop_nulls()
        return as_text(known.gather_every(max(1, len(known) // PROBE)))

    def strange(self) -> pl.Series:
        """Give the different texts that are no plain numbers, in the order in which they come."""
        if is_compact(self.series) or self.sample.n_unique() <= FEW * len(self.sample):
            texts = self.counts["cell"].drop_nulls()
            return texts.filter(pl.Series(np.isnan(plain_numbers(texts))))
        no_number = pl.Series(np.isnan(self.numbers)) & self.series.is_not_null()
        return self.series.filter(no_number).unique(maintain_order=True)
