"""One-hot: a 0/1 flag for each level."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

import numpy as np

from wellfit.data.features.encoders.encoder import Encoder, Floats, Gives, Levels, by_frequency
from wellfit.data.features.vocabulary import FIRST, MISSING, Codes
from wellfit.registry import Entry

__all__ = ["ENTRY", "OneHot"]


class OneHot(Encoder):
    """A flag for each level, and one for missing cells where the training rows have some; unseen levels have none."""

    gives: ClassVar[Gives] = "flags"

    @classmethod
    def choose_levels(cls, levels: Levels) -> list[str]:
        """Give the levels by their text."""
        return sorted(by_frequency(levels))

    def names(self, column: str) -> list[str]:
        """Name the flags."""
        return [f"{column}={level}" for level in self.levels] + ([f"{column} is missing"] if self.missing else [])

    def apply(self, codes: Codes) -> Floats:
        """Give the flags, float64 [row, flag]."""
        return self._flags.take(codes, axis=0)

    @cached_property
    def _flags(self) -> Floats:
        """The flags of each code."""
        known = [*range(FIRST, FIRST + len(self.levels)), *([MISSING] if self.missing else [])]
        return np.equal(np.arange(FIRST + len(self.levels))[:, None], known).astype(np.float64)


ENTRY = Entry(
    name="onehot",
    summary="a 0/1 flag for each level",
    make=OneHot,
    reference="scikit-learn OneHotEncoder(handle_unknown='ignore')",
)
