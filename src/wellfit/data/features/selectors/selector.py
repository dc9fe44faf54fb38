"""What every selector is: a score for each column of the training matrix, and the columns that are kept by it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from wellfit.data.features.targets import Targets

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["Candidates", "Flags", "Floats", "Selector", "best", "flags_of", "with_ids"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
Ids = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """The columns of the training matrix that may be kept: first the numeric ones, then those of ids."""

    numeric: Floats
    """[row, number]"""
    ids: Ids
    """[row, category]"""
    names: tuple[str, ...]
    discrete: Flags
    """Which numeric columns are 0/1 flags."""
    targets: Targets | None

    def sampled(self, most: int, seed: int) -> Candidates:
        """Give at most so many rows, drawn at random and in order."""
        rows = len(self.numeric)
        if rows <= most:
            return self
        chosen = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
        targets = None if self.targets is None else self.targets[chosen]
        return replace(self, numeric=self.numeric[chosen], ids=self.ids[chosen], targets=targets)


class Selector(ABC):
    """Scores the columns of the training matrix, and says which are kept.

    A column of ids is scored by its levels' flags, and is worth as much as the best of them.
    """

    scaled: ClassVar[bool] = False
    """Whether numbers are looked at as the network reads them, or else filled and not scaled: scaling would make all
    variances alike, and give chi2 negative numbers."""

    @abstractmethod
    def scores(self, candidates: Candidates) -> Floats:
        """Give a score [column] for each candidate."""

    @abstractmethod
    def keep(self, scores: Floats) -> Flags:
        """Say which columns are kept, by their scores."""


def best(scores: Floats, count: int) -> Flags:
    """Keep the best scores, of equal ones the later, as scikit-learn does; NaN is the worst."""
    order = np.argsort(np.where(np.isnan(scores), -np.inf, scores), kind="mergesort")
    kept = np.zeros(len(scores), dtype=bool)
    kept[order[max(0, len(scores) - count) :]] = True
    return kept


def flags_of(ids: Ids) -> csr_matrix:
    """Give a 0/1 column for each id that stands in a column, sparse [row, id]."""
    from scipy.sparse import csr_matrix

    _, place = np.unique(ids, return_inverse=True)
    rows = np.arange(len(ids))
    return csr_matrix((np.ones(len(ids)), (rows, place)))


def with_ids(candidates: Candidates, score: Callable[[Any], Floats]) -> Floats:
    """Score numeric columns as they are and columns of ids by the best of their flags."""
    numeric = score(candidates.numeric) if candidates.numeric.shape[1] else np.empty(0)
    of_ids = [np.nanmax(score(flags_of(column))) for column in candidates.ids.T]
    return np.concatenate([numeric, np.array(of_ids, dtype=np.float64)])
