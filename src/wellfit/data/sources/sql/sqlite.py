"""SQLite files, by the standard library."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import polars as pl

from wellfit.data.sources.finish import CELL_BYTES
from wellfit.data.sources.paths import readable_file
from wellfit.data.sources.sql.address import Address
from wellfit.data.sources.sql.database import BATCH_ROWS, Database, Fault, probe
from wellfit.data.sources.sql.rows import frame_of_rows

__all__ = ["connect", "fault"]


class _Sqlite(Database):
    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
        # a cell is refused before it is held in memory
        self._connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 2 * CELL_BYTES)

    def batches(self, sql: str) -> Iterator[pl.DataFrame]:
        self._connection.execute(probe(sql))
        cursor = self._connection.execute(sql)
        names = [column[0] for column in cursor.description or ()]
        rows = cursor.fetchmany(BATCH_ROWS)
        yield frame_of_rows(names, rows)
        while rows := cursor.fetchmany(BATCH_ROWS):
            yield frame_of_rows(names, rows)

    def tables(self) -> list[str]:
        found = self._connection.execute(
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite~_%' ESCAPE '~'"
        )
        return sorted(name for (name,) in found)

    def close(self) -> None:
        self._connection.close()


def connect(address: Address) -> Database:
    """Open a file to read it.

    Raises:
        DataError: there is no such file.
    """
    return _Sqlite(readable_file(Path(address.place.removeprefix("/"))))


def fault(error: Exception) -> Fault | None:
    """Tell what an error means; None for one of another kind."""
    if not isinstance(error, (sqlite3.Error, sqlite3.Warning)):
        return None
    says = str(error)
    if says.startswith("no such table"):
        return Fault("table", says)
    if "not a database" in says or "malformed" in says:
        return Fault("database", says)
    return Fault("busy" if "locked" in says else "query", says)
