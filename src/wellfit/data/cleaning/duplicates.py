"""Rows and columns that stand twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from wellfit.errors import DataError

__all__ = ["duplicate_columns", "repeated_rows"]

LEAST_ROWS = 100
"""In smaller tables, two columns are equal by chance."""


def repeated_rows(frame: pl.DataFrame) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Say which rows equal an earlier one in every column.

    >>> repeated_rows(pl.DataFrame({"a": [1, 2, 1], "b": ["x", "x", "x"]})).tolist()
    [False, False, True]
    """
    repeated = np.zeros(frame.height, dtype=bool)
    if frame.width == 0:
        return repeated
    try:
        # Rows of one hash are compared cell by cell; the hash only spares the comparison of all the others.
        doubtful = np.flatnonzero(frame.hash_rows(0).is_duplicated().to_numpy())
        named = pl.DataFrame({f"c{place}": series for place, series in enumerate(frame[doubtful].get_columns())})
        first = named.with_row_index("row").unique(subset=named.columns, keep="first")["row"].to_numpy()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        do = "Give one number, text or date a cell."
        raise DataError("Rows must hold values that can be compared.", got=str(error), do=do) from None
    repeated[doubtful] = True
    repeated[doubtful[first]] = False
    return repeated


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
        # The sum of some hashes finds the pairs that are worth a comparison.
        key = (series.dtype, series.null_count(), (series.head(10_000).hash(0) % 2**32).sum())
        first = next((other for other in seen.get(key, ()) if typed[other].equals(series, null_equal=True)), None)
        if first is None:
            seen.setdefault(key, []).append(name)
        else:
            copies[name] = first
    return copies
