"""`Candidate`: a cross that is looked at, and which ones are.

Legend: ``n`` rows, ``o`` outputs.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from wellfit.data.features.crosses.additive import GroupMeans
from wellfit.data.features.crosses.grid import Grid
from wellfit.data.features.crosses.values import STEPS, Codes, Floats, Values, frequent, joint
from wellfit.data.features.encoders.encoder import MOST_LEVELS

__all__ = ["Candidate", "by_day", "by_name", "joined", "paired"]

MOST_COLUMNS = 3
"""How many columns a cross may have."""
MOST_VALUES = 256
"""A column of more different values is not crossed with another: hardly two rows would be alike."""
MOST_PAIRS = 1_000
"""Pairs of columns that are looked at, those of the fewest levels first."""
FEWEST_LEVELS = 10
"""A cross of fewer levels is one that every network learns."""
ALIKE = 3
"""Rows that a level needs to be told from the others while crosses are looked for."""


@dataclass(kw_only=True)
class Candidate:
    """A cross that is looked at."""

    columns: tuple[Values, ...]
    levels: Codes
    """The level of each row, 0 for rare ones, int64 [n]."""
    by_order: float | None = None
    """Of a number that may be a name: what the order of its values explains of the target, as a sum of squares."""
    gain: float = np.inf
    """The share of what is left that it explained when it was last looked at."""

    @property
    def of(self) -> tuple[str, ...]:
        """The names of its columns."""
        return tuple(its.name for its in self.columns)

    @property
    def grid(self) -> Grid:
        """Where rows lie among their neighbours."""
        return Grid(self.columns)


def by_name(columns: Iterable[Values], wanted: Floats) -> Iterator[Candidate]:
    """Give numbers that may be names: they have more values than a curve has steps."""
    for its in columns:
        if its.numbers is not None and not its.is_date and its.count > STEPS:
            for candidate in _made((its,), its.exact):
                yield replace(candidate, by_order=_by_order(candidate, wanted))


def _by_order(candidate: Candidate, wanted: Floats) -> float:
    near, nobody = candidate.grid.of_neighbours(wanted), GroupMeans.of_all(len(wanted))
    return float((nobody.without(wanted, near[:, :0]) ** 2).sum() - (nobody.without(wanted, near) ** 2).sum())


def by_day(columns: Iterable[Values]) -> Iterator[Candidate]:
    """Give the days of moments."""
    for its in columns:
        if its.is_date:
            yield from _made((its,), its.exact)


def paired(columns: Iterable[Values]) -> Iterator[Candidate]:
    """Give pairs of columns."""
    usable = [its for its in columns if _is_crossed(its)]
    pairs = sorted(itertools.combinations(usable, 2), key=lambda pair: pair[0].count * pair[1].count)
    for first, second in pairs[:MOST_PAIRS]:
        yield from _made((first, second), joint(first.exact, second.exact))


def joined(taken: Candidate, columns: Iterable[Values], among: Iterable[Candidate]) -> Iterator[Candidate]:
    """Give a cross of several columns with each other column, unless it is among others; its rare levels stay one."""
    if not 1 < len(taken.of) < MOST_COLUMNS:
        return
    held = [set(one.of) for one in among]
    for its in columns:
        if _is_crossed(its) and its.name not in taken.of and {*taken.of, its.name} not in held:
            levels = np.where(taken.levels > 0, joint(taken.levels, its.exact) + 1, 0)
            yield from _made((*taken.columns, its), levels)


def _is_crossed(column: Values) -> bool:
    return 2 < column.count <= MOST_VALUES


def _made(columns: Sequence[Values], codes: Codes) -> Iterator[Candidate]:
    levels, count = frequent(codes, fewest=ALIKE, most=MOST_LEVELS)
    if count >= FEWEST_LEVELS:
        yield Candidate(columns=tuple(columns), levels=levels)
