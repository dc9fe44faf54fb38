"""MySQL and MariaDB servers, by SQLAlchemy and PyMySQL; rows come through a cursor on the server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from wellfit.data.sources.sql.address import Address
from wellfit.data.sources.sql.database import BATCH_ROWS, Database, Fault, Kind, probe
from wellfit.data.sources.sql.rows import frame_of_rows

__all__ = ["connect", "fault"]

_SECONDS = 10
_KINDS: dict[int, Kind] = {
    1044: "rights",
    1045: "login",
    1049: "database",
    1142: "rights",
    1143: "rights",
    1146: "table",
    2003: "unreachable",
    2006: "lost",
    2013: "lost",
    1053: "lost",
    1040: "unreachable",
}
"""What errors' numbers mean: https://dev.mysql.com/doc/mysql-errors/en/."""


class _MySQL(Database):
    quote = "`"

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        # a sign of percent in a query is no place for a parameter
        self._connection = engine.connect().execution_options(no_parameters=True)
        self._connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")

    def batches(self, sql: str) -> Iterator[pl.DataFrame]:
        self._connection.exec_driver_sql(probe(sql))
        streamed = self._connection.execution_options(stream_results=True, max_row_buffer=BATCH_ROWS)
        result = streamed.exec_driver_sql(sql)
        names = list(result.keys())
        rows = result.fetchmany(BATCH_ROWS)
        yield frame_of_rows(names, rows)
        while rows := result.fetchmany(BATCH_ROWS):
            yield frame_of_rows(names, rows)

    def tables(self) -> list[str]:
        return sorted(name for (name, *_) in self._connection.exec_driver_sql("SHOW TABLES"))

    def close(self) -> None:
        self._connection.close()
        self._engine.dispose()


def connect(address: Address) -> Database:
    """Open a connection.

    Raises:
        ImportError: the drivers are not installed.
    """
    import pymysql  # noqa: F401 - SQLAlchemy would name it by a longer sentence
    import sqlalchemy

    url = sqlalchemy.make_url(f"mysql+pymysql://{address.place}").update_query_dict(dict(address.options))
    return _MySQL(sqlalchemy.create_engine(url, connect_args={"connect_timeout": _SECONDS}))


def fault(error: Exception) -> Fault | None:
    """Tell what an error means; None for one of another kind."""
    import pymysql
    from sqlalchemy.exc import ArgumentError, DBAPIError

    if isinstance(error, (ArgumentError, TypeError, ValueError)):
        return Fault("address", str(error))
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, pymysql.Error):
        return None
    number, says = (*cause.args, "", "")[:2]
    return Fault(_KINDS.get(number, "query"), str(says))
