"""Figures of predictions with 95 % intervals, by the Bayesian bootstrap over blocks of rows.

Legend: ``draws`` is [1 + resample]: the figure itself, then the figure of every resample. ``guess`` and truth are class
ids, int64 [row], or values, float64 [row, column].
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["BLOCKS", "Draws", "Sample", "interval"]

Array = npt.NDArray[Any]
Draws = npt.NDArray[np.float64]

RESAMPLES = 500
"""Enough for the ends of a 95 % interval: the 12 lowest and the 12 highest lie outside."""
BLOCKS = 32
"""Rows are summed in blocks once, and blocks are reweighted: a resample costs 32 products, not one a row, and losses
are asked 32 times. An interval of 32 blocks is 4 % too narrow (Student's t at 31 degrees of freedom)."""


def interval(draws: Draws) -> list[float | None]:
    """Give a figure and the ends of its 95 % interval, as JSON holds them; None where it is not finite."""
    ends = np.quantile(draws[1:], (0.025, 0.975)) if np.isfinite(draws).all() else (np.nan, np.nan)
    return [float(value) if np.isfinite(value) else None for value in (draws[0], *ends)]


@dataclass(frozen=True)
class Sample:
    """Rows whose truth is known; row i is of block i modulo the number of blocks.

    The resamples of a sample are the same for whatever is judged on it, so that differences are paired. They weigh the
    blocks by exponential draws (Rubin 1981, "The Bayesian Bootstrap"): no class ever drops out of one.

    >>> sample = Sample(np.array([0, 1, 1, 1] * 25), classes=2)
    >>> interval(sample.figures(np.ones(100, dtype=np.int64))["balanced_accuracy"])
    [0.5, 0.5, 0.5]
    """

    truth: Array
    classes: int = 0
    """How many classes there are; 0 for values."""
    seed: int = 0

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.truth)

    @property
    def blocks(self) -> int:
        """The number of blocks: each has two rows or more, since a loss of one's own may compare rows."""
        return max(1, min(BLOCKS, self.rows // 2))

    @cached_property
    def weights(self) -> Array:
        """The weight of every block in every resample, float64 [1 + resample, block]; of the first, all are 1."""
        drawn = np.random.default_rng(self.seed).standard_exponential((RESAMPLES, self.blocks))
        drawn *= self.blocks / drawn.sum(1, keepdims=True)
        return np.concatenate([np.ones((1, self.blocks)), drawn])

    def means(self, sums: Array, counts: Array) -> Draws:
        """Give the draws of a mean from its sums and weights, both [block]."""
        return np.asarray((self.weights @ sums) / (self.weights @ counts))

    def figures(self, guess: Array) -> dict[str, Draws]:
        """Give the draws of ``accuracy`` and ``balanced_accuracy``, or of ``r2`` and ``rmse``."""
        if not self.classes:
            return self._of_values(guess)
        hits, totals = self._by_class(guess)
        return {"accuracy": hits.sum(1) / totals.sum(1), "balanced_accuracy": _mean_share(hits, totals)}

    def auc(self, scores: Array) -> Draws:
        """Give the draws of the area under the ROC curve, the mean of those of each class against the others.

        Args:
            scores: what each row says for each class, float64 [row, class]; only their order within a class tells.

        >>> truth = np.array([0, 1] * 50)
        >>> [round(end, 9) for end in interval(Sample(truth, classes=2).auc(np.stack([-truth, truth], 1)))]
        [1.0, 1.0, 1.0]
        """
        labels = [1] if self.classes == 2 else range(self.classes)
        owns = [(label, self.truth == label) for label in labels]
        draws = [self._auc(scores[:, label], own) for label, own in owns if own.any() and not own.all()]
        return np.asarray(np.mean(draws, axis=0)) if draws else np.full(1 + RESAMPLES, np.nan)

    def _auc(self, score: Array, own: Array) -> Draws:
        """Give the share of pairs of a row of the class and another in which the former scores higher; ties by half."""
        _, level = np.unique(score, return_inverse=True)
        cells = level * self.blocks + np.arange(self.rows) % self.blocks
        size = (int(level.max()) + 1) * self.blocks
        rows, others = (np.bincount(cells[part], minlength=size).reshape(-1, self.blocks) for part in (own, ~own))
        pairs = rows.T @ (others.cumsum(0) - others / 2)
        # The pairs of every block with every block are counted once; a resample reweights them.
        higher = ((self.weights @ pairs) * self.weights).sum(1)
        return np.asarray(higher / ((self.weights @ rows.sum(0)) * (self.weights @ others.sum(0))))

    def foremost(self, scores: Array) -> list[list[int]]:
        """Give, of as many rows as each class has, those that score highest for it, how many are of it, and how many.

        >>> Sample(np.array([0, 0, 1, 1]), classes=2).foremost(np.array([[2, 0], [1, 1], [0, 2], [0, 0]]))
        [[2, 2], [1, 2]]
        """
        highest = np.argsort(-scores, axis=0, kind="stable")
        return [
            [int((self.truth[highest[:count, label]] == label).sum()), count]
            for label, count in enumerate(self.counts())
        ]

    def recalls(self, guess: Array) -> list[list[float | None]]:
        """Give the recall of every class with its interval; None for a class without rows."""
        hits, totals = self._by_class(guess)
        with np.errstate(invalid="ignore"):
            return [interval(draws) for draws in (hits / totals).T]

    def counts(self) -> list[int]:
        """Give the rows of every class."""
        return [int(count) for count in np.bincount(self.truth, minlength=self.classes)]

    def _by_class(self, guess: Array) -> tuple[Array, Array]:
        """Give rows guessed right and rows, float64 [1 + resample, class]."""
        cells = (np.arange(self.rows) % self.blocks) * self.classes + self.truth
        shape = self.blocks, self.classes
        totals = np.bincount(cells, minlength=self.blocks * self.classes).reshape(shape)
        hits = np.bincount(cells[guess == self.truth], minlength=self.blocks * self.classes).reshape(shape)
        return self.weights @ hits, self.weights @ totals

    def _of_values(self, guess: Array) -> dict[str, Draws]:
        centred = self.truth - self.truth.mean(0)
        finite = np.asarray(np.isfinite(guess).all(axis=1))
        error = np.square(np.where(finite[:, None], guess, 0.0) - self.truth).sum(1)
        # A guess that is not a number counts as twice as far off as the mean: R2 is -1 where all are.
        error = np.where(finite, error, 2 * np.square(centred).sum(1))
        sums = self._blocked(np.column_stack([error, np.square(centred).sum(1), np.ones(self.rows), centred]))
        totals = self.weights @ sums
        spread = totals[:, 1] - np.square(totals[:, 3:]).sum(1) / totals[:, 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            r2 = 1 - totals[:, 0] / spread
        return {"r2": r2, "rmse": np.sqrt(totals[:, 0] / (totals[:, 2] * self.truth.shape[1]))}

    def _blocked(self, values: Array) -> Array:
        """Sum values, [row, column], by block."""
        missing = -self.rows % self.blocks
        padded = np.concatenate([values, np.zeros((missing, values.shape[1]))])
        summed: Array = padded.reshape(-1, self.blocks, values.shape[1]).sum(0)
        return summed


def _mean_share(hits: Array, totals: Array) -> Draws:
    there = totals[0] > 0
    return np.asarray((hits[:, there] / totals[:, there]).mean(1))
