"""Accuracy."""

from __future__ import annotations

import numpy as np

from wellfit.metrics.metric import Array, MetricEntry, of_classes

__all__ = ["ENTRY"]


def accuracy(target: Array, probabilities: Array, weight: Array | None) -> float:
    """Give the share of rows whose likeliest class is the right one; a label never seen counts as wrong."""
    return float(np.average(probabilities.argmax(1) == target, weights=weight))


ENTRY = MetricEntry(
    name="accuracy",
    summary="share of rows whose likeliest class is right",
    make=lambda: of_classes(accuracy),
    formula="mean(argmax_c p_c = target)",
    reference="sklearn.metrics.accuracy_score",
    tasks=frozenset({"binary", "multiclass"}),
    greater_is_better=True,
    of_answers=True,
)
