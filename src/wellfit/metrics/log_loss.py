"""Log loss: the mean surprise at the right class."""

from __future__ import annotations

import numpy as np

from wellfit.metrics.metric import Array, MetricEntry, of_classes

__all__ = ["ENTRY"]

EPSILON = float(np.finfo(np.float64).eps)


def log_loss(target: Array, probabilities: Array, weight: Array | None) -> float:
    """Give the mean of ``-log p`` of the right class, ``p`` held within [eps, 1 - eps].

    Rows are scaled to sum to 1 first. A label never seen in training has the probability eps.
    """
    known = (target >= 0) & (target < probabilities.shape[1])
    own = probabilities[np.arange(len(target)), np.where(known, target, 0)] / probabilities.sum(1)
    own = np.where(known, own, EPSILON)
    return float(np.average(-np.log(own.clip(EPSILON, 1 - EPSILON)), weights=weight))


ENTRY = MetricEntry(
    name="log_loss",
    summary="mean surprise at the right class, in nats",
    make=lambda: of_classes(log_loss),
    formula="mean(-log p_target), p within [eps, 1 - eps], eps = 2.2e-16",
    reference="Good, Rational decisions, 1952; sklearn.metrics.log_loss",
    tasks=frozenset({"binary", "multiclass"}),
    greater_is_better=False,
)
