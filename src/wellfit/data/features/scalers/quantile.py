"""Quantile scaling: the training values are spread as a normal distribution."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from wellfit.data.features.scalers.scaler import Columns, Floats, Scaler, of_columns
from wellfit.registry import Entry, Option

__all__ = ["ENTRY", "Quantile", "quantile_count"]

FEWEST, MOST, ROWS_EACH = 10, 1000, 30
EDGE = 1e-7
"""Shares closer to 0 or 1 are cut, so that the ends of the range stay finite."""


def quantile_count(rows: int, asked: int | None = None) -> int:
    """Give the number of quantiles for so many rows: as asked, or a 30th, from 10 to 1000; at most the rows."""
    wanted = max(FEWEST, min(MOST, rows // ROWS_EACH)) if asked is None else asked
    return max(1, min(wanted, rows))


class Quantile(Scaler):
    """``probit(F(x))``, or ``F(x)`` itself, with the training rows' distribution function F, linear between quantiles.

    >>> Quantile.fit(np.arange(101.0)[:, None]).apply(np.array([[50.0], [1e9]])).round(3).tolist()
    [[0.0], [5.199]]
    """

    def __init__(self, quantiles: Any, output: str = "normal") -> None:
        self.quantiles = np.asarray(quantiles, dtype=np.float64)
        """float64 [column, quantile]"""
        self.output = output
        self._shares = np.linspace(0, 1, self.quantiles.shape[-1])

    @classmethod
    def fit(cls, values: Columns, **options: Any) -> Self:
        """Learn the quantiles of all rows."""
        shares = np.linspace(0, 1, quantile_count(len(values), options.get("quantiles")))
        quantiles = of_columns(values, len(shares), lambda column: _quantiles(np.sort(column), shares))
        return cls(quantiles.T, options.get("output", "normal"))

    def apply(self, values: Floats) -> Floats:
        """Scale values into [-5.2, 5.2] or [0, 1]; those outside the training range lie at its ends."""
        from scipy.special import ndtri

        edge = EDGE - np.spacing(1)
        scaled = np.empty_like(values)
        for column, quantiles in enumerate(self.quantiles):
            # Neighbours in order lie between the same quantiles: to sort takes less than to search for each anew.
            order = np.argsort(values[:, column])
            shares = self._share(values[order, column], quantiles)
            if self.output == "normal":
                shares = np.clip(ndtri(shares), ndtri(edge), ndtri(1 - edge))
            scaled[order, column] = shares
        return scaled

    def _share(self, values: Floats, quantiles: Floats) -> Floats:
        """Give the share of training rows below each value: the mean of both ends where many rows are equal.

        Args:
            values: In ascending order, which makes it quick.
            quantiles: Of one column.
        """
        upper = np.interp(values, quantiles, self._shares)
        lower = np.interp(-values, -quantiles[::-1], -self._shares[::-1])
        share = 0.5 * (upper - lower)
        share = np.where(values + EDGE > quantiles[-1], 1.0, share)
        return np.where(values - EDGE < quantiles[0], 0.0, share)

    def as_dict(self) -> dict[str, Any]:
        """Give the quantiles of each column, and the distribution."""
        return {"quantiles": self.quantiles.tolist(), "output": self.output}


def _quantiles(ranked: Floats, shares: Floats) -> Floats:
    """Give what ``np.percentile`` gives, which would partition anew what is sorted."""
    # Percent and back: so the places are those of ``np.percentile`` to the last bit.
    places = (len(ranked) - 1) * (shares * 100 / 100)
    below = np.floor(places).astype(np.int64)
    low, high = ranked[below], ranked[np.minimum(below + 1, len(ranked) - 1)]
    weight, step = places - below, high - low
    found: Floats = np.where(weight < 0.5, low + step * weight, high - step * (1 - weight))
    return found


ENTRY = Entry(
    name="quantile",
    summary="spread as a normal distribution, by quantiles of the training rows",
    make=Quantile,
    options=(
        Option(
            name="quantiles",
            default=None,
            kind="int",
            low=2,
            high=10_000,
            optional=True,
            help="how many quantiles; null: one for 30 rows, from 10 to 1000",
            example=1000,
        ),
        Option(name="output", default="normal", kind="str", choices=("normal", "uniform"), help="the distribution"),
    ),
    formula="probit(F(x)),  F of max(10, min(1000, rows / 30)) quantiles",
    reference="scikit-learn QuantileTransformer; Gorishniy et al. 2025 (TabM)",
)
