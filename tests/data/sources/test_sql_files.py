"""Tables and queries of SQLite and DuckDB files, and training from them on the command line."""

from __future__ import annotations

import datetime as dt
import math
import sqlite3
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from small import QUICK_OPTIONS, Command, small_columns
from wellfit.data.sources import read_table
from wellfit.data.sources.sql import database
from wellfit.errors import DataError


@pytest.fixture
def loans(tmp_path: Path) -> str:
    """An SQLite file with tables of every kind; its address."""
    path = tmp_path / "loans.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            """
            CREATE TABLE loans (id INTEGER PRIMARY KEY, x REAL, s TEXT, mixed, void);
            INSERT INTO loans VALUES (1, 1.5, 'u', 1, NULL), (2, NULL, 'ü', 2.5, NULL), (3, 2, NULL, 'z', NULL);
            CREATE TABLE "say ""x"" -- it" (a); INSERT INTO "say ""x"" -- it" VALUES (7);
            CREATE TABLE empty (a);
            CREATE VIEW dear AS SELECT id FROM loans WHERE x > 1.6;
            """
        )
    connection.close()
    return f"sql:sqlite:///{path}"


def test_a_table_of_sqlite(loans: str) -> None:
    table = read_table(f"{loans}?table=loans")
    expected = {"id": [1, 2, 3], "x": [1.5, None, 2.0], "s": ["u", "ü", None], "mixed": ["1", "2.5", "z"]}
    assert table.frame.to_dict(as_series=False) == {**expected, "void": [None, None, None]}
    assert table.record.kind == "sql"
    assert table.record.uri == f"{loans}?table=loans"
    assert table.record.details == {"database": "SQLite", "table": "loans"}
    assert table.record.rows == 3


def test_views_queries_odd_names_and_addresses_without_sql(loans: str) -> None:
    assert read_table(f"{loans}?table=dear").frame.rows() == [(3,)]
    assert read_table(f'{loans}?table="say ""x"" -- it"').frame.rows() == [(7,)]
    table = read_table(f"{loans}?query=SELECT s, x*2 AS y FROM loans WHERE s LIKE '%u%' -- those with u")
    assert table.frame.rows() == [("u", 3.0)]
    assert str(table.record.details["query"]).startswith("SELECT s")
    assert read_table(f"{loans}?table=main.dear".removeprefix("sql:")).frame.rows() == [(3,)]


def test_types_that_change_between_batches(loans: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read_table(f"{loans}?table=loans").frame
    monkeypatch.setattr(sys.modules["wellfit.data.sources.sql.sqlite"], "BATCH_ROWS", 1)
    assert_frame_equal(read_table(f"{loans}?table=loans").frame, whole)


def test_a_file_of_one_table_needs_no_address(loans: str, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "one.sqlite") as connection:
        connection.execute("CREATE TABLE 'o.ne' AS SELECT 1 AS a")
    connection.close()
    assert read_table(tmp_path / "one.sqlite").frame.rows() == [(1,)]
    with pytest.raises(DataError, match=r"A table or a query must be named.*There are: 'dear', 'empty', 'loans'"):
        read_table(tmp_path / "loans.db")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("table=lones", r"no such table\. Got 'lones'\. Did you mean 'loans'"),
        ("table=loans; DROP TABLE loans", "no such table"),
        ("table=empty", "The table has no rows"),
        ("query=SELECT zz FROM loans", "SQLite says: no such column: zz"),
        ("query=SELECT id FROM loans WHERE id > 9", "The query gives no rows"),
        ("query=SELECT id, id FROM loans AS t JOIN loans USING (id) WHERE", "The query can't be run"),
        ("query=SELECT 1 AS a, 2 AS a", r"'a' stands more than once\. Name them differently: SELECT x AS y"),
        ("query=DELETE FROM loans", "The query can't be run"),
        ("query=SELECT 1; DELETE FROM loans", "The query can't be run"),
        ("query=ATTACH 'other.db' AS other", "The query can't be run"),
        ("query=PRAGMA user_version = 7", "The query can't be run"),
        ("query=SELECT zeroblob(5000000) AS a", "too big"),
        ("query=SELECT printf('%.*c', 1500000, 'x') AS a", r"Row 1 has a cell over 1 MB in column 'a'"),
        ("", "A table or a query must be named"),
    ],
)
def test_what_sqlite_refuses_is_one_sentence(
    loans: str, asked: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=message) as caught:
        read_table(f"{loans}?{asked}")
    assert "\n" not in str(caught.value)
    assert caught.value.do
    assert read_table(f"{loans}?table=loans").frame.height == 3
    assert [path.name for path in tmp_path.iterdir()] == ["loans.db"]


def test_damaged_and_missing_files(tmp_path: Path) -> None:
    (tmp_path / "bad.db").write_bytes(b"SQLite format 3\0" + b"x" * 5000)
    (tmp_path / "text.db").write_text("a,b\n1,2\n" * 100)
    for name in ("bad.db", "text.db"):
        with pytest.raises(DataError, match=r"The database can't be opened"):
            read_table(f"sql:sqlite:///{tmp_path / name}?table=t")
    with pytest.raises(DataError, match=r"no such file.*Did you mean '.*bad\.db'"):
        read_table(f"sql:sqlite:///{tmp_path}/bat.db?table=t")


@pytest.fixture
def shop(tmp_path: Path) -> str:
    """A DuckDB file; its address."""
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.execute(
            """
            CREATE TABLE goods AS SELECT i AS id, (i / 4)::DECIMAL(10, 2) AS price, 'g' || i AS name,
                DATE '2024-01-01' + i::INTEGER AS day, i::HUGEINT AS huge, [i, i + 1] AS pair,
                CASE WHEN i % 2 = 0 THEN 'a' ELSE 'b' END::ENUM('a', 'b') AS kind, INTERVAL 1 DAY AS span
            FROM range(3) AS r(i);
            CREATE SCHEMA other; CREATE TABLE other."a b" (x INTEGER); INSERT INTO other."a b" VALUES (7);
            """
        )
    return f"sql:duckdb:///{tmp_path / 'shop.duckdb'}"


def test_a_table_of_duckdb(shop: str, tmp_path: Path) -> None:
    table = read_table(f"{shop}?table=goods")
    assert table.frame.to_dict(as_series=False) == {
        "id": [0, 1, 2],
        "price": [0.0, 0.25, 0.5],
        "name": ["g0", "g1", "g2"],
        "day": [dt.date(2024, 1, 1), dt.date(2024, 1, 2), dt.date(2024, 1, 3)],
        "huge": [0.0, 1.0, 2.0],
        "pair": ["[0, 1]", "[1, 2]", "[2, 3]"],
        "kind": ["a", "b", "a"],
        "span": ["1 day"] * 3,
    }
    assert table.record.details == {"database": "DuckDB", "table": "goods"}
    assert read_table(f"{shop}?table=other.a b").frame.rows() == [(7,)]
    assert read_table(f"{shop}?query=SELECT max(id) AS top FROM goods").frame.rows() == [(2,)]
    with pytest.raises(DataError, match=r"must be named.*'goods', 'other\.a b'"):
        read_table(tmp_path / "shop.duckdb")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("table=godds", r"no such table\. Got 'godds'\. Did you mean 'goods'"),
        ("query=SELECT zz FROM goods", 'DuckDB says: .*"zz"'),
        ("query=SELECT id FROM goods WHERE id > 9", "The query gives no rows"),
        ("query=COPY goods TO 'out.csv'", "The query can't be run"),
        ("query=SELECT * FROM read_text('/etc/hostname')", "The query can't be run.*disabled"),
        ("query=SELECT 1 AS a, 2 AS a", "'a' stands more than once"),
    ],
)
def test_what_duckdb_refuses_is_one_sentence(
    shop: str, asked: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=message) as caught:
        read_table(f"{shop}?{asked}")
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["shop.duckdb"]


def test_large_tables_come_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = 3 * database.BATCH_ROWS + 5
    with duckdb.connect(str(tmp_path / "b.duckdb")) as connection:
        connection.execute(f"CREATE TABLE t AS SELECT i, i * 0.5 AS x FROM range({rows}) AS r(i)")
    frame = read_table(f"sql:duckdb:///{tmp_path / 'b.duckdb'}?table=t").frame
    assert frame["i"].to_list() == list(range(rows))
    assert frame["x"].n_chunks() == math.ceil(rows / database.BATCH_ROWS)


def test_without_a_driver_its_installation_is_named(shop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("duckdb", "adbc_driver_postgresql", "pymysql"):
        monkeypatch.setitem(sys.modules, module, None)
    for address in (f"{shop}?table=goods", "sql:postgresql://h/d?table=t", "sql:mysql://h/d?table=t"):
        with pytest.raises(DataError, match=r"needs a driver that is not installed.*pip install 'wellfit\[sql\]'"):
            read_table(address)


def test_decimals_of_drivers_are_numbers() -> None:
    from wellfit.data.sources.sql.rows import frame_of_rows

    frame = frame_of_rows(["a", "b"], [(Decimal("1.25"), dt.timedelta(hours=2)), (None, None)])
    assert frame.rows() == [(1.25, dt.timedelta(hours=2)), (None, None)]


def test_check_train_resume_and_predict_from_a_database(command: Command, tmp_path: Path) -> None:
    frame = pl.DataFrame(small_columns())
    with sqlite3.connect("x.db") as connection:
        connection.execute("CREATE TABLE t (size REAL, age INTEGER, kind TEXT, label TEXT)")
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", frame.rows())
    connection.close()
    source = "sql:sqlite:///x.db?table=t"
    checked = command("check", source, "--target", "label", "--json")
    assert checked.record["rows"]["read"] == frame.height
    Path("run.yaml").write_text(f"data: {{source: '{source}', target: label}}\noutput: {{run: out}}\n")
    command("train", "-c", "run.yaml", *QUICK_OPTIONS)
    kept = Path("out/config.yaml").read_text()
    assert f"sql:sqlite:///{tmp_path}/x.db?table=t" in kept
    command("predict", "out", "sql:sqlite:///x.db?query=SELECT size, age, kind FROM t LIMIT 7", "-o", "p.csv")
    assert pl.read_csv("p.csv").height == 7
    failed = command("check", "sql:sqlite:///x.db?table=s", "--target", "label")
    assert failed.code == 2
    assert failed.errors == ["error: There is no such table. Got 's'. Known: t."]
