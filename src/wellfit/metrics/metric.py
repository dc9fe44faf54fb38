"""What every metric is: a figure of a target and its predictions, in float64, that is nan where it is undefined.

Shapes: classification takes class ids [row] and probabilities [row, class] (two columns for binary); regression takes
values [row] and values [row]. Ids outside 0 to C - 1 are labels never seen in training: no prediction can be right.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from wellfit.errors import DataError
from wellfit.registry import Entry

__all__ = ["Array", "MetricEntry", "Score", "of_classes", "of_values"]

Array = npt.NDArray[Any]
Score = Callable[..., float]
"""``score(target, prediction, weight=None) -> float``, nan where undefined."""


@dataclass(frozen=True, kw_only=True)
class MetricEntry(Entry):
    """A metric as data: ``make()`` gives ``score(target, prediction, weight=None) -> float``."""

    tasks: frozenset[str]
    """Which of binary, multiclass and regression it judges."""
    greater_is_better: bool
    of_answers: bool = False
    """Whether it judges the class that is answered, and not how probable each is."""


def of_classes(figure: Callable[[Array, Array, Array | None], float]) -> Score:
    """Guard a figure of class ids, int64 [row], and probabilities, float64 [row, class]."""

    def score(target: Any, prediction: Any, weight: Any = None) -> float:
        ids = _column(target, "target").astype(np.int64)
        probabilities = np.asarray(prediction, dtype=np.float64)
        if probabilities.ndim != 2 or probabilities.shape[1] < 2:
            do = "Binary tasks have two columns."
            raise DataError("Probabilities must be (row, class).", got=probabilities.shape, do=do)
        return _guarded(figure, ids, probabilities, weight)

    return score


def of_values(figure: Callable[[Array, Array, Array | None], float]) -> Score:
    """Guard a figure of values, float64 [row] and [row]."""

    def score(target: Any, prediction: Any, weight: Any = None) -> float:
        values = _column(target, "target").astype(np.float64)
        predicted = _column(prediction, "prediction").astype(np.float64)
        if not np.isfinite(values).all():
            return math.nan
        return _guarded(figure, values, predicted, weight)

    return score


def _guarded(figure: Callable[..., float], target: Array, prediction: Array, weight: Any) -> float:
    """Give the figure; nan for no rows, predictions that are not finite, no weight, or an undefined figure."""
    if len(target) != len(prediction):
        do = "Give one prediction for each row of the target."
        raise DataError("Target and prediction must be of one length.", got=(len(target), len(prediction)), do=do)
    weights = None if weight is None else _weights(weight, len(target))
    if len(target) == 0 or not np.isfinite(prediction).all() or (weights is not None and not weights.sum() > 0):
        return math.nan
    with np.errstate(all="ignore"):
        result = float(figure(target, prediction, weights))
    return result if math.isfinite(result) else math.nan


def _column(values: Any, what: str) -> Array:
    """Give [row] or [row, 1] as [row]."""
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise DataError(f"The {what} must be one value a row.", got=array.shape, do="Give one column.")
    return array


def _weights(weight: Any, rows: int) -> Array:
    weights = _column(weight, "weight").astype(np.float64)
    if len(weights) != rows or not np.isfinite(weights).all() or (weights < 0).any():
        rule = "Row weights must be one finite number a row, 0 or more."
        raise DataError(rule, got=weights, do=f"Give {rows} numbers.")
    return weights
