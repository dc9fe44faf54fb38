"""Metrics: what a trained network is judged by. One file each; `METRICS` looks them up by name."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wellfit.errors import ConfigError, did_you_mean
from wellfit.metrics import accuracy, auc, f1, log_loss, mae, r2, rmse
from wellfit.metrics.decision import best_threshold, decided
from wellfit.metrics.metric import MetricEntry, Score
from wellfit.registry import Family

__all__ = ["METRICS", "MetricEntry", "Score", "all_scores", "best_threshold", "decided", "default_metric"]

METRICS: Family[MetricEntry] = Family(
    "metrics",
    "metric",
    [accuracy.ENTRY, log_loss.ENTRY, auc.ENTRY, f1.ENTRY, rmse.ENTRY, mae.ENTRY, r2.ENTRY],
)

_DEFAULTS = {"binary": "log_loss", "multiclass": "log_loss", "regression": "rmse"}


def default_metric(task: str) -> str:
    """Name the metric that early stopping watches unless told otherwise.

    >>> default_metric("regression")
    'rmse'
    """
    if task not in _DEFAULTS:
        raise ConfigError("There is no such task.", got=task, do=did_you_mean(task, _DEFAULTS))
    return _DEFAULTS[task]


def all_scores(
    task: str, target: Any, prediction: Any, weight: Any = None, *, threshold: float | None = None
) -> dict[str, float | None]:
    """Give every metric of a task by name, None where it is undefined, as ``metrics.json`` holds them.

    ``threshold`` decides between two classes; see `decided`.

    >>> all_scores("regression", [1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    {'rmse': 0.0, 'mae': 0.0, 'r2': 1.0}
    """
    default_metric(task)
    scores: dict[str, float | None] = {}
    for name, entry in METRICS.items():
        if task in entry.tasks:
            answered = entry.of_answers and threshold is not None
            said = np.eye(2)[decided(np.asarray(prediction), threshold)] if answered else prediction
            value = entry.make()(target, said, weight)
            scores[name] = None if math.isnan(value) else value
    return scores
