"""The F1 score."""

from __future__ import annotations

import numpy as np

from wellfit.metrics.metric import Array, MetricEntry, of_classes

__all__ = ["ENTRY"]


def f1(target: Array, probabilities: Array, weight: Array | None) -> float:
    """Give the score of class 1, or for several classes the plain mean over those in the target or the predictions.

    A class that is neither there nor predicted has no score. A label never seen in training is a false alarm of the
    class predicted for it.
    """
    from sklearn.metrics import f1_score

    n_classes = probabilities.shape[1]
    classes = [1] if n_classes == 2 else list(range(n_classes))
    scores = f1_score(
        target, probabilities.argmax(1), labels=classes, average=None, zero_division=np.nan, sample_weight=weight
    )
    defined = scores[~np.isnan(scores)]
    return float(defined.mean()) if len(defined) else float("nan")


ENTRY = MetricEntry(
    name="f1",
    summary="harmonic mean of precision and recall of class 1, or the mean over the classes",
    make=lambda: of_classes(f1),
    formula="2 TP / (2 TP + FP + FN)",
    reference="van Rijsbergen 1979; sklearn.metrics.f1_score(average='binary' | 'macro')",
    tasks=frozenset({"binary", "multiclass"}),
    greater_is_better=True,
    of_answers=True,
)
