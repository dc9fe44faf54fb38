"""Pandas frames; pandas is never imported here, only met."""

from __future__ import annotations

import sys
from typing import Any

import polars as pl

from wellfit.data.sources.columns import column_of
from wellfit.data.sources.entry import Header, SourceEntry
from wellfit.data.sources.finish import distinct_names, finished
from wellfit.data.table import Table

__all__ = ["ENTRY"]


def read(source: Any, header: Header) -> Table:
    """Take every column with its type; NaN, NaT and NA become null, the index is left out."""
    names = distinct_names(source.columns)
    series = [column_of(name, _dense(column)) for name, (_, column) in zip(names, source.items(), strict=True)]
    return finished(
        pl.DataFrame(series), uri="pandas", kind="pandas", notes=[*_index_note(source), *_code_note(source)]
    )


def _dense(column: Any) -> Any:
    return column.sparse.to_dense() if hasattr(column.dtype, "fill_value") else column


def _index_note(source: Any) -> list[str]:
    named = [str(name) for name in source.index.names if name is not None]
    return [f"The index ({', '.join(named)}) is left out: reset it to use it as a column."] if named else []


def _code_note(source: Any) -> list[str]:
    """Categories that are numbers keep their values, so that a target's labels come back as they were."""
    coded = [
        str(name)
        for name, kind in source.dtypes.items()
        if hasattr(kind, "categories") and getattr(kind.categories, "dtype", None) is not None
        if kind.categories.dtype.kind in "iuf"
    ]
    return [f"Categories that are numbers are read as numbers: {', '.join(coded)}."] if coded else []


def _matches(source: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(source, pandas.DataFrame)


ENTRY = SourceEntry(name="pandas", summary="a pandas DataFrame", make=read, matches=_matches)
