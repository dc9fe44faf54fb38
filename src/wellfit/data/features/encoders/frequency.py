"""Frequency: a level is the share of training rows that have it, as a number."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from wellfit.data.features.encoders.encoder import Encoder, Floats, Gives, Learned, Levels, by_frequency
from wellfit.data.features.targets import Targets
from wellfit.data.features.vocabulary import UNSEEN, Codes
from wellfit.registry import Entry

__all__ = ["ENTRY", "Frequency"]

MOST = 100_000
"""The most levels that are kept: each is one number in the plan."""


class Frequency(Encoder):
    """The share of training rows that have the level; missing cells are a level, and an unseen one has the share 0.

    >>> codes = np.array([2, 2, 3, 0])
    >>> Frequency(["a", "b"], True, Frequency.learn(codes, 4, None).values).apply(np.array([2, 0, 1])).tolist()
    [0.5, 0.25, 0.0]
    """

    gives: ClassVar[Gives] = "number"

    @classmethod
    def choose_levels(cls, levels: Levels) -> list[str]:
        """Give the levels by their text."""
        return sorted(by_frequency(levels, most=MOST))

    @classmethod
    def learn(cls, codes: Codes, size: int, targets: Targets | None, **options: Any) -> Learned:
        """Learn the share of each code."""
        shares = np.bincount(codes, minlength=size) / max(len(codes), 1)
        shares[UNSEEN] = 0.0
        return Learned(values=tuple((share,) for share in shares.tolist()))

    def names(self, column: str) -> list[str]:
        """Name the column."""
        return [column]

    def apply(self, codes: Codes) -> Floats:
        """Give the shares, float64 [row]."""
        shares: Floats = self.values[codes, 0]
        return shares


ENTRY = Entry(
    name="frequency",
    summary="the share of training rows that have the level, as a number that is scaled",
    make=Frequency,
    formula="count(level) / rows",
    reference="category_encoders CountEncoder(normalize=True)",
)
