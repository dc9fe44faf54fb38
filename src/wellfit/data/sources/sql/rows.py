"""Rows of Python values, as drivers hand them out, as frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from wellfit.data.sources.columns import column_of
from wellfit.data.sources.finish import distinct_names

__all__ = ["RENAME", "as_type", "common_type", "frame_of_rows", "joined_batches"]

RENAME = "Name them differently: SELECT x AS y."
"""What to do where two columns of a query have one name."""


def frame_of_rows(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> pl.DataFrame:
    """Make a frame of rows; a column of mixed types is text.

    >>> frame_of_rows(["a", "b"], [(1, "x"), (None, 2)]).to_dict(as_series=False)
    {'a': [1, None], 'b': ['x', '2']}

    Raises:
        DataError: two columns have one name.
    """
    distinct_names(names, RENAME)
    columns = zip(*rows, strict=True) if rows else [()] * len(names)
    return pl.DataFrame([_plain(column_of(name, cells)) for name, cells in zip(names, columns, strict=True)])


def _plain(column: pl.Series) -> pl.Series:
    """Give exact decimals as the numbers they are for a network."""
    return column.cast(pl.Float64) if column.dtype == pl.Decimal else column


def joined_batches(batches: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Lay batches below each other; a column whose type differs between them takes one that holds all of it.

    >>> joined_batches([pl.DataFrame({"a": [1]}), pl.DataFrame({"a": ["x"]})])["a"].to_list()
    ['1', 'x']
    """
    columns = []
    for place in range(batches[0].width):
        parts = [batch.to_series(place) for batch in batches]
        kind = common_type([part.dtype for part in parts])
        columns.append(pl.concat([as_type(part, kind) for part in parts], rechunk=False))
    return pl.DataFrame(columns)


def common_type(kinds: Sequence[pl.DataType]) -> pl.DataType:
    """Give the type that holds all of some types; columns of nothing have no say."""
    held = [kind for kind in kinds if kind != pl.Null]
    if not held or all(kind == held[0] for kind in held):
        return held[0] if held else pl.String()
    if all(kind.is_numeric() for kind in held):
        return pl.Int64() if all(kind.is_integer() for kind in held) else pl.Float64()
    return pl.String()


def as_type(part: pl.Series, kind: pl.DataType) -> pl.Series:
    """Give a column as a type that holds its own."""
    if kind == pl.String and part.dtype.is_float():
        cells = [None if cell is None else str(cell) for cell in part.to_list()]
        return pl.Series(part.name, cells, dtype=pl.String)
    return part.cast(kind)
