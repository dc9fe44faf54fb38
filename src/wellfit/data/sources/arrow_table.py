"""Arrow tables, record batches, and whatever hands out an Arrow stream."""

from __future__ import annotations

from typing import Any

import polars as pl
import pyarrow as pa

from wellfit.data.sources.columns import column_of
from wellfit.data.sources.entry import Header, SourceEntry
from wellfit.data.sources.finish import distinct_names, finished
from wellfit.data.table import Table
from wellfit.errors import DataError

__all__ = ["ENTRY", "frame_of"]


def read(source: Any, header: Header) -> Table:
    """Take every column with its type."""
    return finished(frame_of(_table(source)), uri="arrow", kind="arrow")


def frame_of(table: pa.Table) -> pl.DataFrame:
    """Make a frame of an Arrow table."""
    names = distinct_names(table.column_names)
    columns = [column_of(name, column) for name, column in zip(names, table.columns, strict=True)]
    return pl.DataFrame(columns) if columns else pl.DataFrame()


def _table(source: Any) -> pa.Table:
    try:
        return source if isinstance(source, pa.Table) else pa.table(source)
    except (pa.ArrowException, TypeError, ValueError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise DataError("What was given holds no Arrow table.", got=type(source), do=f"Arrow says: {reason}.") from None


ENTRY = SourceEntry(
    name="arrow",
    summary="a pyarrow Table or RecordBatch, or any object with an Arrow stream",
    make=read,
    matches=lambda source: (
        not isinstance(source, type) and (isinstance(source, pa.RecordBatch) or hasattr(source, "__arrow_c_stream__"))
    ),
)
