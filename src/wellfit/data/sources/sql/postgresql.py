"""PostgreSQL servers, by ADBC: rows come as Arrow batches over the server's binary COPY."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import polars as pl
import pyarrow as pa

from wellfit.data.sources.sql.address import Address
from wellfit.data.sources.sql.arrow_batches import frames_of, with_casts
from wellfit.data.sources.sql.database import Database, Fault, Kind, probe

__all__ = ["connect", "fault"]

_SECONDS = "10"
"""How long a server may take to answer a knock."""
_NUMBER = "CAST(CAST({} AS numeric) AS double precision)"
"""Money has no other way to a number."""
_CODES: dict[str, Kind] = {
    "42P01": "table",
    "3F": "table",
    "42501": "rights",
    "08": "lost",
    "57P": "lost",
    "53": "lost",
}
"""What SQLSTATE codes and their classes mean: https://www.postgresql.org/docs/current/errcodes-appendix.html."""
_WORDS: dict[str, Kind] = {
    "invalid ": "address",
    "authentication failed": "login",
    "no password": "login",
    "pg_hba.conf": "login",
    "role ": "login",
    "database ": "database",
}
"""What a refusal to connect has in it, which comes without a code."""
_MESSAGE = re.compile(
    r"(?:ERROR|FATAL|failed|to connect): +(?:connection to [^\n]*?failed: +)?(?:FATAL: +)?(?P<says>[^\n]+)"
)


class _PostgreSQL(Database):
    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        # one state of the database, nothing written, and rows in the order in which they lie, time after time
        for setting in (
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
            "SET LOCAL synchronize_seqscans = off",
            "SET LOCAL max_parallel_workers_per_gather = 0",
        ):
            self._cursor.execute(setting)

    def batches(self, sql: str) -> Iterator[pl.DataFrame]:
        self._cursor.execute(probe(sql))
        sql = with_casts(sql, self._cursor.fetch_record_batch().schema, _NUMBER, "CAST({} AS text)")
        self._cursor.execute(sql)
        yield from frames_of(self._cursor.fetch_record_batch())

    def tables(self) -> list[str]:
        self._connection.rollback()  # nothing is answered in a transaction that had an error
        self._cursor.execute(
            "SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname ELSE n.nspname || '.' || c.relname END "
            "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema') "
            "AND n.nspname NOT LIKE 'pg\\_toast%' ORDER BY 1"
        )
        return [name for (name,) in self._cursor.fetchall()]

    def close(self) -> None:
        self._cursor.close()
        self._connection.close()


def connect(address: Address) -> Database:
    """Open a connection.

    Raises:
        ImportError: the driver is not installed.
    """
    from adbc_driver_postgresql import dbapi

    options = {"connect_timeout": _SECONDS, **dict(address.options)}
    return _PostgreSQL(dbapi.connect(f"postgresql://{address.place}?{urlencode(options)}"))


def fault(error: Exception) -> Fault | None:
    """Tell what an error means; None for one of another kind."""
    from adbc_driver_manager import Error

    if not isinstance(error, (Error, pa.ArrowException, OSError)):
        return None
    text, code = str(error), getattr(error, "sqlstate", None) or ""
    found = _MESSAGE.search(text)
    says = found["says"] if found else text
    if "Failed to connect" in text:
        refused = "starting up" not in says and "shutting down" not in says
        known = (kind for words, kind in _WORDS.items() if refused and words in says)
        return Fault(next(known, "unreachable"), says)
    coded = next((kind for start, kind in _CODES.items() if code.startswith(start)), None)
    return Fault(coded or ("query" if "ERROR:" in text else "lost"), says)
