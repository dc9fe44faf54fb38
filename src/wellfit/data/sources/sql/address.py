"""The address of rows in a database: ``sql:postgresql://ann:${env:PW}@host/db?table=loans``.

    sql:DIALECT://LOGIN@HOST:PORT/DATABASE?table=NAME
    sql:DIALECT://LOGIN@HOST:PORT/DATABASE?query=SELECT ...
    sql:sqlite:///FILE?table=NAME          three slashes and a path; four where the path begins at the root
    sql:${env:DATABASE_URL}?table=NAME     the whole address in a variable

``table`` may have a schema before a dot; a part that has a dot itself stands in double quotes. A query that has blanks
is taken as it stands, up to its end; one without is decoded (``%20``, ``+``). Other options go to the driver.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_plus

from wellfit.data.sources.paths import masked
from wellfit.data.sources.secrets import filled, named_in
from wellfit.errors import DataError, did_you_mean

__all__ = ["DIALECTS", "Address", "names_database", "parsed"]

DIALECTS = {
    "postgresql": "PostgreSQL",
    "mysql": "MySQL",
    "sqlite": "SQLite",
    "duckdb": "DuckDB",
}
"""What a dialect is called."""
_FILES = ("sqlite", "duckdb")
_ALIASES = {"postgres": "postgresql", "mariadb": "mysql", "sqlite3": "sqlite"}
_WHOLE = re.compile(r"\$\{env:\w+\}")
_EXAMPLE = "Write sql:postgresql://ann:${env:PW}@host/db?table=loans."


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where rows are; what is secret in it is in memory only."""

    given: str
    """As it was written, variables by their names."""
    dialect: str
    """A key of `DIALECTS`."""
    place: str
    """What follows ``://``, variables filled in: a login, a host and a database, or the path of a file."""
    options: tuple[tuple[str, str], ...]
    """What the driver is told besides."""
    table: tuple[str, ...] = ()
    """The name of a table, after that of its schema where there is one."""
    query: str = ""

    @property
    def shown(self) -> str:
        """The address as an error may show it."""
        return masked(self.given)

    @property
    def product(self) -> str:
        """What the database is called."""
        return DIALECTS[self.dialect]


def names_database(text: str) -> bool:
    """Whether a source is the address of a database, with or without ``sql:`` before it.

    >>> names_database("sqlite:///loans.db?table=t"), names_database("loans.csv")
    (True, False)
    """
    scheme = text.partition("://")[0]
    return text.startswith("sql:") or scheme in {*DIALECTS, *_ALIASES}


def parsed(given: str) -> Address:
    """Take an address apart, and fill in its variables.

    >>> parsed("sql:sqlite:///loans.db?table=main.loans").table
    ('main', 'loans')

    Raises:
        DataError: the address is of another form, of an unknown dialect, or a variable is not set.
    """
    front, _, text = _with_address(given.strip().removeprefix("sql:")).partition("?")
    scheme, mark, place = front.partition("://")
    dialect = _dialect(scheme, given) if mark else ""
    if not dialect or not place:
        raise DataError("This is no address of a database.", got=masked(given), do=_EXAMPLE)
    options, query = _options(text)
    table = _parts(options.pop("table", ""), given)
    if options and dialect in _FILES:
        name = next(iter(options))
        do = did_you_mean(name, ("table", "query"))
        raise DataError(f"{DIALECTS[dialect]} takes no option '{name}'.", got=masked(given), do=do)
    if table and query:
        raise DataError("An address names a table or a query, not both.", got=masked(given), do="Leave one out.")
    if named_in(query):
        do = "Write the value into the query, or make a view."
        raise DataError("A query takes no variables: they stand for logins and hosts.", got=masked(given), do=do)
    return Address(
        given=given,
        dialect=dialect,
        place=filled(place, quoted=dialect not in _FILES),
        options=tuple((name, filled(value)) for name, value in options.items()),
        table=table,
        query=query,
    )


def _with_address(text: str) -> str:
    """Fill in a variable that holds the address itself."""
    whole = _WHOLE.match(text)
    if whole is None:
        return text
    held, rest = filled(whole[0]).removeprefix("sql:"), text[whole.end() :]
    return held + ("&" + rest[1:] if "?" in held and rest.startswith("?") else rest)


def _dialect(scheme: str, given: str) -> str:
    # SQLAlchemy's form names a driver after a plus sign; which one is used is no matter of the address
    name = scheme.partition("+")[0].lower()
    name = _ALIASES.get(name, name)
    if name not in DIALECTS:
        raise DataError(
            f"There is no database of the kind '{name}'.", got=masked(given), do=did_you_mean(name, DIALECTS)
        )
    return name


def _options(text: str) -> tuple[dict[str, str], str]:
    """Give the options of an address and its query; a query that has blanks goes on to the end."""
    found = re.search(r"(?:^|&)query=", text)
    query = ""
    if found and re.search(r"\s", text[found.end() :]):
        text, query = text[: found.start()], text[found.end() :]
    pairs = [pair.partition("=") for pair in text.split("&") if pair]
    options = {name: unquote_plus(value) for name, _, value in pairs}
    query = query or options.pop("query", "")
    return options, query.strip().rstrip(";").rstrip()


_PART = re.compile(r'"((?:[^"]|"")+)"|([^".]+)')


def _parts(name: str, given: str) -> tuple[str, ...]:
    """Take a table's name apart at its dots."""
    parts: list[str] = []
    place = 0
    while place < len(name) and (found := _PART.match(name, place)):
        parts.append(found[2] or found[1].replace('""', '"'))
        place = found.end() + 1
        if found.end() < len(name) and name[found.end()] != ".":
            break
    if not name or (place == len(name) + 1 and "\0" not in name):
        return tuple(parts)
    raise DataError("A table is named by its name, or by schema.name.", got=name, do=f"Check it: {masked(given)}.")
