"""The coefficient of determination."""

from __future__ import annotations

import math

import numpy as np

from wellfit.metrics.metric import Array, MetricEntry, of_values

__all__ = ["ENTRY"]


def r2(target: Array, prediction: Array, weight: Array | None) -> float:
    """Give the share of the target's variance that is explained; undefined for a constant target."""
    if np.ptp(target if weight is None else target[weight > 0]) == 0:
        return math.nan
    unexplained = np.average((prediction - target) ** 2, weights=weight)
    spread = np.average((target - np.average(target, weights=weight)) ** 2, weights=weight)
    return float(1 - unexplained / spread)


ENTRY = MetricEntry(
    name="r2",
    summary="share of the target's variance that is explained",
    make=lambda: of_values(r2),
    formula="1 - sum((prediction - target)^2) / sum((target - mean)^2)",
    reference="Wright, Correlation and causation, 1921; sklearn.metrics.r2_score",
    tasks=frozenset({"regression"}),
    greater_is_better=True,
)
