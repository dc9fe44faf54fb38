"""Secrets of a source: named as ``${env:NAME}``, filled in when it is read, and shown nowhere."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, unquote

from wellfit.data.sources.paths import PARAMETER, is_secret, masked
from wellfit.errors import DataError

__all__ = ["filled", "hidden", "named_in", "secret_values", "without_secrets"]

_REFERENCE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
_LOGIN = re.compile(r"(?<=//)(?P<user>[^\s/?#:@]*):(?P<secret>[^\s?#]*)(?=@)")
STAND_IN = "WELLFIT_SECRET"
"""The variable that stands in a saved config for a secret that was written out."""


def named_in(text: str) -> list[str]:
    """Give the names of the variables that a text refers to.

    >>> named_in("sql:postgresql://ann:${env:PW}@host/db?table=t")
    ['PW']
    """
    return list(dict.fromkeys(_REFERENCE.findall(text)))


def filled(text: str, *, quoted: bool = False) -> str:
    """Put the values of variables in the place of their names; ``quoted`` writes them as an address needs it.

    Raises:
        DataError: a variable is not set.
    """
    for name in named_in(text):
        if name not in os.environ:
            do = f"Set it: export {name}=..."
            if name.startswith(STAND_IN):
                do += "; it stands for the secret that was in the address, which is never written to a file."
            raise DataError(f"The environment variable {name} must be set.", do=do)
    return _REFERENCE.sub(lambda found: _value(found[1], quoted), text)


def _value(name: str, quoted: bool) -> str:
    value = os.environ[name]
    return quote(value, safe="") if quoted else value


def secret_values(address: str) -> list[str]:
    """Give every secret of an address, as written and as it is meant: the values of its variables, its passwords."""
    values = [os.environ[name] for name in named_in(address) if name in os.environ]
    for pattern in (_LOGIN, PARAMETER):
        values += [found["secret"] for text in (address, *values) for found in pattern.finditer(text) if _tells(found)]
    values = [value for value in values if value and not _REFERENCE.fullmatch(value)]
    return sorted({form for value in values for form in _forms(value)}, key=len, reverse=True)


def _tells(found: re.Match[str]) -> bool:
    """Say whether what a pattern found is a secret: a login's always is, a parameter's by its name or value."""
    return found.re is _LOGIN or is_secret(found["name"], found["secret"])


def _forms(value: str) -> Iterable[str]:
    return (value, unquote(value), quote(value, safe=""), quote_plus(value))


def hidden(message: str, address: str) -> str:
    """Take every secret of an address out of a message, such as a driver's.

    >>> hidden("FATAL: no entry for ann:hunter2", "sql:postgresql://ann:hunter2@host/db")
    'FATAL: no entry for ann:***'
    """
    for secret in secret_values(address):
        message = message.replace(secret, "***")
    return masked(message)


def without_secrets(address: str) -> tuple[str, list[str]]:
    """Put variables' names in the place of the secrets that are written out in an address; give those names too.

    >>> without_secrets("sql:postgresql://ann:hunter2@host/db?table=t")
    ('sql:postgresql://ann:${env:WELLFIT_SECRET}@host/db?table=t', ['WELLFIT_SECRET'])
    """
    names: list[str] = []

    def stand_in(found: re.Match[str]) -> str:
        if not found["secret"] or _REFERENCE.fullmatch(found["secret"]) or not _tells(found):
            return found[0]
        names.append(STAND_IN + (f"_{len(names) + 1}" if names else ""))
        return found[0][: found.start("secret") - found.start()] + f"${{env:{names[-1]}}}"

    for pattern in (_LOGIN, PARAMETER):
        address = pattern.sub(stand_in, address)
    return address, names
