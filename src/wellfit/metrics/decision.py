"""From the probabilities of two classes to a class: the threshold, and how one is found that suits a metric."""

from __future__ import annotations

import numpy as np

from wellfit.metrics.metric import Array, Score

__all__ = ["best_threshold", "decided"]

_CANDIDATES = 500
"""Thresholds that are tried at the most: quantiles of the probabilities, between which hardly a row changes sides."""


def decided(probabilities: Array, threshold: float | None = None) -> Array:
    """Give class ids, int64 [row], of probabilities [row, class].

    Args:
        probabilities: Of each class.
        threshold: Of two classes, the probability of the second from which on it is the answer; None: the likeliest.

    >>> decided(np.array([[0.7, 0.3], [0.2, 0.8]]), 0.25).tolist()
    [1, 1]
    """
    answer: Array = probabilities.argmax(axis=1) if threshold is None else probabilities[:, 1] >= threshold
    return answer.astype(np.int64)


def best_threshold(score: Score, target: Array, probabilities: Array) -> float:
    """Find the threshold of two classes that makes a metric of answers greatest, on rows that were not learned.

    Half-way between two probabilities that occur; of equals the one nearest to a half.

    Args:
        score: A metric of answers, such as f1, of which more is better.
        target: Class ids [row].
        probabilities: Of both classes [row, class].

    >>> from wellfit.metrics import METRICS
    >>> chances = np.array([0.1, 0.2, 0.3, 0.4])
    >>> both = np.stack([1 - chances, chances], axis=1)
    >>> round(best_threshold(METRICS["f1"].make(), np.array([0, 0, 1, 1]), both), 3)
    0.25
    """
    seen = np.unique(np.quantile(probabilities[:, 1], np.linspace(0, 1, _CANDIDATES), method="nearest"))
    between = [*((seen[1:] + seen[:-1]) / 2), 0.5]
    eye = np.eye(2)
    figures = [score(target, eye[decided(probabilities, threshold)]) for threshold in between]
    figures = [figure if np.isfinite(figure) else -np.inf for figure in figures]
    best = max(figures)
    return float(
        min((t for t, figure in zip(between, figures, strict=True) if figure == best), key=lambda t: abs(t - 0.5))
    )
