"""Polars frames, eager or lazy."""

from __future__ import annotations

import polars as pl

from wellfit.data.sources.entry import Header, SourceEntry
from wellfit.data.sources.finish import finished
from wellfit.data.table import Table
from wellfit.errors import DataError

__all__ = ["ENTRY"]


def read(source: pl.DataFrame | pl.LazyFrame, header: Header) -> Table:
    """Take a frame as it is; a lazy one is collected."""
    return finished(_collected(source), uri="polars", kind="polars")


def _collected(source: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    if isinstance(source, pl.DataFrame):
        return source
    try:
        return source.collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise DataError("The lazy frame can't be collected.", do=f"Polars says: {reason}") from None


ENTRY = SourceEntry(
    name="polars",
    summary="a Polars DataFrame or LazyFrame",
    make=read,
    matches=lambda source: isinstance(source, (pl.DataFrame, pl.LazyFrame)),
)
