"""Variance: the columns that vary more than a threshold."""

from __future__ import annotations

import numpy as np

from wellfit.data.features.selectors.selector import Candidates, Flags, Floats, Selector
from wellfit.registry import Entry, Option

__all__ = ["ENTRY", "Variance"]


class Variance(Selector):
    """The columns whose variance, before they are scaled, is above a threshold."""

    def __init__(self, *, threshold: float) -> None:
        self.threshold = threshold

    def scores(self, candidates: Candidates) -> Floats:
        """Give the population's variance of numbers, and of the flag of the level that varies most."""
        shares = [np.bincount(ids) / len(ids) for ids in candidates.ids.T]
        of_ids = [(share * (1 - share)).max() for share in shares]
        return np.concatenate([candidates.numeric.var(axis=0), np.array(of_ids, dtype=np.float64)])

    def keep(self, scores: Floats) -> Flags:
        """Keep those above the threshold."""
        return np.asarray(scores > self.threshold)


ENTRY = Entry(
    name="variance",
    summary="the columns whose variance before scaling is above a threshold",
    make=Variance,
    options=(Option(name="threshold", default=0.0, low=0.0, help="the variance that must be exceeded"),),
    reference="scikit-learn VarianceThreshold",
)
