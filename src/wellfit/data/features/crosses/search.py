"""Which crosses tell of the target what no column tells by itself: found on training rows, each row judged by others.

Legend: ``n`` rows, ``o`` outputs, ``z`` columns of numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
import polars as pl

from wellfit.data.features.crosses.additive import GroupMeans, left_by_curves, spread_out, unexplained
from wellfit.data.features.crosses.candidates import Candidate, by_day, by_name, joined, paired
from wellfit.data.features.crosses.nearest import of_nearest
from wellfit.data.features.crosses.values import Floats, Values, outputs_of, values_of
from wellfit.data.features.selection import sampled_rows
from wellfit.data.features.targets import Targets

__all__ = ["find_crosses"]

FEWEST_ROWS = 1_000
"""Rows below which nothing is looked for: each value has too few."""
MOST_ROWS = 30_000
"""Rows that are looked at: about a second's work of one core."""
MOST_CROSSES = 3

MATTERS = 0.02
"""What a cross has to explain, as a share of the geometric mean of what is explained without it and what is left."""
WEAKEST = 0.25
"""The share that a gain has to be of the greatest one before: every level is one more that all networks learn."""
IN_NAME = 0.5
"""The share that what the values of a number explain has to be of what their order does, for it to be a name."""
SURE = 8.0
"""How many standard errors a gain of columns together is from none. Hundreds of them are tried, and where a gain is
sure but faint, what networks learn of so many levels is more noise than gain."""
SURE_OF_NAME = 5.0
"""The same of the values of one column, of which there are few."""

PRIORS = (3.0, 20.0)
"""For how many rows the overall mean stands where a level's mean is taken."""


def find_crosses(
    frame: pl.DataFrame, targets: Targets | None, *, apart: Collection[str] = ()
) -> tuple[tuple[str, ...], ...]:
    """Find the crosses that training rows speak for, the strongest first.

    What networks learn by themselves is fitted to the target first: curves over every column (a generalised additive
    model by backfitting) and the answers of the nearest rows. What a cross explains of the rest has to matter beside
    both. Each row is foretold by the mean of the others of its level, so that a level that merely names its rows gains
    nothing.

    Of columns that are crossed, what the rows of neighbouring values tell is taken out, since numbers tell it too. The
    values of one column are a name where their order tells little, beside what the other numbers tell within a name: a
    flight's number tells when it should depart, and only with the hour at which it did, how late it is. One cross after
    the other is taken, each on what those before it leave; one that was taken may be joined by another column, and the
    new one takes its place.

    Args:
        frame: Typed training rows.
        targets: The targets of the rows; None finds nothing.
        apart: Columns that are not crossed: free texts.

    >>> rng = np.random.default_rng(0)
    >>> a, b, others = rng.integers(0, 8, 4000), rng.integers(0, 8, 4000), rng.normal(size=(3, 4000))
    >>> frame = pl.DataFrame({"a": a * 1.0, "b": b * 1.0, **dict(zip("cde", others))})
    >>> find_crosses(frame, Targets(rng.normal(size=(8, 8))[a, b] + rng.normal(size=4000)))
    (('a', 'b'),)
    """
    if targets is None:
        return ()
    rows = sampled_rows(targets, frame.height)
    if len(rows) < FEWEST_ROWS:
        return ()
    if len(rows) > MOST_ROWS:
        rows = np.sort(np.random.default_rng(0).choice(rows, MOST_ROWS, replace=False))
    columns = list(values_of(series for series in frame[rows].get_columns() if series.name not in apart))
    if not columns:
        return ()
    taken = [candidate.of for candidate in _Search(columns, outputs_of(targets[rows])).run()]
    return tuple(of for of in taken if not any(set(of) < set(other) for other in taken))


class _Search:
    """Takes one cross after another."""

    def __init__(self, columns: list[Values], wanted: Floats) -> None:
        self.columns = columns
        curves = wanted - left_by_curves([its.steps for its in columns], wanted)
        self.left = unexplained(wanted, np.concatenate([curves, of_nearest(columns, wanted)], axis=1))
        self.whole = float(((wanted - wanted.mean(axis=0)) ** 2).sum())
        self.numbers = spread_out([its.numbers for its in columns if its.numbers is not None], curves)
        self.names = list(by_name(columns, wanted))
        self.open = [*by_day(columns), *paired(columns)]

    def run(self) -> Iterator[Candidate]:
        """Give the crosses that explain enough of what is left, in the order in which they are taken."""
        greatest = 0.0
        for _ in range(MOST_CROSSES):
            # What a name tells is its own: it comes before what columns tell together.
            best = self._best(self.names) or self._best(self.open)
            if best is None or best.gain < WEAKEST * greatest:
                return
            yield best
            greatest = max(greatest, best.gain)
            self.left = self._measured(best)[1]
            self.names = [one for one in self.names if one is not best]
            self.open = [one for one in self.open if one is not best]
            self.open += joined(best, self.columns, self.open)
            for one in self.open:
                # What a day tells may show only when the hours are told; of pairs, gains fall.
                one.gain = np.inf if len(one.of) == 1 else one.gain

    def _best(self, among: Sequence[Candidate]) -> Candidate | None:
        """Give the strongest cross that is strong enough; those that were weaker before need no second look."""
        fresh: set[int] = set()
        while among:
            best = max(among, key=lambda one: one.gain)
            if best.gain <= 0:
                return None
            if id(best) in fresh:
                return best
            best.gain = self._measured(best)[0]
            fresh.add(id(best))
        return None

    def _measured(self, candidate: Candidate) -> tuple[float, Floats]:
        """Give the share of what is left that a cross explains, by the best prior, and what it leaves.

        Nothing is explained where it is too little to matter, or may be chance.
        """
        beside = self._beside(candidate)
        before = (GroupMeans.of_all(len(self.left)).without(self.left, beside) ** 2).sum(axis=1)
        left = float((self.left**2).sum())
        matters = MATTERS * (left * max(self.whole - left, 0.0)) ** 0.5
        least = max(matters, IN_NAME * (candidate.by_order or 0.0))
        sure = SURE if len(candidate.of) > 1 else SURE_OF_NAME
        best = (-np.inf, self.left)
        for prior in PRIORS:
            rest = GroupMeans(candidate.levels, prior).without(self.left, beside)
            gained = before - (rest**2).sum(axis=1)
            gain, error = float(gained.sum()), float(gained.std()) * len(gained) ** 0.5
            if gain > max(least, sure * error):
                best = max(best, (gain / float(before.sum()), rest), key=lambda one: one[0])
        return best

    def _beside(self, candidate: Candidate) -> Floats:
        """Give what a cross is judged beside, [n, z]: for a name the numbers, for columns together their neighbours.

        Of one column, the neighbours would give its own values away: in each step of the curve they add up to nothing.
        """
        if len(candidate.of) > 1:
            return candidate.grid.of_neighbours(self.left)
        return self.numbers if candidate.by_order is not None else self.numbers[:, :0]
