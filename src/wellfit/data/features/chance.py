"""How likely some rows differ from the others so far by chance, also where they are few and values are rare events.

Legend: ``n`` rows, ``o`` outputs.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

__all__ = ["chance_of"]

Floats = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

HALVINGS = 60
FARTHEST = 700.0
"""The exponent up to which exp stays a number."""


def chance_of(rows: Flags, scores: Floats, enough: float = 1.0) -> float:
    """Give the chance that so many rows, drawn at random, have a mean as far from that of all: two sides, all outputs.

    Of a rare event, five rows that have it twice are no wonder, though five normal numbers would be: the tail is taken
    from the values themselves, by a saddlepoint (Daniels 1954), ``P(S >= n m) = exp(n (K(t) - t m)) / (t sqrt(2 pi n
    K''(t)))`` with ``K(t) = log mean exp(t x)`` and ``K'(t) = m``. Of values that are events alone it is a half to a
    third of what counting gives; of normal ones it is right.

    Args:
        rows: Which rows are looked at, bool [n].
        scores: Values of mean 0, float64 [n, o].
        enough: Above which chance no more is asked: where that of a normal distribution is above, the tail isn't taken.

    Returns:
        The chance of the least likely output, as it is; 1 where no row, or each, is looked at.

    >>> events = np.array([[1.0]] * 20 + [[0.0]] * 380) - 0.05
    >>> few = np.isin(np.arange(400), [0, 1, 100, 200, 300])
    >>> 0.005 < chance_of(few, events) < 0.05
    True
    """
    having = int(rows.sum())
    # The sum of the others is the same with the other sign, and the fewer rows leave the rest more as it was.
    few = min(having, len(rows) - having)
    if not few:
        return 1.0
    sums = np.abs(scores[rows].sum(axis=0))
    return min(_two_sided(column, few, float(total), enough) for column, total in zip(scores.T, sums, strict=True))


def _two_sided(column: Floats, few: int, total: float, enough: float) -> float:
    spread = float(column.std())
    if spread <= 0.0 or total <= 0.0:
        return 1.0
    plain = math.erfc(total / (spread * math.sqrt(2.0 * few * (1.0 - few / len(column)))))
    return plain if plain >= enough else max(plain, _tail(column, few, total) + _tail(-column, few, total))


def _tail(column: Floats, few: int, total: float) -> float:
    """Give the chance that the sum of so many values is as great, by a saddlepoint."""
    mean = total / few
    if mean >= column.max():
        return float(np.mean(column >= mean) ** few)
    low, high = 0.0, FARTHEST / float(np.abs(column).max())
    for _ in range(HALVINGS):
        t = (low + high) / 2.0
        weights = np.exp(t * column)
        tilted = float(weights @ column) / float(weights.sum())
        low, high = (t, high) if tilted < mean else (low, t)
    variance = float(weights @ column**2) / float(weights.sum()) - tilted**2
    exponent = few * (math.log(float(weights.mean())) - t * mean)
    return min(1.0, math.exp(exponent) / (t * math.sqrt(2.0 * math.pi * few * max(variance, 1e-300))))
