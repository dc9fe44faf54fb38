"""What every text encoder is: free texts to numbers, by statistics of the training texts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
import polars as pl

__all__ = ["Numbers", "Vectorizer", "inverse_frequency", "unit_rows"]

Numbers = np.ndarray[Any, np.dtype[np.float32]]
Floats = np.ndarray[Any, np.dtype[np.float64]]


class Vectorizer(ABC):
    """Turns texts into numbers that are not scaled further; a missing text has zeros alone."""

    @classmethod
    @abstractmethod
    def fit(cls, series: pl.Series, **options: Any) -> Self:
        """Learn from the training texts."""

    @abstractmethod
    def apply(self, series: pl.Series) -> Numbers:
        """Give the numbers of each text, float32 [row, number]."""

    @abstractmethod
    def names(self, column: str) -> list[str]:
        """Name the numbers."""

    @abstractmethod
    def as_dict(self) -> dict[str, Any]:
        """Give the statistics as JSON holds them: what the class is made from."""


def inverse_frequency(counts: Any) -> Floats:
    """Give ``log((1 + texts) / (1 + texts that have it)) + 1`` of each column of sparse counts."""
    texts = np.bincount(counts.indices, minlength=counts.shape[1])
    return np.asarray(np.log((1 + counts.shape[0]) / (1 + texts)) + 1)


def unit_rows(counts: Any, weight: Floats) -> Any:
    """Weigh the columns of sparse counts and give each row the length 1."""
    from scipy.sparse import diags

    weighed = counts @ diags(weight)
    length = np.sqrt(np.asarray(weighed.multiply(weighed).sum(axis=1)).ravel())
    return diags(1 / np.where(length > 0, length, 1.0)) @ weighed
