"""Area under the receiver operating characteristic."""

from __future__ import annotations

import math

import numpy as np

from wellfit.metrics.metric import Array, MetricEntry, of_classes

__all__ = ["ENTRY"]


def auc(target: Array, probabilities: Array, weight: Array | None) -> float:
    """Give the area for class 1, or for several classes the plain mean of each class against the rest.

    The mean is over the classes that stand in the target. A label never seen in training is one of the rest.
    """
    classes = [1] if probabilities.shape[1] == 2 else range(probabilities.shape[1])
    areas = [_area(target == number, probabilities[:, number], weight) for number in classes]
    defined = [area for area in areas if not math.isnan(area)]
    return float(np.mean(defined)) if defined else math.nan


def _area(positive: Array, score: Array, weight: Array | None) -> float:
    """Give the area of one class against the rest; nan where either side has no rows that count."""
    from sklearn.metrics import roc_auc_score

    if weight is not None:
        counts = weight > 0
        positive, score, weight = positive[counts], score[counts], weight[counts]
    if positive.all() or not positive.any():
        return math.nan
    return float(roc_auc_score(positive, score, sample_weight=weight))


ENTRY = MetricEntry(
    name="auc",
    summary="probability that a row of the class is ranked above one of the rest",
    make=lambda: of_classes(auc),
    formula="P(p(positive row) > p(negative row)), ties 1/2; several classes: the mean over one-vs-rest",
    reference="Hanley & McNeil 1982; sklearn.metrics.roc_auc_score(multi_class='ovr', average='macro')",
    tasks=frozenset({"binary", "multiclass"}),
    greater_is_better=True,
)
