"""Sources far away are read in batches where their rows would not fit in memory, and as in memory either way."""

from __future__ import annotations

import gzip
import itertools
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl
import pytest

from cloud_servers import s3_client, s3_environment, s3_server
from database_servers import PASSWORD, Server, postgres
from small import QUICK_OPTIONS, Command, csv_text, small_columns
from streamed import assert_equal
from web_server import Reply, Request, serving
from wellfit.config import from_mapping
from wellfit.data.large import memory
from wellfit.data.large.memory import COPIES
from wellfit.data.sources.sql import sqlite
from wellfit.data.sources.sql.database import Fault
from wellfit.errors import ConfigError, DataError
from wellfit.preparation import prepare
from wellfit.prepared import PreparedTable
from wellfit.prepared_shards import PreparedShards

ROWS = 300


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of its own, and a place for what is fetched that is looked into afterwards."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "fetched").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "fetched"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(sqlite, "BATCH_ROWS", 50)


def prepared(source: Any, **data: Any) -> PreparedTable | PreparedShards:
    sections = {"data": {"source": source, "target": "label", **data}, "model": {"type": "mlp"}}
    return prepare(from_mapping(sections))


def both(source: Any, monkeypatch: pytest.MonkeyPatch, **data: Any) -> tuple[PreparedTable, PreparedShards]:
    """Prepare with room and without; ``auto`` decides."""
    monkeypatch.setattr(memory, "SHARE", 0.5)
    table = prepared(source, **data)
    monkeypatch.setattr(memory, "SHARE", 1e-8)
    shards = prepared(source, **data)
    assert isinstance(table, PreparedTable)
    assert isinstance(shards, PreparedShards)
    assert (table.config.data.streamed, shards.config.data.streamed) == (False, True)
    return table, shards


def without_checksums(*tables: PreparedTable | PreparedShards) -> None:
    """A database's rows have a checksum of all at once in memory, and one of the batches on disk."""
    for each in tables:
        object.__setattr__(each, "source", replace(each.source, checksum=""))


def left(tmp_path: Path) -> list[str]:
    """What lies in the folders beside whole shards."""
    cache = tmp_path / "cache/wellfit/shards"
    kept = [path.name for path in cache.iterdir() if not (path / "shards.json").exists()] if cache.exists() else []
    return kept + [path.name for path in (tmp_path / "fetched").glob("wellfit-*")]


def sqlite_table(tmp_path: Path) -> str:
    columns = small_columns(ROWS)
    with sqlite3.connect(tmp_path / "loans.db") as connection:
        connection.execute("CREATE TABLE loans (size REAL, age INTEGER, kind TEXT, label TEXT)")
        connection.executemany("INSERT INTO loans VALUES (?, ?, ?, ?)", zip(*columns.values(), strict=True))
    connection.close()
    return f"sql:sqlite:///{tmp_path / 'loans.db'}?table=loans"


def duckdb_table(tmp_path: Path) -> str:
    import duckdb

    path = tmp_path / "loans.duckdb"
    (tmp_path / "loans.csv").write_text(csv_text(small_columns(ROWS)))
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE TABLE loans AS FROM read_csv('{tmp_path / 'loans.csv'}')")
    return str(path)


@pytest.mark.parametrize("made", [sqlite_table, duckdb_table])
def test_rows_of_a_database_are_streamed_from_the_row_on_with_which_they_are_too_many(
    made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, shards = both(made(tmp_path), monkeypatch)
    assert shards.rows["read"] == ROWS
    without_checksums(table, shards)
    assert_equal(table, shards)
    assert left(tmp_path) == []


def test_of_a_database_no_more_is_held_than_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, batches = sqlite_table(tmp_path), sqlite._Sqlite.batches
    laid: list[int] = []

    def counted(self: Any, sql: str) -> Iterator[pl.DataFrame]:
        for batch in batches(self, sql):
            laid.append(len(list((tmp_path / "cache").rglob("spool-*/*.arrow"))))
            yield batch

    batch = pl.DataFrame(small_columns(50))
    monkeypatch.setattr("wellfit.data.large.arrival.memory_share", lambda: 1.5 * COPIES * batch.estimated_size())
    monkeypatch.setattr(sqlite._Sqlite, "batches", counted)
    assert isinstance(prepared(source), PreparedShards)
    # The second batch is too much for memory; from there on each is on disk before the next one comes.
    assert laid == [0, 0, 2, 3, 4, 5]


def test_a_query_without_rows_is_an_error_in_any_case(tmp_path: Path) -> None:
    source = sqlite_table(tmp_path).replace("?table=loans", "?query=SELECT * FROM loans WHERE size > 9")
    for streamed in ("auto", True, False):
        with pytest.raises(DataError, match="The query gives no rows"):
            prepared(source, streamed=streamed)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres() as running:
        yield running


def test_rows_of_a_server_are_streamed(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from adbc_driver_postgresql import dbapi

    place = f"127.0.0.1:{server.port}/postgres"
    login = f"postgresql://owner:{quote(PASSWORD, safe='')}@{place}"
    with dbapi.connect(login) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest("loans", pl.DataFrame(small_columns(ROWS)).to_arrow())
        connection.commit()
    monkeypatch.setenv("PW", PASSWORD)
    table, shards = both(f"sql:postgresql://owner:${{env:PW}}@{place}?table=loans", monkeypatch)
    without_checksums(table, shards)
    assert_equal(table, shards)
    assert PASSWORD not in json.dumps(shards.plan(), default=str)
    assert left(tmp_path) == []


def test_where_a_connection_is_lost_all_rows_are_taken_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, batches = sqlite_table(tmp_path), sqlite._Sqlite.batches
    whole = prepared(source, streamed=True)
    times = iter(range(9))

    def breaking(self: Any, sql: str) -> Iterator[pl.DataFrame]:
        last = 3 if next(times) < 2 else 9
        yield from itertools.islice(batches(self, sql), last)
        if last == 3:
            raise sqlite3.DatabaseError("gone")

    monkeypatch.setattr("wellfit.data.sources.sql._WAITS", (0.0, 0.0))
    monkeypatch.setattr(sqlite, "fault", lambda error: Fault("lost", str(error)))
    monkeypatch.setattr(sqlite._Sqlite, "batches", breaking)
    shutil.rmtree(tmp_path / "cache")
    again = prepared(source, streamed=True)
    assert next(times) == 3
    assert again.source.checksum == whole.source.checksum
    assert again.rows == whole.rows


BODIES = {
    "/t.csv": csv_text(small_columns(ROWS)).encode(),
    "/t.csv.gz": gzip.compress(csv_text(small_columns(ROWS)).encode()),
    "/t.json": pl.DataFrame(small_columns(ROWS)).write_json().encode(),
    "/bad.csv": (csv_text(small_columns(ROWS)) + "1,2\n").encode(),
    "/test.csv": csv_text(small_columns(80, seed=3)).encode(),
}


def answer(request: Request) -> Reply:
    if request.path == "/records":
        page, rows = int(request.query.get("page", "1")), pl.DataFrame(small_columns(ROWS)).to_dicts()
        return Reply({"data": rows[100 * page - 100 : 100 * page], "page": page, "pages": 3})
    headers = {"Content-Type": "text/csv"} if "csv" in request.path else {"Content-Type": "application/octet-stream"}
    return Reply(BODIES[request.path], headers=headers)


@pytest.mark.parametrize("path", ["/t.csv", "/t.csv.gz", "/records"])
def test_files_and_pages_of_the_web_are_streamed(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(answer) as server:
        table, shards = both(server.url + path, monkeypatch)
        again = prepared(server.url + path)
    assert_equal(table, shards)
    assert (shards.source.uri, shards.source.kind) == (server.url + path, "web")
    assert again.plan() == shards.plan()
    assert left(tmp_path) == []


def test_what_is_read_as_a_whole_stays_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list.json"
    path.write_bytes(BODIES["/t.json"])
    monkeypatch.setattr(memory, "SHARE", 0.0)
    assert isinstance(prepared(str(path)), PreparedTable)
    with pytest.raises(ConfigError, match=r"'data\.streamed: true' is for.*list"):
        prepared(str(path), streamed=True)


def test_a_line_at_fault_is_told_as_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    with serving(answer) as server:
        for share in (0.0, 0.5):
            monkeypatch.setattr(memory, "SHARE", share)
            with pytest.raises(DataError, match=r"bad\.csv: Line 302 has 2 cells") as caught:
                prepared(server.url + "/bad.csv")
            told.append(str(caught.value))
    assert told[0] == told[1]
    assert str(tmp_path) not in told[0]
    assert left(tmp_path) == []


def test_own_splits_far_away_come_too_and_no_header_is_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(answer) as server:
        own = {"test": server.url + "/test.csv", "headers": {"X-Api-Key": "s3cret"}}
        table, shards = both(server.url + "/t.csv", monkeypatch, **own)
        assert {request.headers["X-Api-Key"] for request in server.requests} == {"s3cret"}
    assert_equal(table, shards)
    assert shards.rows["test"] == 80
    assert dict(shards.config.data.headers) == {"X-Api-Key": "${env:WELLFIT_SECRET_X_API_KEY}"}
    assert "s3cret" not in "".join(path.read_text() for path in (tmp_path / "cache").rglob("*.json"))
    assert any("WELLFIT_SECRET_X_API_KEY" in note for note in shards.notes)


def test_files_in_a_bucket_are_streamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pl.DataFrame(small_columns(ROWS))
    with s3_server() as url:
        s3_client(url).create_bucket(Bucket="tables")
        for place in range(3):
            frame[100 * place : 100 * place + 100].write_parquet(tmp_path / "part.parquet")
            s3_client(url).upload_file(str(tmp_path / "part.parquet"), "tables", f"loans/year=202{place}/x.parquet")
        for name, value in s3_environment(url).items():
            monkeypatch.setenv(name, value)
        table, shards = both("s3://tables/loans/", monkeypatch)
    assert_equal(table, shards)
    assert "year" in [column.name for column in shards.cleaning.columns]
    assert shards.source.kind == "cloud"
    assert left(tmp_path) == []


def test_weights_are_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.csv").write_text(csv_text(small_columns(ROWS)))
    monkeypatch.setattr(memory, "SHARE", 0.0)
    with pytest.raises(ConfigError, match="all count alike"):
        prepared(str(tmp_path / "t.csv"), weight="size")
    assert isinstance(prepared(str(tmp_path / "t.csv"), weight="size", streamed=False), PreparedTable)


def test_a_run_on_the_web_is_trained_and_its_rows_are_predicted_in_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    monkeypatch.setattr(memory, "SHARE", 2e-7)
    database = sqlite_table(tmp_path)
    with serving(answer) as server:
        trained = command("train", server.url + "/t.csv", "--target", "label", "--out", "run", *QUICK_OPTIONS)
        assert trained.code == 0, trained.err
        scored = [command("evaluate", "run", source, "--json") for source in (server.url + "/t.csv", database)]
        command("predict", "run", database, "-o", "batches.csv")
        monkeypatch.setattr(memory, "SHARE", 0.5)
        scored += [command("evaluate", "run", source, "--json") for source in (server.url + "/t.csv", database)]
        command("predict", "run", database, "-o", "whole.csv")
    assert [one.code for one in scored] == [0] * 4, scored[0].err
    assert scored[0].record["metrics"] == scored[2].record["metrics"]
    assert scored[1].record["metrics"] == scored[3].record["metrics"]
    assert Path("batches.csv").read_bytes() == Path("whole.csv").read_bytes()
    assert left(tmp_path) == []
