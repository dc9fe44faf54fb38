"""A real PostgreSQL server: types, streams, secrets, and what is said when it refuses, is gone, or dies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import polars as pl
import pytest

from database_servers import PASSWORD, Server, postgres
from small import QUICK_OPTIONS, Command, csv_text, small_columns
from wellfit.data.sources import read_table, sql
from wellfit.errors import DataError, RunFailed

TABLES = """
CREATE TYPE mood AS ENUM ('sad', 'fine');
CREATE TABLE kinds AS SELECT
    1::smallint AS small, 2::bigint AS big, 1.5::real AS short, 2.5::double precision AS long,
    12.25::numeric(10, 2) AS price, '3.5'::money AS cash, 'ü'::text AS words, 'ab'::varchar(3) AS few, true AS flag,
    DATE '2024-01-05' AS day, TIMESTAMP '2024-01-05 10:00' AS moment, TIMESTAMPTZ '2024-01-05 10:00+02' AS zoned,
    'fine'::mood AS mood, '7e352ebe-d5a5-4dd8-8a8b-39639ca9754d'::uuid AS own, '{"a": 1}'::jsonb AS record,
    ARRAY[1, 2] AS pair, INTERVAL '1 day' AS span, '127.0.0.1'::inet AS host, NULL::integer AS void;
CREATE TABLE loans AS SELECT i AS id, i / 4.0 AS price FROM generate_series(1, 1000) AS r(i);
CREATE TABLE empty (a integer);
CREATE SCHEMA other;
CREATE TABLE other."Odd.Name" AS SELECT 1 AS "x""y";
CREATE ROLE guest LOGIN PASSWORD 'guest';
CREATE FUNCTION spoil() RETURNS integer LANGUAGE sql AS 'DELETE FROM loans RETURNING 1';
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    from adbc_driver_postgresql import dbapi

    with postgres() as running:
        with dbapi.connect(address(running).removeprefix("sql:")) as connection, connection.cursor() as cursor:
            for statement in TABLES.split(";\n"):
                if statement.strip():
                    cursor.execute(statement)
            cursor.execute("CREATE TABLE people (size double precision, age integer, kind text, label text)")
            cursor.adbc_ingest("staged", pl.DataFrame(small_columns()).to_arrow())
            cursor.execute("INSERT INTO people SELECT size, age, kind, label FROM staged")
            connection.commit()
        yield running


def address(server: Server, login: str = f"owner:{quote(PASSWORD, safe='')}", base: str = "postgres") -> str:
    return f"sql:postgresql://{login}@127.0.0.1:{server.port}/{base}"


@pytest.fixture
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "_WAITS", (0.0, 0.0))


def test_every_type_arrives_as_what_it_means(server: Server) -> None:
    table = read_table(f"{address(server)}?table=kinds")
    assert table.frame.row(0, named=True) == {
        "small": 1,
        "big": 2,
        "short": 1.5,
        "long": 2.5,
        "price": 12.25,
        "cash": 3.5,
        "words": "ü",
        "few": "ab",
        "flag": True,
        "day": dt.date(2024, 1, 5),
        "moment": dt.datetime(2024, 1, 5, 10),
        "zoned": dt.datetime(2024, 1, 5, 8, tzinfo=dt.UTC),
        "mood": "fine",
        "own": "7e352ebe-d5a5-4dd8-8a8b-39639ca9754d",
        "record": '{"a": 1}',
        "pair": "[1, 2]",
        "span": "1 day",
        "host": "127.0.0.1/32",
        "void": None,
    }
    assert table.frame["price"].dtype == pl.Float64


def test_tables_and_queries(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWNER_PW", PASSWORD)
    table = read_table(f"{address(server, 'owner:${env:OWNER_PW}')}?table=public.loans")
    assert table.frame["price"].to_list() == [number / 4 for number in range(1, 1001)]
    assert table.record.uri == f"sql:postgresql://***@127.0.0.1:{server.port}/postgres?table=public.loans"
    assert table.record.details == {"database": "PostgreSQL", "table": "public.loans"}
    assert read_table(f"{address(server)}?table=loans").record.checksum == table.record.checksum
    assert read_table(f'{address(server)}?table=other."Odd.Name"').frame.columns == ['x"y']
    asked = read_table(f"{address(server)}?query=SELECT id FROM loans WHERE id % 400 = 0 ORDER BY id DESC -- some")
    assert asked.frame["id"].to_list() == [800, 400]


def test_a_variable_may_hold_the_whole_address(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", address(server).removeprefix("sql:"))
    table = read_table("sql:${env:DATABASE_URL}?table=loans")
    assert table.record.uri == "sql:${env:DATABASE_URL}?table=loans"
    assert table.record.rows == 1000


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("table=lones", r"no such table\. Got 'lones'\. Did you mean 'loans'"),
        ("table=loans; DROP TABLE loans", "no such table"),
        ("table=empty", "The table has no rows"),
        ("query=SELECT zz FROM loans", r'PostgreSQL says: column "zz" does not exist\.'),
        ("query=SELECT id FROM loans WHERE id < 0", "The query gives no rows"),
        ("query=SELECT 1 AS a, 2 AS a", "'a' stands more than once"),
        ("query=SELECT 1/0 AS a", "PostgreSQL says: division by zero"),
        ("query=DELETE FROM loans", "The query can't be run"),
        ("query=SELECT 1; DELETE FROM loans", "The query can't be run"),
        ("query=SELECT spoil() AS a", "PostgreSQL says: .*read-only transaction"),
        ("", r"A table or a query must be named.*'empty', 'kinds', 'loans', 'other\.Odd\.Name', 'people'"),
        ("table=loans&bogus=1", "can't be used.*bogus"),
    ],
)
def test_what_the_server_refuses_is_one_sentence(server: Server, asked: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_table(f"{address(server)}?{asked}")
    assert "\n" not in str(caught.value)
    assert caught.value.do
    assert read_table(f"{address(server)}?table=loans").frame.height == 1000


@pytest.mark.parametrize(
    ("login", "base", "asked", "message"),
    [
        ("owner:hunter2", "postgres", "loans", "refused the login.*password authentication failed"),
        ("nobody:hunter2", "postgres", "loans", "refused the login"),
        ("owner", "postgres", "loans", "refused the login.*no password"),
        ("guest:guest", "nowhere", "loans", 'can\'t be opened.*"nowhere" does not exist'),
        ("guest:guest", "postgres", "loans", "may not read this.*permission denied"),
    ],
)
def test_logins_that_are_refused(server: Server, login: str, base: str, asked: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_table(f"{address(server, login, base)}?table={asked}")
    assert "hunter2" not in str(caught.value)


def test_a_server_that_is_not_there_is_tried_three_times(server: Server, no_waits: None) -> None:
    with pytest.raises(RunFailed, match=r"can't be reached, 3 times over.*Connection refused") as caught:
        read_table("sql:postgresql://ann:hunter2@127.0.0.1:1/db?table=t")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(RunFailed, match="can't be reached"):
        read_table("sql:postgresql://ann:hunter2@nowhere.invalid/db?table=t")


def break_after_first_batch(server: Server, monkeypatch: pytest.MonkeyPatch, times: int) -> list[int]:
    """Have the server end the connection that is being read from, once the first rows have come."""
    from adbc_driver_postgresql import dbapi

    kind, broken = sql.postgresql._PostgreSQL, []
    batches = kind.batches

    def breaking(self: sql.postgresql._PostgreSQL, text: str) -> Iterator[pl.DataFrame]:
        for batch in batches(self, text):
            yield batch
            if len(broken) < times:
                broken.append(batch.height)
                with dbapi.connect(address(server).removeprefix("sql:")) as other, other.cursor() as cursor:
                    cursor.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
                    )
                    cursor.fetchall()

    monkeypatch.setattr(kind, "batches", breaking)
    return broken


LARGE = "query=SELECT i, i * 0.5::float8 AS x, repeat('x', 20) AS s FROM generate_series(1, 1200000) AS r(i)"


def test_a_connection_that_breaks_half_way_is_read_anew(
    server: Server, monkeypatch: pytest.MonkeyPatch, no_waits: None
) -> None:
    broken = break_after_first_batch(server, monkeypatch, times=1)
    frame = read_table(f"{address(server)}?{LARGE}").frame
    assert len(broken) == 1
    assert broken[0] < 1_200_000
    assert frame.height == 1_200_000
    assert frame["i"].is_sorted()


def test_a_connection_that_breaks_time_after_time_fails(
    server: Server, monkeypatch: pytest.MonkeyPatch, no_waits: None
) -> None:
    break_after_first_batch(server, monkeypatch, times=99)
    with pytest.raises(RunFailed, match=r"was lost while rows were read, 3 times over") as caught:
        read_table(f"{address(server)}?{LARGE}")
    assert caught.value.exit_code == 1
    assert quote(PASSWORD, safe="") not in str(caught.value)


def files_with(folder: Path, words: list[str]) -> list[str]:
    """Give the files that hold one of some words."""
    held = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return [path.name for path, content in held.items() if any(word.encode() in content for word in words)]


SECRETS = [PASSWORD, quote(PASSWORD, safe="")]


def test_a_variable_stays_one_in_every_file_of_a_run(
    server: Server, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OWNER_PW", PASSWORD)
    source = f"{address(server, 'owner:${env:OWNER_PW}')}?table=people"
    checked = command("check", source, "--target", "label", "--json")
    assert checked.record["rows"]["read"] == 120, checked.err
    trained = command("train", source, "--target", "label", *QUICK_OPTIONS)
    assert trained.code == 0, trained.err
    run = tmp_path / "runs" / "people-1"
    assert "${env:OWNER_PW}" in (run / "config.yaml").read_text()
    assert not files_with(tmp_path, SECRETS)
    assert not any(secret in trained.out + trained.err + checked.out for secret in SECRETS)
    (run / "metrics.json").unlink()
    assert command("resume", run).code == 0
    monkeypatch.delenv("OWNER_PW")
    (run / "metrics.json").unlink()
    refused = command("resume", run)
    assert refused.code == 2
    assert "The environment variable OWNER_PW must be set." in refused.err


def test_a_password_that_is_written_out_is_in_no_file_of_a_run(
    server: Server, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = f"{address(server)}?table=people"
    trained = command("train", source, "--target", "label", "--out", "out", *QUICK_OPTIONS, "-o", "output.report=true")
    assert trained.code == 0, trained.err
    assert not files_with(tmp_path, SECRETS)
    assert "${env:WELLFIT_SECRET}" in (tmp_path / "out" / "config.yaml").read_text()
    weights = (tmp_path / "out" / "model.safetensors").read_bytes()
    (tmp_path / "out" / "metrics.json").unlink()
    refused = command("resume", "out")
    assert refused.code == 2
    assert "WELLFIT_SECRET must be set" in refused.err
    monkeypatch.setenv("WELLFIT_SECRET", PASSWORD)
    assert command("resume", "out").code == 0
    assert (tmp_path / "out" / "model.safetensors").read_bytes() == weights
    (tmp_path / "rows.csv").write_text(csv_text(small_columns()))
    shown = command("init", source, "--target", "label")
    assert not any(secret in shown.out for secret in SECRETS)
