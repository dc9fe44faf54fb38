"""Target: a level is the mean target of the training rows that have it, drawn towards the mean of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from wellfit.data.features.encoders.encoder import Encoder, Floats, Gives, Learned, Levels, by_frequency
from wellfit.data.features.targets import Targets, needed
from wellfit.data.features.vocabulary import Codes
from wellfit.registry import Entry, Option

__all__ = ["ENTRY", "Target"]

MOST = 100_000
"""The most levels that are kept: each is a few numbers in the plan."""


class Target(Encoder):
    """The smoothed mean target of a level; of three classes or more, the smoothed share of each.

    Missing cells are a level; an unseen one has the mean of all rows. Training rows get the means of the other folds'
    rows (cross-fitting), since a mean that a row's own target is in gives that target away.

    >>> codes, targets = np.array([2, 2, 3, 3]), Targets(np.array([0.0, 1.0, 1.0, 1.0]), 2)
    >>> learned = Target.learn(codes, 4, targets, smooth=1.0, folds=2, seed=0)
    >>> Target(["a", "b"], False, learned.values).apply(np.array([2, 3, 1]))[:, 0].round(3).tolist()
    [0.583, 0.917, 0.75]
    """

    gives: ClassVar[Gives] = "number"

    @classmethod
    def choose_levels(cls, levels: Levels) -> list[str]:
        """Give the levels by their text."""
        return sorted(by_frequency(levels, most=MOST))

    @classmethod
    def learn(cls, codes: Codes, size: int, targets: Targets | None, **options: Any) -> Learned:
        """Learn the means of all rows, and for each training row those of the other folds."""
        targets = needed(targets, "The encoder target")
        fold = targets.folds(options["folds"], options["seed"])
        values = np.empty((size, targets.outputs))
        training = np.empty((len(codes), targets.outputs))
        for output in range(targets.outputs):
            sums = _Sums.of(codes, targets.column(output), fold, size)
            values[:, output] = sums.whole().means(options["smooth"])
            others = np.array([rest.means(options["smooth"]) for rest in sums.without_each()])
            training[:, output] = others[fold, codes] if len(others) else values[codes, output]
            # Rows of no fold have no target: nothing of theirs is in the means.
            training[fold < 0, output] = values[codes[fold < 0], output]
        return Learned(values=tuple(map(tuple, values.tolist())), training=training)

    def names(self, column: str) -> list[str]:
        """Name the column, or one for each class."""
        outputs = self.values.shape[1]
        return [column] if outputs == 1 else [f"{column} of class {number}" for number in range(outputs)]

    def apply(self, codes: Codes) -> Floats:
        """Give the means, float64 [row, output]."""
        means: Floats = self.values[codes]
        return means


@dataclass(frozen=True)
class _Sums:
    """What means and variances are made of, float64 [fold, code] or [code]."""

    count: Floats
    total: Floats
    squares: Floats

    @classmethod
    def of(cls, codes: Codes, output: Floats, fold: Codes, size: int) -> _Sums:
        """Sum over the rows of each fold and code; rows of the fold -1 are passed over."""
        known = fold >= 0
        if not known.all():
            codes, output, fold = codes[known], output[known], fold[known]
        folds = int(fold.max(initial=0)) + 1
        place = fold * size + codes
        sums = (np.bincount(place, weights, folds * size) for weights in (None, output, output * output))
        return cls(*(its.astype(np.float64).reshape(folds, size) for its in sums))

    def whole(self) -> _Sums:
        """Give the sums over all folds."""
        return _Sums(self.count.sum(axis=0), self.total.sum(axis=0), self.squares.sum(axis=0))

    def without_each(self) -> list[_Sums]:
        """Give the sums over all folds but one, for each; none where there is but one."""
        if len(self.count) < 2:
            return []
        parts = (np.delete(np.arange(len(self.count)), fold) for fold in range(len(self.count)))
        return [_Sums(self.count[rest], self.total[rest], self.squares[rest]).whole() for rest in parts]

    def means(self, smooth: float | None) -> Floats:
        """Give the smoothed mean of each code; that of all rows where no row has the code."""
        rows, seen = self.count.sum(), np.maximum(self.count, 1.0)
        overall, means = self.total.sum() / rows, self.total / seen
        if smooth is not None:
            weight = self.count / np.maximum(self.count + smooth, 1e-300)
            return np.asarray(weight * means + (1 - weight) * overall)
        variance = max(self.squares.sum() / rows - overall * overall, 0.0)
        within = np.maximum(self.squares / seen - means * means, 0.0)
        between = variance * self.count
        # Where a level's targets and all targets are the same there is nothing to weigh.
        whole = between + within
        weight = np.divide(between, whole, out=np.zeros_like(whole), where=whole > 0)
        return np.asarray(weight * means + (1 - weight) * overall)


ENTRY = Entry(
    name="target",
    summary="the mean target of the level's training rows, smoothed; training rows get that of the other folds",
    make=Target,
    options=(
        Option(
            name="smooth",
            default=None,
            low=0.0,
            optional=True,
            help="rows that the mean of all counts for; null: by the variances (empirical Bayes)",
            example=10.0,
        ),
        Option(name="folds", default=5, kind="int", low=2, high=100, help="folds of the cross-fitting"),
        Option(name="seed", default=0, kind="int", low=0, high=2**32 - 1, help="seed of the folds"),
    ),
    formula="w mean(level) + (1 - w) mean(all),  w = n v / (n v + v_level) or n / (n + smooth)",
    reference="scikit-learn TargetEncoder; Micci-Barreca 2001",
)
