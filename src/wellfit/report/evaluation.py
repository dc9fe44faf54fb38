"""How a model errs, as a few hundred numbers: what `evaluation.json` holds and the page draws.

Legend: ``n`` rows, ``k`` classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from wellfit.errors import BadInput
from wellfit.metrics import decided
from wellfit.report.facts import plain

__all__ = ["summarize_predictions"]

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]

CURVE_POINTS = 200
SHOWN_CLASSES = 20
LISTED_CLASSES = 100
SCATTER_ROWS = 800
GRID = 32


def summarize_predictions(
    task: str,
    classes: Sequence[Any],
    target: npt.ArrayLike,
    prediction: npt.ArrayLike,
    *,
    threshold: float | None = None,
) -> dict[str, Any]:
    """Sum up the predictions of one split, with JSON values only.

    ``target`` holds class ids ``(n,)`` in [0, k), or values ``(n,)`` for regression; ``prediction`` holds
    probabilities ``(n, k)``, for binary also those of the second class ``(n,)``, or values ``(n,)``. Rows whose id is
    out of range or whose numbers are not finite are left out and counted in ``rows_left_out``. Another task, or shapes
    that do not fit, are a `BadInput`. ``threshold`` is the probability of the second of two classes from which on it is
    the answer; None: the likelier one.

    >>> summary = summarize_predictions("binary", ["no", "yes"], [0, 1, 1], [0.2, 0.9, 0.4])
    >>> summary["confusion"]["counts"]
    [[1, 0], [1, 1]]
    """
    if task == "regression":
        return _regression(np.asarray(target, dtype=np.float64), np.asarray(prediction, dtype=np.float64))
    if task not in ("binary", "multiclass"):
        raise BadInput("A task is binary, multiclass or regression.", got=task)
    return _classification(
        task, [str(label) for label in classes], np.asarray(target), np.asarray(prediction), threshold
    )


def _classification(
    task: str, labels: list[str], target: npt.NDArray[Any], prediction: npt.NDArray[Any], threshold: float | None
) -> dict[str, Any]:
    probability = prediction.astype(np.float64)
    if probability.ndim == 1 and len(labels) == 2:
        probability = np.column_stack([1.0 - probability, probability])
    if probability.shape != (len(target), len(labels)):
        raise BadInput("Probabilities are one row a target and one column a class.", got=probability.shape)
    good = np.isfinite(probability).all(axis=1) & (target >= 0) & (target < len(labels))
    ids, probability = target[good].astype(np.int64), probability[good]
    counts = np.bincount(ids, minlength=len(labels))
    summary = {"task": task, "rows": len(ids), "rows_left_out": int((~good).sum()), "classes": labels[:LISTED_CLASSES]}
    if len(ids) == 0:
        return summary
    summary["class_counts"] = counts[:LISTED_CLASSES]
    answer = decided(probability, threshold)
    summary["confusion"] = _confusion(labels, counts, ids, answer)
    if task == "binary":
        summary |= _ranking(ids, probability[:, 1])
        summary["calibration"] = _calibration(probability[:, 1], ids == 1)
    else:
        summary["per_class"] = _per_class(labels, counts, ids, answer)
        summary["calibration"] = _calibration(probability.max(axis=1), answer == ids)
    result: dict[str, Any] = plain(summary)
    return result


def _confusion(labels: list[str], counts: Ids, ids: Ids, answer: Ids) -> dict[str, Any]:
    """Count truth (rows) against answer (columns); beyond the most frequent classes, the rest is one class."""
    kept = np.arange(len(labels))
    if len(labels) > SHOWN_CLASSES:
        kept = np.sort(np.argsort(-counts, kind="stable")[:SHOWN_CLASSES])
    place = np.full(len(labels), len(kept))
    place[kept] = np.arange(len(kept))
    names = [labels[row] for row in kept] + (["all others"] if len(kept) < len(labels) else [])
    size = len(names)
    cells = np.bincount(place[ids] * size + place[answer], minlength=size * size).reshape(size, size)
    return {"labels": names, "counts": cells}


def _per_class(labels: list[str], counts: Ids, ids: Ids, answer: Ids) -> list[dict[str, Any]]:
    answered = np.bincount(answer, minlength=len(labels))
    right = np.bincount(ids[ids == answer], minlength=len(labels))
    order = np.argsort(-counts, kind="stable")[:LISTED_CLASSES]
    return [
        {
            "class": labels[row],
            "rows": counts[row],
            "recall": _rounded(right[row] / counts[row]) if counts[row] else None,
            "precision": _rounded(right[row] / answered[row]) if answered[row] else None,
        }
        for row in order
    ]


def _ranking(ids: Ids, score: Floats) -> dict[str, Any]:
    """Give the ROC and the precision-recall curve; both are None where one class is missing."""
    positives = int(ids.sum())
    if positives in (0, len(ids)):
        return {"roc": None, "precision_recall": None}
    order = np.argsort(-score, kind="stable")
    last_of_tie = np.append(np.flatnonzero(np.diff(score[order])), len(ids) - 1)
    hits = np.cumsum(ids[order])[last_of_tie]
    taken = last_of_tie + 1
    recall, precision = hits / positives, hits / taken
    false_rate = (taken - hits) / (len(ids) - positives)
    x, y = np.append(0.0, false_rate), np.append(0.0, recall)
    kept, own = _thinned(len(x)), _thinned(len(recall))
    return {
        "roc": {
            "false_positive_rate": _rounded(x[kept]),
            "true_positive_rate": _rounded(y[kept]),
            "area": _rounded(np.trapezoid(y, x)),
        },
        "precision_recall": {
            "recall": _rounded(recall[own]),
            "precision": _rounded(precision[own]),
            "average_precision": _rounded(np.sum(np.diff(recall, prepend=0.0) * precision)),
        },
    }


def _calibration(stated: Floats, came_true: npt.NDArray[np.bool_], bins: int = 10) -> list[dict[str, Any]]:
    """Compare stated probabilities with the share that came true, in bins of equal width."""
    place = np.minimum((stated * bins).astype(np.int64), bins - 1)
    return [
        {"stated": _rounded(stated[own].mean()), "observed": _rounded(came_true[own].mean()), "rows": int(own.sum())}
        for bin_ in range(bins)
        if (own := place == bin_).any()
    ]


def _regression(actual: Floats, predicted: Floats) -> dict[str, Any]:
    if predicted.ndim == 2 and predicted.shape[1] == 1:
        predicted = predicted[:, 0]
    if actual.ndim != 1 or actual.shape != predicted.shape:
        raise BadInput("Predicted values are one a target.", got=predicted.shape)
    good = np.isfinite(actual) & np.isfinite(predicted)
    actual, predicted = actual[good], predicted[good]
    summary: dict[str, Any] = {"task": "regression", "rows": len(actual), "rows_left_out": int((~good).sum())}
    if len(actual) == 0:
        return summary
    summary |= _scatter(actual, predicted) if len(actual) <= SCATTER_ROWS else _grid(actual, predicted)
    summary["residuals"] = _residuals(predicted - actual)
    summary["deciles"] = _deciles(actual, predicted)
    result: dict[str, Any] = plain(summary)
    return result


def _scatter(actual: Floats, predicted: Floats) -> dict[str, Any]:
    return {"points": {"actual": _rounded(actual), "predicted": _rounded(predicted)}}


def _grid(actual: Floats, predicted: Floats) -> dict[str, Any]:
    """Count rows in square cells over the middle 99 % of both; the few rows beyond are counted apart."""
    edges = _edges(np.concatenate([actual, predicted]), GRID)
    cells = np.histogram2d(actual, predicted, bins=[edges, edges])[0].astype(np.int64)
    row, column = np.nonzero(cells)
    held = {"edges": _rounded(edges), "actual": row, "predicted": column, "rows": cells[row, column]}
    return {"grid": held | {"beyond": int(len(actual) - cells.sum())}}


def _residuals(residual: Floats) -> dict[str, Any]:
    edges = _edges(residual, 30)
    counts = np.histogram(residual, bins=edges)[0]
    return {
        "edges": _rounded(edges),
        "counts": counts,
        "beyond": int(len(residual) - counts.sum()),
        "mean": _rounded(residual.mean()),
        "median_absolute": _rounded(np.median(np.abs(residual))),
    }


def _deciles(actual: Floats, predicted: Floats) -> list[dict[str, Any]]:
    """Give the error by tenths of the rows, sorted by the actual value."""
    groups = np.array_split(np.argsort(actual, kind="stable"), min(10, len(actual)))
    return [
        {
            "from": _rounded(actual[own].min()),
            "to": _rounded(actual[own].max()),
            "rows": len(own),
            "mae": _rounded(np.abs(predicted[own] - actual[own]).mean()),
            "bias": _rounded((predicted[own] - actual[own]).mean()),
        }
        for own in groups
    ]


def _edges(values: Floats, bins: int) -> Floats:
    low, high = np.quantile(values, [0.005, 0.995]) if len(values) > 200 else (values.min(), values.max())
    if low == high:
        low, high = low - max(abs(low), 1.0) / 2, high + max(abs(high), 1.0) / 2
    return np.linspace(low, high, bins + 1)


def _thinned(count: int) -> Ids:
    return np.unique(np.linspace(0, count - 1, min(count, CURVE_POINTS)).round().astype(np.int64))


def _rounded(values: Any) -> Any:
    """Keep six significant digits: the page and the file stay small."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0:
        return float(f"{array:.6g}")
    return [float(f"{value:.6g}") for value in array]
