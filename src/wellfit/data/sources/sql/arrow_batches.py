"""Batches of Arrow, as drivers hand them out, as frames."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl
import pyarrow as pa

from wellfit.data.sources.arrow_table import frame_of
from wellfit.data.sources.finish import distinct_names
from wellfit.data.sources.sql.rows import RENAME

__all__ = ["frames_of", "with_casts"]

_POSTGRESQL_TYPE = b"POSTGRESQL:type"
"""Where the driver of PostgreSQL keeps the name of a column's own type."""


def frames_of(reader: pa.RecordBatchReader) -> Iterator[pl.DataFrame]:
    """Yield a frame for each batch; one without rows where there is none."""
    empty = True
    for batch in reader:
        if batch.num_rows:
            empty = False
            yield frame_of(pa.Table.from_batches([batch]))
    if empty:
        yield frame_of(reader.schema.empty_table())


def with_casts(sql: str, schema: pa.Schema, number: str, text: str) -> str:
    """Have a database turn what Arrow holds no plain value of (exact decimals, identifiers, its own types) into one.

    Args:
        sql: the query.
        schema: of its rows, as the driver gives them.
        number: SQL that makes a number of 64 bits of ``{}``.
        text: SQL that makes text of it.
    """
    kinds = [_cast(field) for field in schema]
    distinct_names(schema.names, RENAME)
    if not any(kinds):
        return f"{sql}\n"  # a comment at its end stays one
    names = ['"' + name.replace('"', '""') + '"' for name in schema.names]
    casts = {"number": number, "text": text}
    columns = [
        f"{casts[kind].format(name)} AS {name}" if kind else name for name, kind in zip(names, kinds, strict=True)
    ]
    return f"SELECT {', '.join(columns)} FROM ({sql}\n) AS given"


def _cast(field: pa.Field) -> str:
    """Say as what a column is asked for: a number, text, or as it is (empty)."""
    kind, own = field.type, (field.metadata or {}).get(_POSTGRESQL_TYPE, b"")
    if pa.types.is_decimal(kind) or own in (b"numeric", b"money"):
        return "number"
    return "text" if isinstance(kind, pa.BaseExtensionType) or pa.types.is_interval(kind) else ""
