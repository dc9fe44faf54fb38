"""Results of queries larger than memory: laid down once, read as in memory, nothing left of a server that dies."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from small import small_columns
from streamed import assert_equal, both
from wellfit.config import from_mapping
from wellfit.data.large.spool import Spool
from wellfit.data.sources.sql import database, sqlite
from wellfit.errors import DataError
from wellfit.preparation import prepare


@pytest.fixture
def loans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A table in SQLite, of numbers, text and a column that is mixed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sqlite, "BATCH_ROWS", 50)
    columns = small_columns(300)
    mixed: list[Any] = [row if row < 100 else f"m{row % 7}" for row in range(300)]
    rows = zip(*columns.values(), mixed, strict=True)
    with sqlite3.connect(tmp_path / "loans.db") as connection:
        connection.execute("CREATE TABLE loans (size REAL, age INTEGER, kind TEXT, label TEXT, mixed)")
        connection.executemany("INSERT INTO loans VALUES (?, ?, ?, ?, ?)", rows)
    connection.close()
    return f"sql:sqlite:///{tmp_path / 'loans.db'}"


def test_a_query_comes_out_as_in_memory(loans: str) -> None:
    table, shards = both(f"{loans}?query=SELECT * FROM loans WHERE size > 0.1")
    assert "mixed" in [column.name for column in table.cleaning.columns]
    # A database's rows have a checksum of all at once in memory, and one of the batches here.
    for prepared in (table, shards):
        object.__setattr__(
            prepared, "source", prepared.source.__class__(**{**prepared.source.as_dict(), "checksum": ""})
        )
    assert_equal(table, shards)


def test_the_same_rows_are_found_again_and_others_are_not(loans: str, tmp_path: Path) -> None:
    first = prepare(_config(f"{loans}?table=loans"))
    again = prepare(_config(f"{loans}?table=loans"))
    assert again.plan() == first.plan()
    with sqlite3.connect(tmp_path / "loans.db") as connection:
        connection.execute("DELETE FROM loans WHERE rowid = 5")
    connection.close()
    assert prepare(_config(f"{loans}?table=loans")).rows["read"] == first.rows["read"] - 1


def test_a_database_that_dies_half_way_leaves_nothing(
    loans: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = sqlite._Sqlite.batches

    def dying(self: Any, sql: str) -> Iterator[pl.DataFrame]:
        yield next(iter(batches(self, sql)))
        raise sqlite3.DatabaseError("database disk image is malformed")

    monkeypatch.setattr(sqlite._Sqlite, "batches", dying)
    with pytest.raises(DataError, match="malformed"):
        prepare(_config(f"{loans}?table=loans"))
    assert [path.name for path in (tmp_path / "cache/wellfit/shards").iterdir()] == []


def test_a_query_without_rows_is_an_error(loans: str) -> None:
    with pytest.raises(DataError, match="gives no rows"):
        prepare(_config(f"{loans}?query=SELECT * FROM loans WHERE size > 9"))


def test_columns_of_other_types_and_missing_ones_come_together(tmp_path: Path) -> None:
    frames = [
        pl.DataFrame({"a": [1, 2], "b": ["x", None]}),
        pl.DataFrame({"a": [0.5], "c": [True]}),
        pl.DataFrame({"a": [], "b": []}, schema={"a": pl.Null, "b": pl.Null}),
    ]
    spool = Spool.of(frames, tmp_path)
    joined = pl.concat(list(spool))
    assert joined.to_dict(as_series=False) == {
        "a": [1.0, 2.0, 0.5],
        "b": ["x", None, None],
        "c": [None, None, True],
    }
    assert database.BATCH_ROWS > 1000


def _config(source: str) -> Any:
    return from_mapping({"data": {"source": source, "target": "label", "streamed": True}})
