"""Robust scaling with a smooth clip: outliers keep their order and lose their weight."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from wellfit.data.features.scalers.scaler import FARTHEST, Columns, Floats, Scaler, of_columns, unit_where_zero
from wellfit.data.order_statistics import quantiles
from wellfit.registry import Entry, Option

__all__ = ["ENTRY", "Robust"]


class Robust(Scaler):
    """``z / sqrt(1 + (z / clip)^2)`` of ``z = (x - median) / (quartile3 - quartile1)``; ``z`` itself without a clip.

    Where the quartiles are equal, as for amounts that are mostly zero, half the range takes their difference's place:
    scikit-learn leaves such a column unscaled, and the clip would make a mere flag of it.

    >>> Robust.fit(np.array([[0.0], [1.0], [2.0]])).apply(np.array([[1.0], [1e9]])).round(3).tolist()
    [[0.0], [3.0]]
    """

    def __init__(self, median: Any, scale: Any, clip: float | None = 3.0) -> None:
        self.median = np.asarray(median, dtype=np.float64)
        self.scale = np.asarray(scale, dtype=np.float64)
        self.clip = clip

    @classmethod
    def fit(cls, values: Columns, **options: Any) -> Self:
        """Learn medians and quartiles."""
        least, low, median, high, most = of_columns(
            values, 5, lambda column: quantiles(column, [0.0, 0.25, 0.5, 0.75, 1.0])
        )
        half = (most - least) / 2
        magnitude = np.maximum(1.0, np.maximum(np.abs(least), np.abs(most)))
        return cls(median, unit_where_zero(np.where(high > low, high - low, half), magnitude), **options)

    def apply(self, values: Floats) -> Floats:
        """Scale values into (-clip, clip); without a clip, absurd ones are cut."""
        farthest = FARTHEST if self.clip is None else 1e100
        scaled = np.clip((values - self.median) / self.scale, -farthest, farthest)
        return scaled if self.clip is None else scaled / np.sqrt(1 + (scaled / self.clip) ** 2)

    def as_dict(self) -> dict[str, Any]:
        """Give median and scale of each column, and the clip."""
        return {"median": self.median.tolist(), "scale": self.scale.tolist(), "clip": self.clip}


ENTRY = Entry(
    name="robust",
    summary="median 0 and quartile distance 1, outliers drawn in smoothly to at most 3",
    make=Robust,
    options=(
        Option(
            name="clip",
            default=3.0,
            low=0.0,
            low_open=True,
            high=1e6,
            optional=True,
            help="the size that scaled values stay below; null: they are not drawn in",
        ),
    ),
    formula="z / sqrt(1 + (z / clip)^2),  z = (x - median) / (q3 - q1)",
    reference="scikit-learn RobustScaler; Holzmüller et al. 2024 (RealMLP)",
)
