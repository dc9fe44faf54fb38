"""A real MariaDB server, spoken to as MySQL: types, streams, and what is said when it refuses, is gone, or dies."""

from __future__ import annotations

import datetime as dt
import os
import signal
from collections.abc import Iterator
from urllib.parse import quote

import polars as pl
import pymysql
import pytest

from database_servers import PASSWORD, Server, mariadb
from wellfit.data.sources import read_table, sql
from wellfit.errors import DataError, RunFailed

TABLES = """
CREATE TABLE kinds (n INT, price DECIMAL(10, 2), s VARCHAR(9), day DATE, moment DATETIME, x DOUBLE, flag BOOL,
    hour TIME, kind ENUM('a', 'b'), void INT);
INSERT INTO kinds VALUES (1, 12.25, 'ü', '2024-01-05', '2024-01-05 10:00', 1.5, 1, '10:00', 'b', NULL);
CREATE TABLE loans AS SELECT seq AS id, seq / 2 AS x FROM seq_1_to_70000;
CREATE TABLE empty (a INT);
CREATE TABLE `odd``name` AS SELECT 7 AS `a b`;
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with mariadb() as running:
        login = {"host": "127.0.0.1", "port": running.port, "user": "owner", "password": PASSWORD, "database": "shop"}
        with pymysql.connect(**login) as connection, connection.cursor() as cursor:
            for statement in TABLES.split(";\n"):
                if statement.strip():
                    cursor.execute(statement)
            connection.commit()
        yield running


@pytest.fixture
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "_WAITS", (0.0, 0.0))


def address(server: Server, login: str = f"owner:{quote(PASSWORD, safe='')}", base: str = "shop") -> str:
    return f"sql:mysql://{login}@127.0.0.1:{server.port}/{base}"


def test_every_type_arrives_as_what_it_means(server: Server) -> None:
    table = read_table(f"{address(server)}?table=kinds")
    assert table.frame.row(0, named=True) == {
        "n": 1,
        "price": 12.25,
        "s": "ü",
        "day": dt.date(2024, 1, 5),
        "moment": dt.datetime(2024, 1, 5, 10),
        "x": 1.5,
        "flag": 1,
        "hour": dt.timedelta(hours=10),
        "kind": "b",
        "void": None,
    }
    assert table.record.details == {"database": "MySQL", "table": "kinds"}
    assert PASSWORD not in str(table.record)


def test_tables_and_queries_in_batches(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OWNER_PW", PASSWORD)
    frame = read_table(f"{address(server, 'owner:${env:OWNER_PW}')}?table=loans").frame
    assert frame["id"].to_list() == list(range(1, 70_001))
    assert frame["x"].n_chunks() == 2
    assert read_table(f"{address(server)}?table=odd`name").frame.rows() == [(7,)]
    asked = "query=SELECT id FROM loans WHERE id LIKE '6999%' ORDER BY id DESC LIMIT 2 -- some"
    assert read_table(f"{address(server)}?{asked}").frame["id"].to_list() == [69999, 69998]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("table=lones", r"no such table\. Got 'lones'\. Did you mean 'loans'"),
        ("table=empty", "The table has no rows"),
        ("query=SELECT zz FROM loans", "MySQL says: Unknown column 'zz'"),
        ("query=SELECT id FROM loans WHERE id < 0", "The query gives no rows"),
        ("query=SELECT 1 AS a, 2 AS a", "MySQL says: Duplicate column name 'a'"),
        ("query=DELETE FROM loans", "The query can't be run"),
        ("query=KILL 1", "The query can't be run"),
        ("", r"A table or a query must be named.*'empty', 'kinds', 'loans'"),
        ("table=loans&bogus=1", "MySQL takes no option 'bogus'"),
    ],
)
def test_what_the_server_refuses_is_one_sentence(server: Server, asked: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_table(f"{address(server)}?{asked}")
    assert "\n" not in str(caught.value)
    assert caught.value.do


def test_logins_that_are_refused(server: Server) -> None:
    with pytest.raises(DataError, match="refused the login") as caught:
        read_table(f"{address(server, 'owner:hunter2')}?table=loans")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(DataError, match="may not read this"):
        read_table(f"{address(server, base='mysql')}?table=user")
    with pytest.raises(DataError, match="address of the database can't be used"):
        read_table("sql:mysql://owner:hunter2@127.0.0.1:port/shop?table=loans")


def test_a_server_that_is_not_there_is_tried_three_times(no_waits: None) -> None:
    with pytest.raises(RunFailed, match=r"can't be reached, 3 times over.*Connection refused") as caught:
        read_table("sql:mysql://ann:hunter2@127.0.0.1:1/db?table=t")
    assert "hunter2" not in str(caught.value)


def test_a_server_that_dies_half_way(server: Server, monkeypatch: pytest.MonkeyPatch, no_waits: None) -> None:
    """The last test: the server is gone after it."""
    kind = sql.mysql._MySQL
    batches = kind.batches

    def dying(self: sql.mysql._MySQL, text: str) -> Iterator[pl.DataFrame]:
        for batch in batches(self, text):
            yield batch
            os.kill(server.process, signal.SIGKILL)

    monkeypatch.setattr(kind, "batches", dying)
    large = "query=SELECT seq, repeat('x', 200) AS s FROM seq_1_to_2000000"
    with pytest.raises(RunFailed, match=r"3 times over\. .*") as caught:
        read_table(f"{address(server)}?{large}")
    assert quote(PASSWORD, safe="") not in str(caught.value)
