"""Dictionaries of columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from wellfit.data.sources.columns import column_of
from wellfit.data.sources.entry import Header, SourceEntry
from wellfit.data.sources.finish import distinct_names, finished
from wellfit.data.table import Table
from wellfit.errors import DataError, shown

__all__ = ["ENTRY", "frame_of_columns"]


def read(source: Mapping[Any, Any], header: Header) -> Table:
    """Take a mapping of names to lists, arrays or series of one length."""
    return finished(frame_of_columns(source), uri="dict", kind="dict")


def frame_of_columns(columns: Mapping[Any, Any]) -> pl.DataFrame:
    """Make a frame of named columns; lengths that differ are a `DataError`."""
    names = distinct_names(columns)
    series = [column_of(name, values) for name, values in zip(names, columns.values(), strict=True)]
    lengths = [len(one) for one in series]
    for one in series:
        if len(one) != lengths[0]:
            rule = f"Columns must be of one length: {shown(names[0])} has {lengths[0]} rows, "
            raise DataError(rule + f"{shown(one.name)} has {len(one)}.", do="Fill the shorter one up with None.")
    return pl.DataFrame(series) if series else pl.DataFrame()


ENTRY = SourceEntry(
    name="dict",
    summary="a dictionary of columns",
    make=read,
    matches=lambda source: isinstance(source, Mapping),
)
