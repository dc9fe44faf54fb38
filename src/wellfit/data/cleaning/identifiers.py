"""Columns that name the row and tell nothing of it: running numbers, keys, names, free text."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

__all__ = ["named_code", "named_id", "named_owner", "running_number", "unusable_text", "words_of"]

_WHOLE = re.compile(
    "index|rownames?|row|rowid|rownumber|instant|serial|no|nr|num|number|seq|sequence|recno|key|pk|[poructs]?id|"
    "uuid|guid|unnamed.*|"
)
_OWNERS = (
    "user|customer|passenger|patient|client|account|order|product|item|row|record|session|transaction|trip|ride|"
    "employee|member|student|person|case|sample|subject|loan|house|property|observation|ticket|invoice|household|family"
)
_PERSONS = frozenset(
    ("user", "customer", "passenger", "patient", "client", "employee", "member", "student", "person", "subject")
) | {"household", "family", "participant", "respondent", "proband", "donor"}
"""Those who may own several rows: a column of that name alone says whose a row is."""

_JOINED = re.compile(rf"(?:{_OWNERS})(?:id|no|nr|number|key)")
_CODES = frozenset(("zip", "zipcode", "postcode", "postalcode", "id", "uuid", "guid"))

DENSE_ROWS = 30
DENSITY = 0.4
"""Different whole numbers that fill so much of their range are a running number of which some rows are elsewhere."""

HEAD = 1_000
"""The first rows tell of most columns that they do not number the rows."""

FREE_TEXT_SHARE = 0.5
FREE_TEXT_LEVELS = 50


def words_of(name: str) -> list[str]:
    """Give the words of a column's name, in lower case.

    >>> words_of("created_at"), words_of("PassengerId")
    (['created', 'at'], ['passenger', 'id'])
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return [word for word in re.split(r"[^A-Za-z0-9]+", spaced.lower()) if word]


def named_id(name: str) -> bool:
    """Say whether a column's name says that it identifies the row.

    >>> [named_id(name) for name in ("PassengerId", "customer_id", "PID", "rownames", "Unnamed: 0", "paid", "humid")]
    [True, True, True, True, True, False, False]
    """
    words = words_of(name)
    joined = "".join(words)
    if _WHOLE.fullmatch(joined) or _JOINED.fullmatch(joined):
        return True
    return not {"id", "uuid", "guid", "rownames"}.isdisjoint(words)


def named_owner(name: str) -> bool:
    """Say whether a column's name says whose a row is.

    >>> [named_owner(name) for name in ("Patient", "household_no", "customer_id", "customer_age", "product")]
    [True, True, True, False, False]
    """
    words = [word for word in words_of(name) if word not in ("no", "nr", "number", "code", "name")]
    return named_id(name) or (len(words) == 1 and words[0] in _PERSONS)


def named_code(name: str) -> bool:
    """Say whether a column's name says that its numbers are codes, such as ``zip_code`` or ``store_id``."""
    words = words_of(name)
    joined = "".join(words)
    return not _CODES.isdisjoint({*words, joined}) or _JOINED.fullmatch(joined) is not None


def running_number(name: str, values: pl.Series) -> str | None:
    """Say why a column of whole numbers identifies rows, or None where it does not.

    Numbers that merely differ in a small table are kept: only a telling name, or numbers that fill their range, speak
    against a column.
    """
    known = values.drop_nulls()
    count = len(known)
    if count < 2 or known.head(HEAD).n_unique() < min(count, HEAD) or known.n_unique() < count:
        return None
    if named_id(name):
        return "each row has another number, and the name says that it identifies rows"
    span = float(known.max()) - float(known.min()) + 1  # type: ignore[arg-type]
    if count >= DENSE_ROWS and count >= DENSITY * span:
        return "it is a running number"
    return None


def unusable_text(counts: Sequence[int]) -> str | None:
    """Say why a column of texts can't be used as categories, or None where it can.

    Args:
        counts: How often each different text stands in the training rows.
    """
    levels, cells = len(counts), sum(counts)
    if levels == cells and levels > 2:
        return "each row has another text"
    if levels > FREE_TEXT_LEVELS and levels > FREE_TEXT_SHARE * cells:
        return f"it is free text ({levels:,} different ones in {cells:,} cells)"
    return None
