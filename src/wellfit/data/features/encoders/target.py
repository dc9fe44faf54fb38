"""Target: a level is the mean target of the training rows that have it, drawn towards the mean of all."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from wellfit.data.features.encoders.encoder import Encoder, Floats, Gives, Learned, Levels, by_frequency
from wellfit.data.features.targets import Targets, needed
from wellfit.data.features.vocabulary import Codes
from wellfit.registry import Entry, Option

__all__ = ["ENTRY", "Target"]

MOST = 100_000
"""The most levels that are kept: each is a few numbers in the plan."""

Rows = np.ndarray[Any, np.dtype[np.int64]]


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
        known = np.flatnonzero(targets.known)
        outputs = targets.columns()
        smooth = options["smooth"]
        values = _means(codes[known], outputs[known], size, smooth)
        training = values[codes]
        for fitted, held in _folds(targets[known], options["folds"], options["seed"]):
            of_fold = _means(codes[known[fitted]], outputs[known[fitted]], size, smooth)
            training[known[held]] = of_fold[codes[known[held]]]
        return Learned(values=tuple(map(tuple, values.tolist())), training=training)

    def names(self, column: str) -> list[str]:
        """Name the column, or one for each class."""
        outputs = self.values.shape[1]
        return [column] if outputs == 1 else [f"{column} of class {number}" for number in range(outputs)]

    def apply(self, codes: Codes) -> Floats:
        """Give the means, float64 [row, output]."""
        means: Floats = self.values[codes]
        return means


def _means(codes: Codes, outputs: Floats, size: int, smooth: float | None) -> Floats:
    """Give the smoothed mean of each code, float64 [code, output]; that of all rows where no row has the code."""
    counts = np.bincount(codes, minlength=size).astype(np.float64)
    return np.column_stack([_smoothed(codes, output, counts, smooth) for output in outputs.T])


def _smoothed(codes: Codes, output: Floats, counts: Floats, smooth: float | None) -> Floats:
    overall = output.mean()
    sums = np.bincount(codes, output, minlength=len(counts))
    seen = np.maximum(counts, 1.0)
    if smooth is not None:
        weight = counts / np.maximum(counts + smooth, 1e-300)
        return np.asarray(weight * (sums / seen) + (1 - weight) * overall)
    means = sums / seen
    within = np.bincount(codes, (output - means[codes]) ** 2, minlength=len(counts)) / seen
    between = output.var() * counts
    # Where a level's targets and all targets are the same there is nothing to weigh.
    whole = between + within
    weight = np.divide(between, whole, out=np.zeros_like(whole), where=whole > 0)
    return np.asarray(weight * means + (1 - weight) * overall)


def _folds(targets: Targets, folds: int, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """Give the rows to learn from and the rows to encode, for each fold; none where the rows are too few."""
    from sklearn.model_selection import KFold, StratifiedKFold

    values, rows = targets.values, len(targets)
    common = int(np.bincount(values.astype(np.int64)).max()) if targets.classes and rows else 0
    folds = min(folds, rows)
    if folds < 2:
        return
    kind = StratifiedKFold if common >= folds else KFold
    with warnings.catch_warnings():
        # A class of fewer rows than folds is dealt as far as it goes.
        warnings.simplefilter("ignore")
        yield from kind(folds, shuffle=True, random_state=seed).split(np.zeros(rows), values)


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
