"""Ordinal: a level is its rank among the sorted levels, as a number."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from wellfit.data.features.encoders.encoder import Encoder, Floats, Gives, Levels, by_frequency
from wellfit.data.features.vocabulary import FIRST, MISSING, Codes
from wellfit.registry import Entry

__all__ = ["ENTRY", "Ordinal"]


class Ordinal(Encoder):
    """The rank from 0 by the level's text, -1 for unseen levels, missing where the cell is."""

    gives: ClassVar[Gives] = "number"

    @classmethod
    def choose_levels(cls, levels: Levels) -> list[str]:
        """Give the levels by their text."""
        return sorted(by_frequency(levels))

    def names(self, column: str) -> list[str]:
        """Name the column."""
        return [column]

    def apply(self, codes: Codes) -> Floats:
        """Give the ranks, float64 [row]."""
        return np.where(codes == MISSING, np.nan, codes.astype(np.float64) - FIRST)


ENTRY = Entry(
    name="ordinal",
    summary="the rank among the sorted levels, as a number that is scaled",
    make=Ordinal,
    reference="scikit-learn OrdinalEncoder(handle_unknown='use_encoded_value', unknown_value=-1)",
)
