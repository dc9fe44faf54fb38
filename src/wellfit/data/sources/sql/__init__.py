"""Databases: a table or a query of PostgreSQL, MySQL, SQLite or DuckDB, read in batches and never written to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import polars as pl

from wellfit.data.sources.contents import first_bytes
from wellfit.data.sources.entry import Header, SourceEntry
from wellfit.data.sources.finish import finished
from wellfit.data.sources.sql import duckdb_file, mysql, postgresql, sqlite
from wellfit.data.sources.sql.address import Address, names_database, parsed
from wellfit.data.sources.sql.faults import Lost, explained, missing_driver, unnamed
from wellfit.data.sources.sql.rows import joined_batches
from wellfit.data.table import Table
from wellfit.errors import DataError, RunFailed

__all__ = ["ENTRY", "database_batches", "database_table", "names_one"]

Taken = TypeVar("Taken")

_DRIVERS: dict[str, ModuleType] = {
    "postgresql": postgresql,
    "mysql": mysql,
    "sqlite": sqlite,
    "duckdb": duckdb_file,
}
"""What ``connect`` opens, and whose ``fault`` tells what an error means, by dialect."""
_WAITS = (0.5, 2.0)
"""Seconds before the second and the third try: a server that restarts is back soon, or not for long."""
_MAGIC = {b"SQLite format 3\0": "sqlite", b"DUCK": "duckdb"}
_MAGIC_AT = {"sqlite": 0, "duckdb": 8}


def read(source: str | Path, header: Header) -> Table:
    """Read the rows of a table or a query; where the connection is lost, all of them are read anew.

    Raises:
        DataError: the address, the login, the table or the query is at fault, or there are no rows.
        RunFailed: the server can't be reached, or was lost time after time.
    """
    frame, details = database_batches(source, lambda batches: joined_batches(list(batches)))
    return database_table(source, frame, details)


def database_table(source: str | Path, frame: pl.DataFrame, details: Mapping[str, str | int | bool]) -> Table:
    """Make rows of a database a table.

    Raises:
        DataError: there are none.
    """
    if details.get("query") and not frame.height:
        raise DataError("The query gives no rows.", got=details["query"], do="Run it by hand, and mend its conditions.")
    return finished(frame, uri=str(source), kind="sql", details=details)


def database_batches(
    source: str | Path, take: Callable[[Iterator[pl.DataFrame]], Taken]
) -> tuple[Taken, dict[str, str | int | bool]]:
    """Hand the rows over batch by batch; where the connection is lost, all of them are taken anew.

    Args:
        source: the address of a database, or the path of one.
        take: what becomes of the batches; it is called anew where the connection was lost.

    Returns:
        What was made of them, and what was asked of which product.

    Raises:
        DataError: the address, the login, the table or the query is at fault.
        RunFailed: the server can't be reached, or was lost time after time.
    """
    address = _address_of(source) if isinstance(source, Path) else parsed(source)
    taken = _taken(address, take)
    asked = {"query": address.query} if address.query else {"table": ".".join(address.table)}
    return taken, {"database": address.product, **asked}


def names_one(source: Any) -> bool:
    """Whether a source is the address or the file of a database."""
    return _matches(source)


def _taken(address: Address, take: Callable[[Iterator[pl.DataFrame]], Taken]) -> Taken:
    for wait in _WAITS:
        try:
            return _read_once(address, take)
        except Lost:
            time.sleep(wait)
    try:
        return _read_once(address, take)
    except Lost as error:
        rule = f"{error.rule[:-1]}, {len(_WAITS) + 1} times over."
        raise RunFailed(rule, got=error.got, do=error.do) from None


def _read_once(address: Address, take: Callable[[Iterator[pl.DataFrame]], Taken]) -> Taken:
    """Ask the database, and say in one sentence what its driver says of an error."""
    driver = _DRIVERS[address.dialect]
    database: Any = None
    try:
        database = driver.connect(address)
        if not address.table and not address.query:
            raise unnamed(address, database.tables())
        sql = address.query or f"SELECT * FROM {database.quoted(address.table)}"
        return take(database.batches(sql))
    except ImportError:
        raise missing_driver(address) from None
    except Exception as error:
        fault = driver.fault(error)
        if fault is None:
            raise
        raise explained(fault, address, _tables(database) if fault.kind == "table" else ()) from None
    finally:
        if database is not None:
            database.close()


def _tables(database: Any) -> list[str]:
    """Give the tables that there are, for a hint; a database in trouble may not tell."""
    try:
        names: list[str] = database.tables()
        return names
    except Exception:
        return []


def _address_of(path: Path) -> Address:
    """Give the address of the one table of a database's file."""
    given = f"sql:{_dialect_of(path)}:///{path}"
    address = Address(given=given, dialect=_dialect_of(path), place=f"/{path}", options=())
    try:
        with _DRIVERS[address.dialect].connect(address) as database:
            tables = database.tables()
    except ImportError:
        raise missing_driver(address) from None
    except Exception as error:
        fault = _DRIVERS[address.dialect].fault(error)
        if fault is None:
            raise
        raise explained(fault, address, ()) from None
    if len(tables) != 1:
        raise unnamed(address, tables)
    return replace(address, table=tuple(tables))


def _dialect_of(path: Path) -> str:
    """Tell a database's file by its first bytes; empty where it is none."""
    start = first_bytes(path, 16)
    return next((name for magic, name in _MAGIC.items() if start[_MAGIC_AT[name] :].startswith(magic)), "")


def _matches(source: Any) -> bool:
    if isinstance(source, Path):
        return source.is_file() and _dialect_of(source) != ""
    return isinstance(source, str) and names_database(source)


ENTRY = SourceEntry(
    name="sql",
    summary="a table or a query of PostgreSQL, MySQL, SQLite or DuckDB: sql:postgresql://host/db?table=loans",
    make=read,
    matches=_matches,
    refuses="queries that write",
)
