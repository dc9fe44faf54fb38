"""Mean absolute error."""

from __future__ import annotations

import numpy as np

from wellfit.metrics.metric import Array, MetricEntry, of_values

__all__ = ["ENTRY"]


def mae(target: Array, prediction: Array, weight: Array | None) -> float:
    """Give the mean absolute difference, in the target's units."""
    return float(np.average(np.abs(prediction - target), weights=weight))


ENTRY = MetricEntry(
    name="mae",
    summary="mean absolute error, in the target's units",
    make=lambda: of_values(mae),
    formula="mean(|prediction - target|)",
    reference="sklearn.metrics.mean_absolute_error",
    tasks=frozenset({"regression"}),
    greater_is_better=False,
)
