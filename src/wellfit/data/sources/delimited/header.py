"""Whether the first row of a table names the columns or is a row of data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["MISSING_WORDS", "has_header", "is_value", "names_from"]

_NUMBER = re.compile(
    r"[-+(]?[$€£]?\s?(?:[0-9][0-9.,_']*(?: [0-9]{3})*|[.,][0-9]+)(?:e[-+]?[0-9]+)?\s?[%$€£)]?|[-+]?inf(?:inity)?",
    re.IGNORECASE,
)
_DATE = re.compile(r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}(?:[ T][0-9:.+Z-]+)?|[0-9]{1,2}:[0-9]{2}(?::[0-9.]+)?")
MISSING_WORDS = frozenset({"", "?", "na", "n/a", "nan", "null", "none", "-", ".", "unknown"})


def is_value(cell: str) -> bool:
    """Whether a cell is a number or a date, as a name hardly ever is.

    >>> is_value(" 1,234.5"), is_value("2024-05-01"), is_value("1stFlrSF")
    (True, True, False)
    """
    cell = cell.strip()
    return bool(_NUMBER.fullmatch(cell) or _DATE.fullmatch(cell)) if cell else False


@dataclass(frozen=True)
class _Column:
    """The first cell of a column and what stands below it."""

    first: str
    below: tuple[str, ...]

    @property
    def held(self) -> list[str]:
        return [cell for cell in self.below if cell.lower() not in MISSING_WORDS]

    @property
    def numeric(self) -> bool:
        held = self.held
        return bool(held) and sum(map(is_value, held)) >= 0.9 * len(held)

    @property
    def textual(self) -> bool:
        held = self.held
        return bool(held) and not any(map(is_value, held))


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Judge by the first rows of a table, each a sequence of cells, whether the first one is a header.

    A number or ``?`` in the first row speaks for data, unless the numbers count columns or stand above text. A row of
    text is a header, unless most of its cells stand again below in their own columns.

    >>> has_header([["age", "job"], ["31", "clerk"]]), has_header([["31", "clerk"], ["28", "cook"]])
    (True, False)
    """
    columns = _columns(rows)
    above_numbers = [column for column in columns if column.numeric]
    if any(column.first == "?" for column in columns) or any(_is_missing(column) for column in above_numbers):
        return False
    values = [column for column in columns if is_value(column.first)]
    named = any(not is_value(column.first) and column.first for column in above_numbers)
    if not values:
        return named or not _recurs(columns)
    if any(column.numeric for column in values):
        return _counts_columns(columns, values, named)
    return all(column.textual for column in values)


def names_from(cells: Sequence[str]) -> tuple[list[str], list[int]]:
    """Give the names that a header holds, and the places of the cells that hold none: these are named ``c<place>``."""
    names = [cell.strip() for cell in cells]
    empty = [place for place, name in enumerate(names) if not name]
    return [name or f"c{place}" for place, name in enumerate(names)], empty


def _columns(rows: Sequence[Sequence[str]]) -> list[_Column]:
    first, *body = rows
    whole = [row for row in body if len(row) == len(first)]
    return [_Column(cell.strip(), tuple(row[place].strip() for row in whole)) for place, cell in enumerate(first)]


def _is_missing(column: _Column) -> bool:
    return column.first != "" and column.first.lower() in MISSING_WORDS


def _counts_columns(columns: Sequence[_Column], values: Sequence[_Column], named: bool) -> bool:
    """Whether the numbers in the first row go up evenly (0, 1, 2 or 2010, 2015, 2020) as names do."""
    if not all(re.fullmatch(r"[0-9]{1,9}", column.first) for column in values) or len(values) < 2:
        return False
    numbers = [int(column.first) for column in values]
    steps = {right - left for left, right in pairwise(numbers)}
    if len(steps) != 1 or steps.pop() < 1:
        return False
    from_zero = numbers == list(range(len(columns))) and len(numbers) >= 4
    return named or columns[0].first == "" or from_zero


def _recurs(columns: Sequence[_Column]) -> bool:
    filled = [column for column in columns if column.first]
    again = sum(column.first in column.below for column in filled)
    return 2 * again > len(filled) or not filled
