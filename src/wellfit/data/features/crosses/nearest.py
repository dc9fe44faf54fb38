"""What the nearest rows say of a row's target: networks learn that much from the columns by themselves.

Legend: ``n`` rows, ``o`` outputs, ``c`` coordinates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from wellfit.data.features.crosses.values import Floats, Values

__all__ = ["of_nearest"]

KNOWN = 4_096
"""Rows that others are looked up among, drawn at random."""
NEAREST = 8
MOST_LEVELS = 32
"""A category of more has no part in the distance: hardly two rows would share its level."""
_AT_ONCE = 1_024


def of_nearest(columns: Iterable[Values], wanted: Floats) -> Floats:
    """Give the mean target of the rows nearest to each, itself left out, float64 [n, o].

    Numbers are ranks, scaled to a deviation of 1, and categories flags.

    Args:
        columns: The values of each column.
        wanted: Float64 [n, o].

    >>> column = Values(name="x", exact=np.arange(50), count=50, steps=np.arange(50), numbers=np.arange(50.0))
    >>> of_nearest([column], np.arange(50.0)[:, None])[20:23, 0].tolist()
    [20.0, 21.0, 22.0]
    """
    places = np.concatenate(list(_coordinates(columns)), axis=1, dtype=np.float32)
    count = len(places)
    known = np.random.default_rng(0).permutation(count)[:KNOWN]
    own = np.full(count, -1)
    own[known] = np.arange(len(known))
    there, lengths, answers = places[known].T, (places[known] ** 2).sum(axis=1), wanted[known]
    nearest = min(NEAREST, len(known) - 1)
    said = np.empty_like(wanted)
    for first in range(0, count, _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        distance = lengths - 2 * (places[part] @ there)
        themselves = np.flatnonzero(own[part] >= 0)
        distance[themselves, own[part][themselves]] = np.inf
        said[part] = answers[np.argpartition(distance, nearest, axis=1)[:, :nearest]].mean(axis=1)
    return said


def _coordinates(columns: Iterable[Values]) -> Iterator[Floats]:
    """Give the coordinates of each column, [n, c]."""
    for its in columns:
        if its.numbers is None:
            flags = np.eye(its.count + 1)[its.exact] if its.count <= MOST_LEVELS else np.empty((len(its.exact), 0))
            yield flags
        else:
            # Rows of the same value have the same rank.
            ranks = np.cumsum(np.bincount(its.exact))[its.exact].astype(np.float64)
            yield ((ranks - ranks.mean()) / (ranks.std() or 1.0))[:, None]
