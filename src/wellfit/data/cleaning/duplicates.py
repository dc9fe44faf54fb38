"""Columns that stand twice, and rows that nearly do."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

__all__ = ["duplicate_columns"]

LEAST_ROWS = 100
"""In smaller tables, two columns are equal by chance."""


def duplicate_columns(typed: Mapping[str, pl.Series]) -> dict[str, str]:
    """Give for each typed column that equals an earlier one, missing cells included, the name of that one.

    >>> numbers = pl.Series([0.5 * number for number in range(100)])
    >>> duplicate_columns({"a": numbers, "b": numbers + 1, "c": numbers})
    {'c': 'a'}
    """
    seen: dict[tuple[object, ...], list[str]] = {}
    copies: dict[str, str] = {}
    for name, series in typed.items():
        if len(series) < LEAST_ROWS:
            continue
        # The sum of the hashes finds the pairs worth a comparison; wrapping round is of no matter.
        key = (series.dtype, series.null_count(), series.hash(0).cast(pl.UInt32, wrap_numerical=True).sum())
        first = next((other for other in seen.get(key, ()) if typed[other].equals(series, null_equal=True)), None)
        if first is None:
            seen.setdefault(key, []).append(name)
        else:
            copies[name] = first
    return copies
