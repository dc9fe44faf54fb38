"""`Values`: a typed column as whole numbers that tell its values apart, and as the few steps that a curve over it has.

Legend: ``n`` rows, ``o`` outputs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from wellfit.data.compact import compact_text, is_compact, is_worded
from wellfit.data.features.targets import Targets

__all__ = ["STEPS", "Codes", "Values", "frequent", "joint", "outputs_of", "values_of"]

STEPS = 32
"""Quantiles that a curve over a column of more values is made of: networks learn such curves by themselves."""

MOST_CLASSES = 8
"""Of more classes, the most frequent are looked at."""

Codes = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, kw_only=True)
class Values:
    """The values of a column in some rows."""

    name: str
    exact: Codes
    """Which value each row has, int64 [n]; 0 where it is missing."""
    count: int
    """How many values there are."""
    steps: Codes
    """The part of its range that each row is in, int64 [n]; of a category, its value."""
    numbers: Floats | None
    """The numbers, or days since 1970, float64 [n], the median where one is missing; None of a category."""
    is_date: bool = False


def values_of(columns: Iterable[pl.Series]) -> Iterator[Values]:
    """Give the values of typed columns; those without any are left out."""
    for column in columns:
        # Polars takes a name such as ^x$ for a pattern.
        name, series = column.name, column.alias("cell")
        if series.null_count() == len(series):
            continue
        if is_worded(series):
            compact = series if is_compact(series) else series.cast(compact_text())
            codes, count = _numbered(compact.to_physical().fill_null(0).to_numpy(), series.is_not_null().to_numpy())
            yield Values(name=name, exact=codes, count=count, steps=codes, numbers=None)
        else:
            yield _of_numbers(name, series)


def _of_numbers(name: str, series: pl.Series) -> Values:
    days = series.dt.date().to_physical() if isinstance(series.dtype, pl.Datetime) else series
    numbers = days.cast(pl.Float64).fill_null(np.nan).to_numpy()
    known = np.isfinite(numbers)
    codes, count = _numbered(numbers, known)
    steps = codes
    if count > STEPS:
        ends = np.unique(np.quantile(numbers[known], np.linspace(0, 1, STEPS + 1)[1:-1]))
        steps = np.where(known, np.searchsorted(ends, numbers, side="right") + 1, 0)
    middle = float(np.median(numbers[known])) if known.any() else 0.0
    filled = np.where(known, numbers, middle)
    is_date = isinstance(series.dtype, pl.Datetime)
    return Values(name=name, exact=codes, count=count, steps=steps, numbers=filled, is_date=is_date)


def _numbered(cells: Any, known: Any) -> tuple[Codes, int]:
    codes = np.zeros(len(cells), dtype=np.int64)
    values, codes[known] = np.unique(cells[known], return_inverse=True)
    codes[known] += 1
    return codes, len(values)


def outputs_of(targets: Targets) -> Floats:
    """Give what is explained, [n, o]: the values, or a flag for each of the most frequent classes but one of two.

    >>> outputs_of(Targets(np.array([0.0, 1.0]), 2)).tolist()
    [[0.0], [1.0]]
    """
    if targets.classes <= 2:
        return targets.values[:, None].astype(np.float64)
    common = np.argsort(-np.bincount(targets.values.astype(np.int64)), kind="stable")[:MOST_CLASSES]
    return np.asarray(targets.values[:, None] == common, dtype=np.float64)


def joint(first: Codes, second: Codes) -> Codes:
    """Give each pair of two columns' values a number of its own.

    >>> joint(np.array([0, 1, 1]), np.array([2, 0, 2])).tolist()
    [2, 3, 5]
    """
    return first * (int(second.max(initial=0)) + 1) + second


def frequent(codes: Codes, *, fewest: int, most: int) -> tuple[Codes, int]:
    """Number the values that so many rows have, from 1 on, at most so many; 0 is every other one.

    >>> frequent(np.array([5, 7, 7, 5, 9]), fewest=2, most=10)[0].tolist()
    [1, 2, 2, 1, 0]
    """
    counts = np.bincount(codes)
    chosen = np.argsort(-counts, kind="stable")[:most]
    chosen = np.sort(chosen[counts[chosen] >= fewest])
    table = np.zeros(len(counts), dtype=np.int64)
    table[chosen] = np.arange(1, len(chosen) + 1)
    return table[codes], len(chosen)
