"""A source as a run keeps it: it holds from any folder, and no secret is in it."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote_plus

from wellfit.data.sources.excel import SHEET
from wellfit.data.sources.many.finding import fixed_part, is_pattern
from wellfit.data.sources.paths import looks_like_uri, masked
from wellfit.data.sources.secrets import without_secrets

__all__ = ["lasting", "name_of", "secrets_kept_out"]

_FILE = re.compile(r"(?P<start>(?:sql:)?(?:sqlite3?|duckdb):///)(?P<path>[^/?][^?]*)(?P<rest>.*)", re.DOTALL)


def lasting(source: str | tuple[str, ...]) -> str | tuple[str, ...]:
    """Give a source as a config keeps it: paths from the root on, secrets by the names of variables.

    >>> lasting("sql:postgresql://ann:hunter2@host/db?table=t")
    'sql:postgresql://ann:${env:WELLFIT_SECRET}@host/db?table=t'
    """
    return _lasting(source) if isinstance(source, str) else tuple(map(_lasting, source))


def _lasting(source: str) -> str:
    if found := _FILE.fullmatch(source):
        return found["start"] + os.path.abspath(found["path"]) + found["rest"]
    if looks_like_uri(source) and not os.path.exists(source):
        return without_secrets(source)[0]
    if found := SHEET.fullmatch(source):
        return f"{os.path.abspath(found['path'])}?sheet={found['sheet']}"
    if is_pattern(source):
        return os.path.abspath(source)
    return str(Path(source).resolve()) if os.path.exists(source) else source


def secrets_kept_out(sources: Sequence[str | tuple[str, ...] | None]) -> list[str]:
    """Say which variables stand for secrets that were written out in sources and that no file of a run holds."""
    names = [
        name
        for source in sources
        if isinstance(source, str) and looks_like_uri(source)
        for name in without_secrets(source)[1]
    ]
    do = "set it to go on with the run, or write ${env:NAME} in the address"
    return [f"A secret of the address is not written to the run; {name} stands for it: {do}." for name in names]


def name_of(source: str | tuple[str, ...]) -> str:
    """Give what a source is called in short, for a folder's name; a list is called as its first file.

    >>> name_of("data/loans.csv.gz"), name_of("sql:postgresql://ann:pw@host/db?table=public.loans")
    ('loans', 'public-loans')
    """
    source = source if isinstance(source, str) else source[0]
    if looks_like_uri(source):
        address, _, options = masked(source).partition("?")
        named = re.search(r"(?:^|&)table=([^&]*)", options)
        stem = unquote_plus(named[1]) if named else Path(address).name.rpartition("@")[2].partition(".")[0]
    else:
        sheet = SHEET.fullmatch(source)
        parts = fixed_part(source).parts if is_pattern(source) and not sheet else Path(source).parts
        stem = parts[-1].partition(".")[0] if parts else ""
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in stem).strip("-")
