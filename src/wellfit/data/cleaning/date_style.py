"""How a column writes its dates: whether the day or the month is first, told by all of its texts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from wellfit.data.cleaning.dates import DateReader, fast_formats, parse_date

__all__ = ["DateStyle", "date_style", "dates_by_hand", "torn_dates"]

_ISO = r"^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ]|\s*$)"
_SHORT = re.compile(r"\s*([0-9]{1,2})([-/. ])([0-9]{1,2})\2(?:[0-9]{4}|[0-9]{2})(?![0-9])")

AGREEMENT = 0.8
"""Of the dates that tell, so many must agree on what is first: the others are slips, or the mark tells nothing."""

_USUAL = {"/": "mdy", "-": "mdy", ".": "dmy", " ": "dmy"}
"""What is taken where nothing tells: dotted dates have the day first, the others the month."""


@dataclass(frozen=True, kw_only=True)
class DateStyle:
    """The reader of a column of dates, and which of its dates are a guess."""

    reader: DateReader
    guessed: tuple[str, ...] = ()
    """Marks for which nothing in the column tells what is first."""
    example: str = ""
    """A text that was read by a guess."""


@dataclass(frozen=True)
class _Votes:
    day: int = 0
    month: int = 0
    open: int = 0
    example: str = ""

    @property
    def is_torn(self) -> bool:
        """Whether the dates that tell contradict each other, and others tell nothing."""
        return self.open > 0 and max(self.day, self.month) < AGREEMENT * (self.day + self.month)


def date_style(texts: Sequence[str], share: float, order: str | None = None) -> DateStyle | None:
    """Give how the texts are read as dates, or None where fewer than that share of them are dates.

    Args:
        texts: Different texts of the column.
        share: The least share that must be dates.
        order: ``dmy`` or ``mdy`` where a person said so.

    >>> date_style(["23/12/2019", "01/02/2019"], share=0.95).reader.order
    'dmy'
    >>> date_style(["01/02/2019", "03/04/2019"], share=0.95).guessed, date_style(["a"], share=0.95)
    (('/',), None)
    """
    if not texts or not any(character.isdigit() for character in texts[0]):
        return None
    votes = _votes(texts)
    marks = _told(votes, len(texts)) if order is None else dict.fromkeys(votes, order)
    if marks is None:
        return None
    untold = [mark for mark in votes if mark not in marks]
    marks |= {mark: _by_range(texts, mark) or "" for mark in untold}
    others = {kind for kind in marks.values() if kind}
    guessed = tuple(mark for mark in untold if not marks[mark] and len(others) != 1 and votes[mark].open)
    guessed += tuple(mark for mark in votes if mark not in untold and order is None and votes[mark].is_torn)
    for mark in untold:
        marks[mark] = marks[mark] or (next(iter(others)) if len(others) == 1 else _USUAL[mark])
    usual = max(votes, key=lambda mark: votes[mark].open + votes[mark].day + votes[mark].month, default="")
    reader = DateReader(order=marks.get(usual, order or "ymd"), marks=marks)
    read = sum(parse_date(text, reader.order, marks) is not None for text in texts)
    if read < share * len(texts):
        return None
    formats = fast_formats(texts, reader.order, marks)
    reader = DateReader(order=reader.order, marks=marks, formats=formats)
    return DateStyle(reader=reader, guessed=guessed, example=next((votes[mark].example for mark in guessed), ""))


def _votes(texts: Sequence[str]) -> dict[str, _Votes]:
    """Count for each mark the dates that must have the day or the month first, and those that tell nothing."""
    votes: dict[str, _Votes] = {}
    for text in texts:
        match = _SHORT.match(text)
        if match is None:
            continue
        first, second, mark = int(match[1]), int(match[3]), match[2]
        before = votes.get(mark, _Votes())
        day, month = first > 12 >= second, second > 12 >= first
        is_open = not day and not month and first != second and max(first, second) <= 12
        example = before.example or (text.strip() if is_open else "")
        votes[mark] = _Votes(before.day + day, before.month + month, before.open + is_open, example)
    return votes


def _told(votes: Mapping[str, _Votes], texts: int) -> dict[str, str] | None:
    """Give the order of each mark that has evidence, None where most texts contradict each other."""
    told: dict[str, str] = {}
    for mark, vote in votes.items():
        total = vote.day + vote.month
        if max(vote.day, vote.month) < AGREEMENT * total and total + vote.open > 0.5 * texts:
            return None
        if total:
            told[mark] = "dmy" if vote.day > vote.month else "mdy"
    return told


def _by_range(texts: Sequence[str], mark: str) -> str | None:
    """Give the order that puts more of a mark's dates into the range of the dates that are beyond doubt."""
    mine = [text for text in texts if (match := _SHORT.match(text)) and match[2] == mark]
    others = set(texts) - set(mine)
    certain = sorted(moment for text in others if (moment := parse_date(text)) is not None)
    if len(certain) < 2:
        return None
    inside = {order: sum(_within(parse_date(text, order), certain) for text in mine) for order in ("mdy", "dmy")}
    if inside["mdy"] == inside["dmy"]:
        return None
    return max(inside, key=lambda order: inside[order])


def _within(moment: datetime | None, certain: Sequence[datetime]) -> bool:
    return moment is not None and certain[0] <= moment <= certain[-1]


def torn_dates(texts: Sequence[str]) -> tuple[str, ...]:
    """Give a date with the day first and one with the month first, where a column has about as many of either.

    >>> torn_dates(["23/12/2019", "12/23/2019", "01/02/2019", "11/30/2019"])
    ('23/12/2019', '12/23/2019')
    """
    if not texts or _told(_votes(texts), len(texts)) is not None:
        return ()
    found: dict[bool, str] = {}
    for text in texts:
        match = _SHORT.match(text)
        if match is not None and (int(match[1]) > 12) != (int(match[3]) > 12):
            found.setdefault(int(match[1]) > 12, text.strip())
    read = sum(parse_date(text, "dmy") is not None for text in texts)
    return (found[True], found[False]) if len(found) == 2 and read > 0.5 * len(texts) else ()


def dates_by_hand(series: pl.Series, typed: pl.Series) -> pl.Series:
    """Give the texts that were read as dates and are not written as ISO 8601 has it.

    Args:
        series: Raw cells of text.
        typed: The same cells as moments.

    >>> texts = pl.Series(["2019-12-23", "23.12.2019"])
    >>> dates_by_hand(texts, DateReader(order="dmy").read(texts)[0]).to_list()
    ['23.12.2019']
    """
    return series.filter(typed.is_not_null() & ~series.str.contains(_ISO).fill_null(True))
