"""Members to one prediction: how much each counts, and how sure the sum may be, both read off rows no member learned.

Legend: ``chances`` are float64 probabilities ``[member, row, class]``; ``values`` numbers ``[member, row]``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

__all__ = ["blend", "clearly_better", "greedy_weights", "mean_loss", "temperature"]

Array = npt.NDArray[np.float64]

ROUNDS = 40
"""Draws of the greedy selection, so that a weight is a multiple of 1/40; what AutoGluon draws for the same purpose."""
_LEAST = 1e-15
_COLDEST, _HOTTEST = 0.2, 5.0
"""The range of a temperature: outside of it the members are at fault, and no scaling mends them."""


def blend(members: Array, weights: Array) -> Array:
    """Give the weighted mean over the first axis.

    >>> blend(np.array([[0.0, 1.0], [1.0, 1.0]]), np.array([0.75, 0.25])).tolist()
    [0.25, 1.0]
    """
    mixed: Array = np.tensordot(weights, members, axes=1)
    return mixed


def mean_loss(predicted: Array, truth: npt.NDArray[np.generic]) -> float:
    """Give the log loss of probabilities ``[row, class]``, or the mean squared error of numbers ``[row]``.

    >>> round(mean_loss(np.array([[0.5, 0.5]]), np.array([1])), 4), mean_loss(np.array([1.0]), np.array([3.0]))
    (0.6931, 4.0)
    """
    return float(_row_losses(predicted, truth).mean())


def _row_losses(predicted: Array, truth: npt.NDArray[np.generic]) -> Array:
    if predicted.ndim == 1:
        squares: Array = (predicted - truth.astype(np.float64)) ** 2
        return squares
    right = predicted[np.arange(len(truth)), truth.astype(np.int64)]
    return -np.log(np.clip(right, _LEAST, None))


def clearly_better(one: Array, other: Array, truth: npt.NDArray[np.generic]) -> bool:
    """Tell whether one prediction's mean loss is below another's by more than two standard errors of the difference.

    Args:
        one: Probabilities ``[row, class]``, or numbers ``[row]``.
        other: The same of another model, of the same rows.
        truth: Class ids, or numbers, ``[row]``.

    >>> truth = np.array([1.0, 2.0, 3.0])
    >>> clearly_better(truth + 0.1, truth + 1.0, truth), clearly_better(truth, truth + [0.0, 0.0, 9.0], truth)
    (True, False)
    """
    gain = _row_losses(other, truth) - _row_losses(one, truth)
    return bool(gain.mean() > 2 * gain.std() / np.sqrt(len(gain)))


def greedy_weights(members: Array, truth: npt.NDArray[np.generic], rounds: int = ROUNDS) -> Array:
    """Choose members again and again, each time the one that makes the blend's loss smallest.

    Args:
        members: ``chances`` or ``values``, of rows that no member learned from.
        truth: Class ids, or numbers, ``[row]``.
        rounds: How many are chosen.

    Returns:
        The share of each member, float64 ``[member]``, of sum 1; the first blend that no later one is better than.

    Source: Caruana et al. 2004, Ensemble Selection from Libraries of Models (with replacement).

    >>> greedy_weights(np.array([[0.0, 2.0], [2.0, 0.0], [9.0, 9.0]]), np.array([1.0, 1.0]), rounds=2).tolist()
    [0.5, 0.5, 0.0]
    """
    counts, total = np.zeros(len(members)), np.zeros(members.shape[1:])
    best, kept = np.inf, counts
    for drawn in range(1, rounds + 1):
        losses = [mean_loss((total + member) / drawn, truth) for member in members]
        place = int(np.argmin(losses))
        counts, total = counts + (np.arange(len(members)) == place), total + members[place]
        if losses[place] < best:
            best, kept = losses[place], counts
    shares: Array = kept / kept.sum()
    return shares


def temperature(chances: Array, truth: npt.NDArray[np.generic]) -> float:
    """Give the T above 0 for which softmax(log p / T) has the smallest log loss.

    Above 1 the probabilities were too sure of themselves. T orders no class otherwise, so that accuracy stays. To make
    them surer, the right class counts for (n + 1) / (n + 2) of a row and the others for the rest: few rows that are all
    right do not tell that none will ever be wrong. That alone makes nothing less sure.

    Args:
        chances: Probabilities ``[row, class]`` of rows that no member learned from.
        truth: Class ids ``[row]``.

    Source: Guo et al. 2017, On Calibration of Modern Neural Networks; Platt 1999, Probabilistic outputs (the rest).

    >>> sure = np.array([[0.99, 0.01]] * 4)
    >>> temperature(sure, np.array([0, 0, 0, 1])) > 1, temperature(sure, np.array([0, 0, 0, 0])) == 1
    (True, True)
    """
    logs = np.log(np.clip(chances, _LEAST, None))
    asked = _best_heat(logs, truth, doubt=0.0)
    return asked if asked >= 1.0 else min(1.0, _best_heat(logs, truth, doubt=1 / (len(truth) + 2)))


def _best_heat(logs: Array, truth: npt.NDArray[np.generic], doubt: float) -> float:
    """Give the T of the smallest loss, where so much of each row belongs to the other classes; 1 if none is better."""

    def loss(power: float) -> float:
        scaled = logs / np.exp(power)
        scaled -= scaled.max(axis=1, keepdims=True)
        normal = np.log(np.exp(scaled).sum(axis=1))
        right = scaled[np.arange(len(truth)), truth.astype(np.int64)]
        others = (scaled.sum(axis=1) - right) / (logs.shape[1] - 1)
        return float((normal - right + (right - others) * doubt).mean())

    function: Callable[[float], float] = loss
    found = minimize_scalar(function, bounds=(np.log(_COLDEST), np.log(_HOTTEST)), method="bounded")
    # No better than leaving it: not worth a number that someone must understand.
    return float(np.exp(found.x)) if found.fun < loss(0.0) else 1.0
