"""DuckDB files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from wellfit.data.sources.paths import readable_file
from wellfit.data.sources.sql.address import Address
from wellfit.data.sources.sql.arrow_batches import frames_of, with_casts
from wellfit.data.sources.sql.database import BATCH_ROWS, Database, Fault, probe

__all__ = ["connect", "fault"]


class _DuckDB(Database):
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def batches(self, sql: str) -> Iterator[pl.DataFrame]:
        schema = self._reader(probe(sql)).schema
        sql = with_casts(sql, schema, "CAST({} AS DOUBLE)", "CAST({} AS VARCHAR)")
        yield from frames_of(self._reader(sql))

    def _reader(self, sql: str) -> pa.RecordBatchReader:
        reader: pa.RecordBatchReader = self._connection.sql(sql).to_arrow_reader(BATCH_ROWS)
        return reader

    def tables(self) -> list[str]:
        found = self._connection.execute("SELECT table_schema, table_name FROM information_schema.tables").fetchall()
        return sorted(name if schema == "main" else f"{schema}.{name}" for schema, name in found)

    def close(self) -> None:
        self._connection.close()


def connect(address: Address) -> Database:
    """Open a file to read it.

    Raises:
        DataError: there is no such file.
        ImportError: the driver is not installed.
    """
    import duckdb

    path = readable_file(Path(address.place.removeprefix("/")))
    # a query reads this file's tables, and no other file that the person may read
    return _DuckDB(duckdb.connect(str(path), read_only=True, config={"enable_external_access": "false"}))


def fault(error: Exception) -> Fault | None:
    """Tell what an error means; None for one of another kind."""
    import duckdb

    if not isinstance(error, duckdb.Error):
        return None
    says = str(error)
    if isinstance(error, duckdb.CatalogException) and "Table" in says:
        return Fault("table", says)
    if isinstance(error, duckdb.IOException):
        return Fault("busy" if "lock" in says else "database", says)
    return Fault("query", says)
