"""What curves over single columns leave of the target, and what the means of groups leave of that.

Legend: ``n`` rows, ``o`` outputs, ``z`` columns of numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wellfit.data.features.crosses.values import Codes, Floats

__all__ = ["GroupMeans", "left_by_curves", "spread_out", "unexplained"]

PRIOR = 20.0
"""For how many rows of no effect each step of a curve has."""
ROUNDS = 3
RIDGE = 1e-3
"""What is added to the numbers' variances, as a share of them: of numbers that say the same, none grows huge."""
TINY = 1e-9
"""What is added where no number varies."""
FARTHEST = 3.0
"""Deviations at which a number is cut."""


def left_by_curves(steps: Sequence[Codes], wanted: Floats) -> Floats:
    """Give what an additive model leaves of the target, float64 [n, o]: a mean for each step of each column.

    Backfitting (Hastie and Tibshirani 1986), each mean drawn to 0.

    Args:
        steps: The step of each row in each column, int64 [n].
        wanted: Float64 [n, o].

    >>> steps = [np.array([0, 0, 1, 1] * 100), np.array([0, 1, 0, 1] * 100)]
    >>> wanted = np.array([[0.0], [1.0], [2.0], [3.0]] * 100)
    >>> float(np.abs(left_by_curves(steps, wanted)).max()) < 0.2
    True
    """
    left: Floats = wanted - wanted.mean(axis=0)
    effects = [np.zeros_like(left) for _ in steps]
    rows = [np.bincount(its) for its in steps]
    for _ in range(ROUNDS):
        for place, its in enumerate(steps):
            left += effects[place]
            effects[place] = (_sums(its, left, len(rows[place])) / (rows[place] + PRIOR)[:, None])[its]
            left -= effects[place]
    return left


def unexplained(wanted: Floats, told: Floats) -> Floats:
    """Give what a linear model of several forecasts, [n, z], leaves of the target, float64 [n, o]."""
    wanted, told = wanted - wanted.mean(axis=0), told - told.mean(axis=0)
    return np.asarray(wanted - told @ np.linalg.lstsq(told, wanted, rcond=None)[0])


def spread_out(numbers: Sequence[Floats], foretold: Floats) -> Floats:
    """Give each number's deviations and ranks beside what curves foretell, float64 [n, z], centred."""
    columns = [foretold]
    for its in numbers:
        spread = its.std() or 1.0
        ranks = np.argsort(np.argsort(its, kind="stable"), kind="stable") / len(its)
        columns.append(np.column_stack([np.clip((its - np.median(its)) / spread, -FARTHEST, FARTHEST), ranks]))
    together = np.concatenate(columns, axis=1)
    return np.asarray((together - together.mean(axis=0)) / np.maximum(together.std(axis=0), 1e-12))


class GroupMeans:
    """The means of groups of rows, each row's own left out, drawn towards that of all."""

    def __init__(self, groups: Codes, prior: float) -> None:
        """Take the group of each row, int64 [n]; those of group 0 belong to none."""
        self.groups, self.prior = groups, prior
        self.rows = np.bincount(groups)

    @classmethod
    def of_all(cls, rows: int) -> GroupMeans:
        """Give rows that belong to no group."""
        return cls(np.zeros(rows, dtype=np.int64), 0.0)

    def of_others(self, values: Floats) -> Floats:
        """Give for each row the mean of the others of its group, float64 [n, o]."""
        mean = values.mean(axis=0)
        sums = _sums(self.groups, values, len(self.rows))[self.groups] - values + self.prior * mean
        means = sums / np.maximum(self.rows[self.groups] - 1 + self.prior, 1e-12)[:, None]
        means[self.groups == 0] = mean
        return np.asarray(means)

    def without(self, left: Floats, numbers: Floats) -> Floats:
        """Give what is left where groups have means of their own, and numbers, [n, z], slopes within them."""
        rest = left - self.of_others(left)
        if not numbers.shape[1]:
            return rest
        within = numbers - self.of_others(numbers)
        square = within.T @ within
        square += max(RIDGE * np.trace(square) / len(square), TINY) * np.eye(len(square))
        return np.asarray(rest - within @ np.linalg.solve(square, within.T @ rest))


def _sums(groups: Codes, values: Floats, size: int) -> Any:
    """Sum the values of each group, float64 [group, o]."""
    return np.stack([np.bincount(groups, column, size) for column in values.T], axis=1)
