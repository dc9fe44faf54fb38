"""What every scaler is: statistics of training columns, and how they are applied to any rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Protocol, Self

import numpy as np

from wellfit.data.columnwise import each
from wellfit.data.features.raw_columns import RawColumns

__all__ = ["FARTHEST", "Columns", "Floats", "Scaler", "of_columns", "unit_where_zero"]

Floats = np.ndarray[Any, np.dtype[np.float64]]

FARTHEST = 1e6
"""Scaled values stay within: far beyond what a network has seen, and squares of them are finite in float32."""


class Columns(Protocol):
    """Columns of numbers as an array has them, float64 [row, column], of which one is taken at a time."""

    @property
    def shape(self) -> tuple[int, ...]:
        """How many rows and columns there are."""

    def __getitem__(self, place: tuple[slice, int], /) -> Any:
        """Give the rows of one column."""

    def __len__(self) -> int:
        """How many rows there are."""


class Scaler(ABC):
    """Scales columns one by one; NaN is passed over in `fit` and stays NaN in `apply`."""

    @classmethod
    @abstractmethod
    def fit(cls, values: Columns, **options: Any) -> Self:
        """Learn from training values, float64 [row, column], each column with at least one value."""

    @abstractmethod
    def apply(self, values: Floats) -> Floats:
        """Scale values, float64 [row, column]; a finite value stays finite."""

    @abstractmethod
    def as_dict(self) -> dict[str, Any]:
        """Give the statistics as JSON holds them: what the class is made from."""


def of_columns(values: Columns, count: int, statistics: Callable[[Floats], Any]) -> Floats:
    """Give so many statistics of each column, float64 [statistic, column], of its values without NaN.

    Column by column, since NumPy's own functions along an axis that pass over NaN are many times slower.
    """

    def of_column(number: int) -> Any:
        if isinstance(values, RawColumns):
            return statistics(values.known(number))
        column = values[:, number]
        known = ~np.isnan(column)
        return statistics(column if known.all() else column[known])

    found = np.empty((count, values.shape[1]))
    for number, figures in enumerate(each(of_column, range(values.shape[1]), rows=len(values))):
        found[:, number] = figures
    return found


def unit_where_zero(scale: Floats, magnitude: Floats) -> Floats:
    """Give a divisor that is 1 where a column doesn't vary beyond rounding.

    Divided by a spread of one rounding error, a new value would come out billions from the training rows.

    Args:
        scale: The measure of spread that is to be divided by.
        magnitude: The largest magnitude in the column, which the rounding goes by.
    """
    return np.where(scale <= 10 * np.finfo(np.float64).eps * magnitude, 1.0, scale)
