"""Addresses of databases: what they name, what is secret in them, and what a run keeps of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from wellfit.data.sources.lasting import lasting, name_of, secrets_kept_out
from wellfit.data.sources.secrets import STAND_IN, filled, hidden, secret_values, without_secrets
from wellfit.data.sources.sql.address import names_database, parsed
from wellfit.errors import DataError


def test_an_address_is_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PW", "p@ss/w:rd?1")
    address = parsed("sql:postgresql://ann:${env:PW}@host:5433/db?sslmode=require&table=public.loans")
    assert address.dialect == "postgresql"
    assert address.place == "ann:p%40ss%2Fw%3Ard%3F1@host:5433/db"
    assert address.options == (("sslmode", "require"),)
    assert address.table == ("public", "loans")
    assert address.shown == "sql:postgresql://***@host:5433/db?sslmode=require&table=public.loans"


def test_a_variable_may_hold_the_whole_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://ann:hunter2@host/db?sslmode=require")
    address = parsed("sql:${env:DATABASE_URL}?table=loans")
    assert (address.dialect, address.place) == ("postgresql", "ann:hunter2@host/db")
    assert (address.options, address.table) == ((("sslmode", "require"),), ("loans",))
    assert address.shown == "sql:${env:DATABASE_URL}?table=loans"
    assert "hunter2" in secret_values(address.given)


@pytest.mark.parametrize(
    ("given", "table"),
    [
        ("t", ("t",)),
        ("t\n", ("t",)),
        ("s.t", ("s", "t")),
        ('"a.b"', ("a.b",)),
        ('s."a.b"', ("s", "a.b")),
        ('"say ""x"""', ('say "x"',)),
        ("two%20words", ("two words",)),
        ("t; DROP TABLE x", ("t; DROP TABLE x",)),
    ],
)
def test_names_of_tables(given: str, table: tuple[str, ...]) -> None:
    assert parsed(f"sql:sqlite:///x.db?table={given}").table == table


@pytest.mark.parametrize(
    ("given", "query"),
    [
        ("SELECT a FROM t WHERE b = 'x&y' AND c LIKE '%20'", "SELECT a FROM t WHERE b = 'x&y' AND c LIKE '%20'"),
        ("SELECT%20a+FROM%20t", "SELECT a FROM t"),
        ("SELECT 1 AS a; ", "SELECT 1 AS a"),
        ("SELECT a\nFROM t?", "SELECT a\nFROM t?"),
    ],
)
def test_queries_are_taken_as_they_stand_or_decoded(given: str, query: str) -> None:
    assert parsed(f"sql:sqlite:///x.db?query={given}").query == query


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("sql:", "no address of a database"),
        ("sql:postgresql://?table=t", "no address of a database"),
        ("sql:oracle://host/db?table=t", r"no database of the kind 'oracle'.*Known: postgresql, mysql, sqlite, duckdb"),
        ("sql:postgresq://host/db?table=t", "Did you mean 'postgresql'"),
        ("sql:sqlite:///x.db?tabel=t", r"SQLite takes no option 'tabel'.*Did you mean 'table'"),
        ("sql:sqlite:///x.db?table=t&query=SELECT 1", "a table or a query, not both"),
        ("sql:sqlite:///x.db?table=a..b", "named by its name, or by schema.name"),
        ("sql:sqlite:///x.db?table=a.", "named by its name, or by schema.name"),
        ('sql:sqlite:///x.db?table="a"b', "named by its name, or by schema.name"),
        ("sql:postgresql://host/db?query=SELECT ${env:HOME} AS a", "A query takes no variables"),
        ("sql:mysql://ann:${env:WELLFIT_NOT_SET}@host/db?table=t", r"WELLFIT_NOT_SET must be set.*export"),
    ],
)
def test_bad_addresses_are_told(given: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        parsed(given)
    assert caught.value.do


def test_what_names_a_database() -> None:
    assert names_database("sql:sqlite:///x.db")
    assert names_database("postgresql://host/db?table=t")
    assert not names_database("https://host/x.csv")
    assert not names_database("x.csv")


@pytest.mark.parametrize(
    ("given", "kept", "names"),
    [
        (
            "sql:postgresql://ann:hunter2@host/db?table=t",
            "sql:postgresql://ann:${env:WELLFIT_SECRET}@host/db?table=t",
            ["WELLFIT_SECRET"],
        ),
        ("sql:postgresql://ann:p@ss@host/db", "sql:postgresql://ann:${env:WELLFIT_SECRET}@host/db", ["WELLFIT_SECRET"]),
        ("sql:postgresql://ann:${env:PW}@host/db", "sql:postgresql://ann:${env:PW}@host/db", []),
        ("sql:postgresql://ann@host/db?table=t", "sql:postgresql://ann@host/db?table=t", []),
        (
            "https://ann:one@host/x?api_key=two&rows=5",
            "https://ann:${env:WELLFIT_SECRET}@host/x?api_key=${env:WELLFIT_SECRET_2}&rows=5",
            ["WELLFIT_SECRET", "WELLFIT_SECRET_2"],
        ),
        (
            "sql:mysql://host/db?password=hunter2",
            "sql:mysql://host/db?password=${env:WELLFIT_SECRET}",
            ["WELLFIT_SECRET"],
        ),
        *(
            (
                f"https://host/x?{name}=Zk81abcd&rows=5",
                f"https://host/x?{name}=${{env:WELLFIT_SECRET}}&rows=5",
                [STAND_IN],
            )
            for name in ("appid", "app_id", "code", "jwt", "sid", "session", "Bearer")
        ),
        ("https://host/x?z=9fK2mQ7xL4vB8nT1cR6wY3pD", "https://host/x?z=${env:WELLFIT_SECRET}", [STAND_IN]),
        *(
            (address, address, [])
            for address in (
                "https://host/x?code=DE&rows=5",
                "https://host/x?resource_id=550e8400-e29b-41d4-a716-446655440000",
                "https://host/x?from=2023-01-01T00:00:00&to=20240101",
                "sql:postgresql://host/db?table=loans_of_customers_2023_and_2024",
                "sql:postgresql://host/db?query=SELECT%20a1%20FROM%20t2%20WHERE%20b3%3E4%20AND%20c5%3C6",
            )
        ),
    ],
)
def test_secrets_that_are_written_out_are_not_kept(given: str, kept: str, names: list[str]) -> None:
    assert without_secrets(given) == (kept, names)
    assert lasting(given) == kept
    assert len(secrets_kept_out([given, None])) == len(names)


def test_what_stands_for_a_secret_is_named_when_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, _ = without_secrets("sql:postgresql://ann:hun%74er2@host/db")
    with pytest.raises(DataError, match=r"WELLFIT_SECRET must be set.*secret that was in the address"):
        filled(kept)
    monkeypatch.setenv("WELLFIT_SECRET", "hunter2")
    assert filled(kept, quoted=True) == "sql:postgresql://ann:hunter2@host/db"


@pytest.mark.parametrize("said", ["p@ss/w:rd", "p%40ss%2Fw%3Ard"])
def test_messages_lose_every_form_of_a_secret(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    monkeypatch.setenv("PW", "p@ss/w:rd")
    address = "sql:postgresql://ann:${env:PW}@host/db"
    assert hidden(f"no login with {said}!", address) == "no login with ***!"
    assert hidden(f"no login with {said}!", "sql:postgresql://ann:p%40ss%2Fw%3Ard@host/db") == "no login with ***!"


def test_paths_hold_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("a\n1\n")
    assert lasting("t.csv") == str(tmp_path / "t.csv")
    assert lasting("*.csv") == str(tmp_path / "*.csv")
    assert lasting("b.xlsx?sheet=A") == f"{tmp_path}/b.xlsx?sheet=A"
    assert lasting("sql:sqlite:///x.db?table=t") == f"sql:sqlite:///{tmp_path}/x.db?table=t"
    assert lasting(f"sql:duckdb:///{tmp_path}/x.db?table=t") == f"sql:duckdb:///{tmp_path}/x.db?table=t"
    assert lasting("nowhere.csv") == "nowhere.csv"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("data/loans.csv.gz", "loans"),
        ("data/loans/part-*.csv", "loans"),
        ("*.csv", ""),
        ("book.xlsx?sheet=May", "book"),
        ("sql:postgresql://ann:pw@host/db?table=public.loans", "public-loans"),
        ("sql:postgresql://ann:pw@host/shop?query=SELECT 1", "shop"),
        ("sql:sqlite:///data/x.db?query=SELECT 1", "x"),
        ("sql:postgresql://ann:pw@host", "host"),
        ("sql:postgresql://ann:p/w@host", "host"),
    ],
)
def test_a_source_has_a_short_name_without_secrets(source: str, name: str) -> None:
    assert name_of(source) == name
