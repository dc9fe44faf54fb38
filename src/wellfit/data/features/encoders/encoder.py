"""What every encoder is: the levels of training columns, and what becomes of a code."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from wellfit.data.features.targets import Targets
from wellfit.data.features.vocabulary import Codes

__all__ = ["MOST_LEVELS", "Encoder", "Floats", "Gives", "Learned", "Levels", "by_frequency"]

MOST_LEVELS = 1000
"""The most frequent levels that a column keeps; the others count as unseen."""

Gives = Literal["ids", "flags", "number"]
Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, kw_only=True)
class Levels:
    """The levels of a column in the training rows."""

    counts: Mapping[str, int]
    """How often each stands there."""
    missing: bool
    """Whether a cell is missing."""


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What an encoder learned besides the levels."""

    values: tuple[tuple[float, ...], ...] = ()
    """The numbers of each code, from 0 on; none where the code tells all."""
    training: Floats | None = None
    """What the training rows get, float64 [row, number], where it isn't what the same cells get later."""


class Encoder(ABC):
    """Turns the codes of one column's vocabulary into ids, 0/1 flags, or numbers that are filled and scaled."""

    gives: ClassVar[Gives]

    def __init__(self, levels: Sequence[str], missing: bool, values: Sequence[Sequence[float]] = ()) -> None:
        self.levels = tuple(levels)
        """The vocabulary, in the order of its codes."""
        self.missing = missing
        self.values: Floats = np.array(values, dtype=np.float64)
        """Float64 [code, number]; empty where nothing but the levels was learned."""

    @classmethod
    @abstractmethod
    def choose_levels(cls, levels: Levels) -> list[str]:
        """Give the vocabulary for a training column."""

    @classmethod
    def learn(cls, codes: Codes, size: int, targets: Targets | None, **options: Any) -> Learned:
        """Learn from the codes of the training rows, in [0, size)."""
        return Learned()

    @abstractmethod
    def names(self, column: str) -> list[str]:
        """Name what becomes of a column."""

    @abstractmethod
    def apply(self, codes: Codes) -> Codes | Floats:
        """Turn codes [row] into ids [row], flags [row, flag] or numbers [row] or [row, number]."""


def by_frequency(levels: Levels, fewest: int = 1, most: int = MOST_LEVELS) -> list[str]:
    """Give the levels seen so often, the most frequent first, equal ones by their text, at most so many."""
    counted = sorted(levels.counts.items(), key=lambda item: (-item[1], item[0]))
    return [level for level, count in counted if count >= fewest][:most]
