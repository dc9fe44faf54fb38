"""Numbers that may stand for a missing cell: -999, 9999, and zeros where nothing else is near zero. Only proposed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

__all__ = ["Sentinel", "sentinels"]

_KNOWN = frozenset(
    sign * number
    for sign in (1, -1)
    for number in (9, 99, 999, 9999, 99999, 999999, 9999999, 88, 888, 8888, 77, 777, 7777, 1e6, 1e9, 12345, 32767)
) | {-1, -2, -7, -8, -32768, -2147483648, 2147483647}

LEAST = 3
"""A sentinel stands in a column at least so often."""

APART = 1.0
"""A sentinel is so many interquartile ranges, or more, away from the nearest other value."""

ZEROS = 0.5
"""Zeros that are more than half of a column are what is usual in it."""

NEAR = 0.05
"""Zeros are suspect where every other number is at least this share of the median away."""

STEPS = 5
"""And at least so many of the column's finest steps: zero children are no suspect beside one child."""


@dataclass(frozen=True)
class Sentinel:
    """A number that may stand for missing cells."""

    value: float
    cells: int
    reason: str


def sentinels(typed: pl.Series) -> Iterator[Sentinel]:
    """Give the numbers of a typed column that look like missing cells.

    >>> found = sentinels(pl.Series("a", [20.0 + number for number in range(50)] + [-999.0] * 4 + [0.0] * 3))
    >>> [(sentinel.value, sentinel.cells) for sentinel in found]
    [(-999.0, 4), (0.0, 3)]
    """
    counts = typed.alias("value").drop_nulls().value_counts(name="count").sort("value")
    if len(counts) < 8:
        return
    values, cells = counts["value"].to_numpy(), counts["count"].to_numpy()
    marked = np.zeros(len(values), dtype=bool)
    for place in (0, len(values) - 1):
        if values[place] in _KNOWN and cells[place] >= LEAST and _is_apart(values, cells, place):
            marked[place] = True
            yield Sentinel(float(values[place]), int(cells[place]), "it is far from every other value")
    yield from _zeros(values[~marked], cells[~marked])


def _is_apart(values: np.ndarray, cells: np.ndarray, place: int) -> bool:
    rest, weights = np.delete(values, place), np.delete(cells, place)
    gap = np.abs(rest - values[place]).min()
    low, high = _quantiles(rest, weights, (0.25, 0.75))
    # Beside a wide range, 99 among numbers up to 80 is no more than the next one.
    return bool(gap > APART * (high - low) and gap > 0.25 * (rest[-1] - rest[0]))


def _zeros(values: np.ndarray, cells: np.ndarray) -> Iterator[Sentinel]:
    if len(values) < 8 or values[0] != 0.0 or not LEAST <= cells[0] <= ZEROS * cells.sum():
        return
    rest, weights = values[1:], cells[1:]
    (middle,) = _quantiles(rest, weights, (0.5,))
    if rest[0] >= NEAR * middle and rest[0] >= STEPS * np.diff(rest).min():
        yield Sentinel(0.0, int(cells[0]), "no other value is near zero")


def _quantiles(values: np.ndarray, weights: np.ndarray, shares: tuple[float, ...]) -> list[float]:
    places = np.searchsorted(np.cumsum(weights), [share * weights.sum() for share in shares])
    return [float(values[min(place, len(values) - 1)]) for place in places]
