"""Rows and columns that stand twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from wellfit.data.columnwise import MANY, each
from wellfit.data.compact import as_text, is_compact
from wellfit.errors import DataError

__all__ = ["duplicate_columns", "repeated_rows", "row_hashes", "some_columns", "telling_columns"]

Rows = np.ndarray[Any, np.dtype[np.int64]]

ROWS_AT_ONCE = 65_536
"""Rows that are hashed at once: each cell takes eight bytes meanwhile."""

TELLING, HEAD = 4, 1_000
"""Columns that tell most rows apart, where there are such, and the first rows that they are found by."""

LEAST_ROWS = 100
"""In smaller tables, two columns are equal by chance."""


def row_hashes(frame: pl.DataFrame) -> pl.Series:
    """Give a number for each row, equal for equal rows, as ``hash_rows`` does, in little memory."""
    firsts = range(0, frame.height, ROWS_AT_ONCE)
    parts = each(lambda first: frame[first : first + ROWS_AT_ONCE].hash_rows(0), firsts, rows=frame.height)
    return pl.concat(parts) if parts else frame.hash_rows(0)


def telling_columns(frame: pl.DataFrame) -> list[int]:
    """Give the places of a few columns by which most rows differ, or of all where there are none or the rows are few.

    Rows that are equal are so in these, too: what differs there needs no look at the others.
    """
    head = frame.head(HEAD)
    ranked = sorted(range(frame.width), key=lambda place: -head.to_series(place).n_unique())[:TELLING]
    tells = frame.height >= MANY and some_columns(head, ranked).n_unique() > 0.99 * head.height
    return sorted(ranked) if tells else list(range(frame.width))


def some_columns(frame: pl.DataFrame, places: Sequence[int]) -> pl.DataFrame:
    """Give the columns at some places."""
    return pl.DataFrame([frame.to_series(place) for place in places])


def _twins(hashes: pl.Series) -> Rows:
    """Give the rows whose number stands twice or more."""
    ranked = np.sort(hashes.to_numpy())
    twice = ranked[1:][ranked[1:] == ranked[:-1]]
    return np.flatnonzero(hashes.is_in(pl.Series(twice).implode()).to_numpy()) if len(twice) else np.empty(0, np.int64)


def _doubtful(frame: pl.DataFrame) -> Rows:
    """Give the rows that have the hash of another one."""
    places = telling_columns(frame)
    rows = _twins(row_hashes(some_columns(frame, places)))
    return rows if len(places) == frame.width or not len(rows) else rows[_twins(row_hashes(frame[rows]))]


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
        doubtful = _doubtful(frame)
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
        dtype = "levels" if is_compact(series) else series.dtype
        key = (dtype, series.null_count(), (series.head(10_000).hash(0) % 2**32).sum())
        first = next((other for other in seen.get(key, ()) if _are_equal(typed[other], series)), None)
        if first is None:
            seen.setdefault(key, []).append(name)
        else:
            copies[name] = first
    return copies


def _are_equal(one: pl.Series, two: pl.Series) -> bool:
    return as_text(one).equals(as_text(two), null_equal=True)
