"""MySQL and MariaDB servers, by PyMySQL; rows are sent as they are fetched, not gathered first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

import polars as pl

from wellfit.data.sources.sql.address import Address
from wellfit.data.sources.sql.database import BATCH_ROWS, Database, Fault, Kind, probe
from wellfit.data.sources.sql.rows import frame_of_rows
from wellfit.errors import DataError, did_you_mean

__all__ = ["connect", "fault"]

_SECONDS = 10
"""How long a server may take to answer a knock."""
_OPTIONS = ("charset", "ssl_ca", "ssl_cert", "ssl_key", "unix_socket")
_KINDS: dict[int, Kind] = {
    1040: "unreachable",
    1044: "rights",
    1045: "login",
    1049: "database",
    1053: "lost",
    1142: "rights",
    1143: "rights",
    1146: "table",
    2003: "unreachable",
    2006: "lost",
    2013: "lost",
}
"""What errors' numbers mean: https://dev.mysql.com/doc/mysql-errors/en/."""


class _MySQL(Database):
    quote = "`"

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._rows: Any = None
        self._asked("SET SESSION TRANSACTION READ ONLY")

    def _asked(self, sql: str) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def batches(self, sql: str) -> Iterator[pl.DataFrame]:
        from pymysql.cursors import SSCursor

        self._asked(probe(sql))
        self._rows = self._connection.cursor(SSCursor)
        self._rows.execute(sql)
        names = [column[0] for column in self._rows.description]
        rows = self._rows.fetchmany(BATCH_ROWS)
        yield frame_of_rows(names, rows)
        while rows := self._rows.fetchmany(BATCH_ROWS):
            yield frame_of_rows(names, rows)

    def tables(self) -> list[str]:
        return sorted(name for (name, *_) in self._asked("SHOW TABLES"))

    def close(self) -> None:
        import pymysql

        unread = getattr(self._rows, "_result", None)
        if unread is not None:
            # else the driver reads what is left, or waits for a server that is gone, when it is collected
            unread.unbuffered_active = False
        with suppress(pymysql.Error, OSError):
            self._connection.close()


def connect(address: Address) -> Database:
    """Open a connection.

    Raises:
        DataError: the address has an option that there is not.
        ImportError: the driver is not installed.
    """
    import pymysql

    for name, _ in address.options:
        if name not in _OPTIONS:
            rule = f"MySQL takes no option '{name}'."
            raise DataError(rule, got=address.shown, do=did_you_mean(name, ("table", "query", *_OPTIONS)))
    options: dict[str, Any] = {"charset": "utf8mb4", **dict(address.options)}
    login = urlsplit(f"//{address.place}")
    return _MySQL(
        pymysql.connect(
            host=login.hostname or "localhost",
            port=login.port or 3306,
            user=unquote(login.username or ""),
            password=unquote(login.password or ""),
            database=unquote(login.path.removeprefix("/")) or None,
            connect_timeout=_SECONDS,
            **options,
        )
    )


def fault(error: Exception) -> Fault | None:
    """Tell what an error means; None for one of another kind."""
    import pymysql

    if isinstance(error, ValueError):  # of a port that is no number
        return Fault("address", str(error))
    if not isinstance(error, (pymysql.Error, OSError)):
        return None
    number, says = (*error.args, "", "")[:2]
    return Fault(_KINDS.get(number, "query"), str(says))
