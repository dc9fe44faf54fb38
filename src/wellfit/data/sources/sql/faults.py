"""Errors of databases as one sentence each, with no secret in it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from wellfit.data.sources.secrets import hidden
from wellfit.data.sources.sql.address import Address
from wellfit.data.sources.sql.database import Fault
from wellfit.errors import DataError, RunFailed, WellfitError, did_you_mean, shown

__all__ = ["Lost", "explained", "missing_driver", "unnamed"]

_LONGEST = 300
_LEVEL = re.compile(r"^[\w ]{1,20}Error: *")


class Lost(RunFailed):
    """A connection that broke, or could not be made: another try may succeed."""


def explained(fault: Fault, address: Address, tables: Sequence[str]) -> WellfitError:
    """Say what went wrong; ``tables`` are those that there are, to name a near one."""
    says = f"{address.product} says: {_says(fault, address)}."
    match fault.kind:
        case "address":
            return DataError("The address of the database can't be used.", got=address.shown, do=f"Mend it. {says}")
        case "login":
            return DataError(
                "The database refused the login.", got=address.shown, do=f"Check user and password. {says}"
            )
        case "database":
            return DataError("The database can't be opened.", got=address.shown, do=f"Check its name. {says}")
        case "table" if address.table:
            name = ".".join(address.table)
            return DataError("There is no such table.", got=name, do=did_you_mean(name, tables) or says)
        case "rights":
            return DataError("The login may not read this.", got=address.shown, do=f"Ask for the right to. {says}")
        case "busy":
            return DataError("The database is locked by another program.", got=address.shown, do=f"Close that. {says}")
        case "unreachable":
            return Lost("The database can't be reached.", got=address.shown, do=f"Check host and port. {says}")
        case "lost":
            return Lost("The connection was lost while rows were read.", got=address.shown, do=f"Try again. {says}")
    asked = address.query or ".".join(address.table)
    return DataError("The query can't be run.", got=asked, do=says)


def _says(fault: Fault, address: Address) -> str:
    """Give what a driver says, on one line, without its own marks and without any secret."""
    lines = [line.strip() for line in hidden(fault.says, address.given).splitlines() if line.strip(" ^")]
    text = _LEVEL.sub("", " ".join(lines)).rstrip(". ")
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."


def unnamed(address: Address, tables: Sequence[str]) -> DataError:
    """Say that a table must be named, and which there are."""
    if not tables:
        return DataError("The database has no tables.", got=address.shown, do="Check its name.")
    listing = ", ".join(map(shown, tables[:10])) + (", ..." if len(tables) > 10 else "")
    do = f"Add ?table={tables[0]}. There are: {listing}."
    return DataError("A table or a query must be named.", got=address.shown, do=do)


def missing_driver(address: Address) -> DataError:
    """Say how a driver is installed."""
    rule = f"Reading {address.product} needs a driver that is not installed."
    return DataError(rule, got=address.shown, do="Install it: pip install 'wellfit[sql]'.")
