"""Robust scaling with a smooth clip: outliers keep their order and lose their weight."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from wellfit.data.features.scalers.scaler import Floats, Scaler, unit_where_zero
from wellfit.registry import Entry

__all__ = ["ENTRY", "Robust"]


class Robust(Scaler):
    """``z / sqrt(1 + (z / 3)^2)`` of ``z = (x - median) / (quartile3 - quartile1)``.

    Where the quartiles are equal, as for amounts that are mostly zero, half the range takes their difference's place:
    scikit-learn leaves such a column unscaled, and the clip would make a mere flag of it.

    >>> Robust.fit(np.array([[0.0], [1.0], [2.0]])).apply(np.array([[1.0], [1e9]])).round(3).tolist()
    [[0.0], [3.0]]
    """

    def __init__(self, median: Any, scale: Any) -> None:
        self.median = np.asarray(median, dtype=np.float64)
        self.scale = np.asarray(scale, dtype=np.float64)

    @classmethod
    def fit(cls, values: Floats) -> Self:
        """Learn medians and quartiles."""
        low, median, high = (np.nanpercentile(values, share, axis=0) for share in (25, 50, 75))
        half = (np.nanmax(values, axis=0) - np.nanmin(values, axis=0)) / 2
        magnitude = np.maximum(1.0, np.nanmax(np.abs(values), axis=0))
        return cls(median, unit_where_zero(np.where(high > low, high - low, half), magnitude))

    def apply(self, values: Floats) -> Floats:
        """Scale values into (-3, 3)."""
        scaled = np.clip((values - self.median) / self.scale, -1e100, 1e100)
        return scaled / np.sqrt(1 + (scaled / 3) ** 2)

    def as_dict(self) -> dict[str, Any]:
        """Give median and scale of each column."""
        return {"median": self.median.tolist(), "scale": self.scale.tolist()}


ENTRY = Entry(
    name="robust",
    summary="median 0 and quartile distance 1, outliers drawn in smoothly to at most 3",
    make=Robust,
    formula="z / sqrt(1 + (z / 3)^2),  z = (x - median) / (q3 - q1)",
    reference="scikit-learn RobustScaler; Holzmüller et al. 2024 (RealMLP)",
)
