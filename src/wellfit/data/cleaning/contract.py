"""How a column's cells were distributed in training, and how far those of later rows are from that.

    PSI = sum over bins of (p - q) ln(p / q)

p and q are the shares of training and of later cells: tenths of the training numbers, the most frequent levels, and the
missing cells as a bin of their own. From 0.25 on a column has shifted (N. Siddiqi, Credit Risk Scorecards, 2006). With
few rows PSI is large by chance, as a multiple of chi-squared (B. Yurdakul, Statistical Properties of Population
Stability Index, 2018): it then has to pass that too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from wellfit.data.compact import is_compact, is_worded, level_counts
from wellfit.data.order_statistics import quantiles

__all__ = ["LEAST_ROWS", "ColumnContract", "Drift", "shifted_names"]

SHIFTED = 0.25
"""The index from which on a column has shifted."""

Z_SCORE = 4.75
"""One column in a million that has not shifted is beyond, for want of rows: a cross-validation compares thousands."""

LEAST_ROWS = 200
"""With fewer rows bins are empty by chance, and the index is far from what theory says."""

FREQUENT = 5
"""Rows that a level has at the least to be a bin of its own: fewer do not follow chi-squared (W. G. Cochran, Some
Methods for Strengthening the Common Chi-Squared Tests, 1954), and the most frequent of such are so by chance."""

RARE = 2
"""Levels that stand so often or less make up the share of later cells whose level is new, or stood once and so has no
slot of its own (I. J. Good, The Population Frequencies of Species, 1953)."""

MOST_ROWS = 200_000
BINS = 10
LEVELS = 50

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Drift:
    """How far a column's later cells are from those of training."""

    psi: float
    """The population stability index, 0 or more."""
    threshold: float
    """From this on the column has shifted."""
    missing: float
    """The share of missing cells."""
    missing_in_training: float
    outside: int
    """Numbers and dates beyond the least and greatest of training."""

    @property
    def shifted(self) -> bool:
        """Whether the column has shifted."""
        return self.psi >= self.threshold

    def as_dict(self) -> dict[str, Any]:
        """Give the figures as JSON holds them."""
        return {
            "psi": self.psi,
            "threshold": self.threshold,
            "shifted": self.shifted,
            "missing": self.missing,
            "missing_in_training": self.missing_in_training,
            "outside": self.outside,
        }


@dataclass(frozen=True, kw_only=True)
class ColumnContract:
    """How a column's training cells were distributed.

    >>> contract = ColumnContract.learn(pl.Series("a", [float(number) for number in range(1000)]))
    >>> round(contract.compare(pl.Series("a", [float(number) for number in range(0, 1000, 5)])).psi, 2)
    0.0
    >>> contract.compare(pl.Series("a", [float(number) for number in range(500, 1500, 5)])).shifted
    True
    """

    rows: int
    shares: tuple[float, ...]
    """The share of each bin, the missing cells first."""
    edges: tuple[float, ...] = ()
    """What parts the bins of numbers, and of dates in microseconds since 1970."""
    levels: tuple[str, ...] = ()
    """The most frequent levels, a bin each; the bin after them is for all others."""
    low: float = 0.0
    high: float = 0.0
    unseen: float = 0.0
    """The share of later cells whose level is expected to be new or rare."""

    @classmethod
    def learn(cls, typed: pl.Series) -> ColumnContract:
        """Learn from a typed column of training rows, of which a sample tells enough."""
        typed = typed.gather_every(max(1, -(-len(typed) // MOST_ROWS)))
        if is_worded(typed):
            counts = _level_counts(typed)
            rare = sum(count for count in counts.values() if count <= RARE)
            frequent = ((count, level) for level, count in counts.items() if count >= FREQUENT)
            levels = tuple(level for _, level in sorted(frequent, reverse=True)[:LEVELS])
            draft = cls(rows=len(typed), shares=(), levels=levels, unseen=rare / max(sum(counts.values()), 1))
        else:
            values = _numbers(typed)
            known = values[~np.isnan(values)]
            if not len(known):
                return cls(rows=len(typed), shares=(1.0, 0.0))
            edges = np.unique(quantiles(known, np.linspace(0, 1, BINS + 1)[1:-1]))
            draft = cls(
                rows=len(typed),
                shares=(),
                edges=tuple(edges.tolist()),
                low=float(known.min()),
                high=float(known.max()),
            )
        shares = tuple((draft._counts(typed) / max(len(typed), 1)).tolist())
        return cls(**{**vars(draft), "shares": shares})

    def _counts(self, typed: pl.Series) -> Array:
        """Count the cells of each bin, the missing ones first."""
        if is_worded(typed):
            counts = _level_counts(typed)
            named = [counts.pop(level, 0) for level in self.levels]
            return np.array([typed.null_count(), *named, sum(counts.values())], dtype=np.float64)
        return self._bins(_numbers(typed))

    def _bins(self, values: Array) -> Array:
        """Count the numbers of each bin, the missing ones first.

        To compare all of them with each edge takes less than to search for the bin of each.
        """
        missing = int(np.isnan(values).sum())
        beyond = [int(np.count_nonzero(values > edge)) for edge in self.edges]
        return -np.diff([len(values), len(values) - missing, *beyond, 0])

    def compare(self, typed: pl.Series) -> Drift:
        """Hold a typed column of later rows against training."""
        rows, bins = len(typed), len(self.shares)
        values = None if is_worded(typed) else _numbers(typed)
        counts = self._counts(typed) if values is None else self._bins(values)
        # Half a cell in every bin keeps the logarithm finite.
        later = (counts + 0.5) / (rows + 0.5 * bins)
        before = (np.array(self.shares) * self.rows + 0.5) / (self.rows + 0.5 * bins)
        psi = float(((later - before) * np.log(later / before)).sum())
        outside = 0
        if values is not None:
            outside = int(np.count_nonzero(values < self.low) + np.count_nonzero(values > self.high))
        return Drift(
            psi=psi,
            threshold=max(SHIFTED, _chi_squared(bins - 1) * (1 / rows + 1 / self.rows)),
            missing=float(counts[0] / rows),
            missing_in_training=self.shares[0],
            outside=outside,
        )

    def as_dict(self) -> dict[str, Any]:
        """Give the contract as JSON holds it."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in vars(self).items()}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> ColumnContract:
        """Read a contract back from what `as_dict` gave."""
        tuples = {key: tuple(record[key]) for key in ("shares", "edges", "levels")}
        return cls(**{**record, **tuples})


def _numbers(typed: pl.Series) -> Array:
    values = typed.cast(pl.Int64).cast(pl.Float64) if isinstance(typed.dtype, pl.Datetime) else typed
    return values.to_numpy()


def _level_counts(typed: pl.Series) -> dict[str, int]:
    if is_compact(typed):
        return level_counts(typed)
    return dict(typed.alias("level").drop_nulls().value_counts(name="count").rows())


def _chi_squared(degrees: int) -> float:
    """Give the point that chi-squared passes once in a thousand (E. B. Wilson and M. M. Hilferty, 1931)."""
    part = 2.0 / (9.0 * max(degrees, 1))
    return max(degrees, 1) * (1.0 - part + Z_SCORE * math.sqrt(part)) ** 3


def shifted_names(drift: Mapping[str, Drift]) -> Sequence[str]:
    """Give the columns that have shifted, the furthest first."""
    return sorted((name for name, found in drift.items() if found.shifted), key=lambda name: -drift[name].psi)
