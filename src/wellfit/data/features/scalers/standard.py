"""Standard scaling: mean 0 and standard deviation 1."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from wellfit.data.features.scalers.scaler import FARTHEST, Columns, Floats, Scaler, of_columns, unit_where_zero
from wellfit.registry import Entry

__all__ = ["ENTRY", "Standard"]


class Standard(Scaler):
    """``(x - mean) / std`` with the population's standard deviation.

    >>> Standard.fit(np.array([[1.0], [3.0]])).apply(np.array([[1.0], [5.0]])).tolist()
    [[-1.0], [3.0]]
    """

    def __init__(self, mean: Any, scale: Any) -> None:
        self.mean = np.asarray(mean, dtype=np.float64)
        self.scale = np.asarray(scale, dtype=np.float64)

    @classmethod
    def fit(cls, values: Columns, **options: Any) -> Self:
        """Learn means and deviations."""
        mean, deviation, most = of_columns(values, 3, _moments)
        return cls(mean, unit_where_zero(deviation, most))

    def apply(self, values: Floats) -> Floats:
        """Scale values; those absurdly far outside are cut."""
        scaled = values - self.mean
        scaled /= self.scale
        return np.clip(scaled, -FARTHEST, FARTHEST, out=scaled)

    def as_dict(self) -> dict[str, Any]:
        """Give mean and scale of each column."""
        return {"mean": self.mean.tolist(), "scale": self.scale.tolist()}


def _moments(column: Floats) -> tuple[np.float64, np.float64, np.float64]:
    mean = column.mean()
    return mean, column.std(mean=mean), np.maximum(column.max(), -column.min())


ENTRY = Entry(
    name="standard",
    summary="mean 0 and standard deviation 1",
    make=Standard,
    formula="(x - mean) / std",
    reference="scikit-learn StandardScaler",
)
