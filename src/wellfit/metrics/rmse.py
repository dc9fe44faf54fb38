"""Root mean squared error."""

from __future__ import annotations

import numpy as np

from wellfit.metrics.metric import Array, MetricEntry, of_values

__all__ = ["ENTRY"]


def rmse(target: Array, prediction: Array, weight: Array | None) -> float:
    """Give the root of the mean squared difference, in the target's units."""
    return float(np.sqrt(np.average((prediction - target) ** 2, weights=weight)))


ENTRY = MetricEntry(
    name="rmse",
    summary="root of the mean squared error, in the target's units",
    make=lambda: of_values(rmse),
    formula="sqrt(mean((prediction - target)^2))",
    reference="sklearn.metrics.root_mean_squared_error",
    tasks=frozenset({"regression"}),
    greater_is_better=False,
)
