"""What stands for a missing cell: the one list that every reader uses."""

from __future__ import annotations

__all__ = ["MARKERS", "NUMBER_MARKERS", "is_missing", "is_missing_number"]

MARKERS = frozenset(
    ("", "?", "na", "n/a", "#n/a", "#na", "n.a.", "nan", "-nan", "+nan", "null", "<na>", "<null>", "nat", "-", "--")
)
"""Texts that stand for a missing cell in every column, in lower case."""

NUMBER_MARKERS = MARKERS | {".", "unknown", "none", "nil", "missing", "not available", "#div/0!", "#value!", "#ref!"}
"""Texts that stand for a missing number or date. In a category column these are levels of their own."""


def is_missing(text: str) -> bool:
    """Say whether a text stands for a missing cell of any column.

    >>> is_missing(" N/A "), is_missing("none")
    (True, False)
    """
    return text.strip().casefold() in MARKERS


def is_missing_number(text: str) -> bool:
    """Say whether a text stands for a missing number or date.

    >>> is_missing_number("none"), is_missing_number("12")
    (True, False)
    """
    return text.strip().casefold() in NUMBER_MARKERS
