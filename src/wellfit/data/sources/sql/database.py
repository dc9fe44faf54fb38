"""What is asked of every database: its tables, rows in batches, and what its errors mean."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

import polars as pl

__all__ = ["BATCH_ROWS", "Database", "Fault", "Kind", "probe"]

BATCH_ROWS = 65_536
"""Rows that are fetched at once."""

Kind = Literal["address", "login", "database", "table", "query", "rights", "busy", "unreachable", "lost"]
"""What is at fault; the last two may be better at another try."""


@dataclass(frozen=True)
class Fault:
    """What an error of a driver means, and what it says."""

    kind: Kind
    says: str


def probe(sql: str) -> str:
    r"""Give a query that has the columns of another one and no rows; a statement that is no query fails in it.

    >>> probe("SELECT 1 AS a -- one")
    'SELECT * FROM (SELECT 1 AS a -- one\n) AS given LIMIT 0'
    """
    return f"SELECT * FROM ({sql}\n) AS given LIMIT 0"


class Database(ABC):
    """An open connection that only reads; drivers' own errors leave it as they are, and `fault` tells their meaning."""

    quote = '"'
    """What stands around a name."""

    def quoted(self, name: Sequence[str]) -> str:
        """Give a table's name as it stands in SQL, whatever characters it has."""
        mark = self.quote
        return ".".join(mark + part.replace(mark, mark * 2) + mark for part in name)

    @abstractmethod
    def batches(self, sql: str) -> Iterator[pl.DataFrame]:
        """Yield the rows of a query, in order; at least one frame, of no rows where there are none."""

    @abstractmethod
    def tables(self) -> list[str]:
        """Give the names of tables and views, with their schemas where these must be named."""

    @abstractmethod
    def close(self) -> None:
        """Give the connection back."""

    def __enter__(self) -> Self:
        """Give the database itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connection."""
        self.close()
