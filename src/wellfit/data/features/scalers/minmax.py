"""Min-max scaling: the training values lie in [0, 1]."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from wellfit.data.features.scalers.scaler import FARTHEST, Columns, Floats, Scaler, of_columns, unit_where_zero
from wellfit.registry import Entry

__all__ = ["ENTRY", "MinMax"]


class MinMax(Scaler):
    """``(x - min) / (max - min)``.

    >>> MinMax.fit(np.array([[1.0], [3.0]])).apply(np.array([[2.0], [5.0]])).tolist()
    [[0.5], [2.0]]
    """

    def __init__(self, low: Any, scale: Any) -> None:
        self.low = np.asarray(low, dtype=np.float64)
        self.scale = np.asarray(scale, dtype=np.float64)

    @classmethod
    def fit(cls, values: Columns, **options: Any) -> Self:
        """Learn the ranges."""
        low, high = of_columns(values, 2, lambda column: (column.min(), column.max()))
        magnitude = np.maximum(1.0, np.maximum(np.abs(low), np.abs(high)))
        return cls(low, unit_where_zero(high - low, magnitude))

    def apply(self, values: Floats) -> Floats:
        """Scale values; those outside the training range lie outside [0, 1], absurd ones are cut."""
        return np.clip((values - self.low) / self.scale, -FARTHEST, FARTHEST)

    def as_dict(self) -> dict[str, Any]:
        """Give minimum and range of each column."""
        return {"low": self.low.tolist(), "scale": self.scale.tolist()}


ENTRY = Entry(
    name="minmax",
    summary="the training values lie in [0, 1]",
    make=MinMax,
    formula="(x - min) / (max - min)",
    reference="scikit-learn MinMaxScaler",
)
