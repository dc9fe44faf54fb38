"""Embedding: a level is an id, for which the network learns a vector."""

from __future__ import annotations

from typing import ClassVar

from wellfit.data.features.encoders.encoder import Encoder, Gives, Levels, by_frequency
from wellfit.data.features.vocabulary import Codes
from wellfit.registry import Entry, Option

__all__ = ["ENTRY", "Embedding"]

FEWEST = 2
"""A level seen less often is rare. Rare levels share the id of unseen ones, which so is trained."""


class Embedding(Encoder):
    """Ids: 0 a missing cell, 1 an unseen or rare level, 2 and on the levels by frequency."""

    gives: ClassVar[Gives] = "ids"

    @classmethod
    def choose_levels(cls, levels: Levels) -> list[str]:
        """Give the levels that are not rare, the most frequent first."""
        return by_frequency(levels, FEWEST)

    def names(self, column: str) -> list[str]:
        """Name the column."""
        return [column]

    def apply(self, codes: Codes) -> Codes:
        """Give the codes: they are the ids."""
        return codes


ENTRY = Entry(
    name="embedding",
    summary="an id for which a vector is learned; 0/1 flags for columns of few levels",
    make=Embedding,
    options=(
        Option(
            name="onehot_up_to",
            default=9,
            kind="int",
            low=0,
            high=1000,
            help="columns of at most so many levels become 0/1 flags",
        ),
    ),
    reference="Guo and Berkhahn 2016; Holzmüller et al. 2024 for the limit of 9",
)
