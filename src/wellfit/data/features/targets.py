"""`Targets`: what the training rows answer, for the steps that are learned from it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wellfit.errors import ConfigError

__all__ = ["Targets", "needed"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
Rows = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Targets:
    """The targets of the training rows.

    Args:
        values: Class ids, -1 where there is none, or numbers, NaN where there is none; float64 [row].
        classes: How many classes there are; 0 where targets are numbers.
    """

    values: Floats
    classes: int = 0
    _folds: dict[tuple[int, int], Rows] = field(default_factory=dict, repr=False, compare=False)
    """Folds that were dealt: every column's encoder asks for the same."""

    @property
    def known(self) -> Flags:
        """Which rows have a target."""
        return np.isfinite(self.values) & (self.values >= 0 if self.classes else True)

    @property
    def outputs(self) -> int:
        """How many means there are: one for each of three classes or more, else one."""
        return self.classes if self.classes > 2 else 1

    def column(self, output: int) -> Floats:
        """Give what is averaged for an output, float64 [row]: a flag for one of three classes or more, or the values.

        >>> Targets(np.array([0.0, 2.0, 1.0]), 3).column(2).tolist()
        [0.0, 1.0, 0.0]
        """
        return self.values if self.outputs == 1 else np.equal(self.values, output).astype(np.float64)

    def folds(self, count: int, seed: int) -> Rows:
        """Give the fold of each row, int64 [row]: stratified by classes, -1 for rows without a target.

        All rows are in one fold where they are too few.
        """
        if (count, seed) not in self._folds:
            fold = np.full(len(self), -1, dtype=np.int64)
            known = np.flatnonzero(self.known)
            fold[known] = 0
            for number, held in enumerate(_held(self.values[known], self.classes, count, seed)):
                fold[known[held]] = number
            self._folds[count, seed] = fold
        return self._folds[count, seed]

    def __getitem__(self, rows: Any) -> Targets:
        return Targets(self.values[rows], self.classes)

    def __len__(self) -> int:
        return len(self.values)


def _held(values: Floats, classes: int, count: int, seed: int) -> Iterator[Rows]:
    """Give the rows of each fold as scikit-learn deals them; none where the rows are too few."""
    from sklearn.model_selection import KFold, StratifiedKFold

    rows = len(values)
    common = int(np.bincount(values.astype(np.int64)).max()) if classes and rows else 0
    count = min(count, rows)
    if count < 2:
        return
    kind = StratifiedKFold if common >= count else KFold
    with warnings.catch_warnings():
        # A class of fewer rows than folds is dealt as far as it goes.
        warnings.simplefilter("ignore")
        parts = list(kind(count, shuffle=True, random_state=seed).split(np.zeros(rows), values))
    yield from (held for _, held in parts)


def needed(targets: Targets | None, step: str) -> Targets:
    """Give the targets, or raise `ConfigError` where a step is learned from them and there are none."""
    if targets is None:
        raise ConfigError(f"{step} is learned from the target, and there is none.", do="Give the targets of the rows.")
    return targets
