"""Numbers that may stand for a missing cell: -999, 9999, and zeros where nothing else is near zero. Only proposed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from wellfit.data.order_statistics import median, quantiles

__all__ = ["Sentinel", "sentinels"]

_KNOWN = frozenset(
    sign * number
    for sign in (1, -1)
    for number in (9, 99, 999, 9999, 99999, 999999, 9999999, 88, 888, 8888, 77, 777, 7777, 1e6, 1e9, 12345, 32767)
) | {-1, -2, -7, -8, -32768, -2147483648, 2147483647}

FEWEST, SAMPLE = 8, 10_000
"""Other values that there must be at the least, and those that tell what the finest step is."""

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

SPIKE = 10
"""A code amid other numbers stands so many times as often as any of them."""

Floats = np.ndarray[Any, np.dtype[np.float64]]


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
    values = typed.drop_nulls().to_numpy()
    for end in (np.min, np.max):
        if not len(values):
            return
        value = float(end(values))
        marked = values == value
        if value in _KNOWN and marked.sum() >= LEAST and (reason := _reason(values[~marked], value)):
            yield Sentinel(value, int(marked.sum()), reason)
            values = values[~marked]
    yield from _spikes(values)
    if len(values) and values.min() == 0.0:
        yield from _zeros(values)


def _reason(rest: Floats, value: float) -> str:
    """Say why the least or greatest number may stand for a missing cell; nothing where it is one like the others."""
    if _is_apart(rest, value):
        return "it is far from every other value"
    if value >= 0.0 or len(rest) < FEWEST or rest.min() < 0.0:
        return ""
    # Beside 0, 1, 2 a -1 is the next step down.
    steps = np.diff(np.unique(rest[:SAMPLE]))
    alone = len(steps) >= FEWEST and rest.min() - value >= STEPS * steps.min()
    return "no other value is negative" if alone else ""


def _spikes(values: Floats) -> Iterator[Sentinel]:
    """Give negative codes that stand amid other negative numbers, and far more often than any of them."""
    if not len(values) or values.min() > -99.0:
        return
    sample = values[:: max(1, -(-len(values) // SAMPLE))]
    different, counts = np.unique(sample, return_counts=True)
    coded = np.array([value <= -99.0 and value in _KNOWN for value in different.tolist()], dtype=bool)
    usual = counts[~coded & (different != 0.0)].max(initial=0)
    for value in different[coded & (counts >= max(FEWEST, SPIKE * usual))].tolist():
        yield Sentinel(value, int((values == value).sum()), "no other value returns so often")


def _is_apart(rest: Floats, value: float) -> bool:
    if len(rest) < FEWEST:
        return False
    gap = float(np.abs(rest - value).min())
    # Beside a wide range, 99 among numbers up to 80 is no more than the next one.
    if gap <= 0.25 * float(rest.max() - rest.min()):
        return False
    low, high = quantiles(rest, (0.25, 0.75))
    return bool(gap > APART * (high - low))


def _zeros(values: Floats) -> Iterator[Sentinel]:
    rest = values[values != 0.0]
    cells = len(values) - len(rest)
    if not LEAST <= cells <= ZEROS * len(values) or len(rest) < FEWEST:
        return
    different = np.unique(rest[:SAMPLE])
    if len(different) < FEWEST or rest.min() < NEAR * median(rest):
        return
    if rest.min() >= STEPS * np.diff(different).min():
        yield Sentinel(0.0, cells, "no other value is near zero")
