"""Dates and times as people write them: ISO, ``y/m/d``, ``d.m.y``, ``m/d/y``, month names, with or without a time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

import numpy as np
import polars as pl

from wellfit.data.cleaning.dates_as_numbers import as_moments
from wellfit.data.cleaning.missing import is_missing_number
from wellfit.data.cleaning.numbers import SMALL
from wellfit.data.cleaning.report import Coerced, Status, Tally
from wellfit.errors import ContractError

__all__ = ["DateReader", "fast_formats", "parse_date"]

MICROSECONDS = pl.Datetime("us")

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAME = (
    r"(?P<m>(?i:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|"
    r"aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?))"
)
_WEEKDAY = r"(?:(?i:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?i:day)?,? +)?"
_YEAR = r"(?P<y>[0-9]{4}|'?[0-9]{2})"
_DAY = r"(?P<d>[0-9]{1,2})"
_GAP = r"(?:[-/]|\.?,? ?)"
_CLOCK = (
    r"(?:(?:T|,? +)(?P<H>[0-9]{1,2}):(?P<M>[0-9]{2})(?::(?P<S>[0-9]{2})(?:[.,](?P<f>[0-9]{1,9}))?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?(?: ?(?P<zone>Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}))?)?"
)
_NAMED = tuple(
    re.compile(_WEEKDAY + body + _CLOCK)
    for body in (
        rf"{_DAY}(?:st|nd|rd|th)?{_GAP}(?:of )?{_NAME}\.?{_GAP}{_YEAR}",
        rf"{_NAME}\.?{_GAP}{_DAY}(?:st|nd|rd|th)?{_GAP}{_YEAR}",
        rf"(?P<y>[0-9]{{4}}){_GAP}{_NAME}\.?{_GAP}{_DAY}",
    )
)
_YEAR_FIRST = re.compile(r"(?P<y>[0-9]{4})(?P<mark>[-/. ])(?P<m>[0-9]{1,2})(?P=mark)(?P<d>[0-9]{1,2})" + _CLOCK)
_COMPACT = re.compile(r"(?P<y>(?:19|20)[0-9]{2})(?P<m>[0-9]{2})(?P<d>[0-9]{2})" + _CLOCK)
_SHORT = re.compile(r"(?P<one>[0-9]{1,2})(?P<mark>[-/. ])(?P<two>[0-9]{1,2})(?P=mark)(?P<y>[0-9]{4}|[0-9]{2})" + _CLOCK)

_FAST_DATES = {"ymd": "%Y{0}%m{0}%d", "mdy": "%m{0}%d{0}%Y", "dmy": "%d{0}%m{0}%Y"}
_FAST_NAMED = ("%d %b %Y", "%b %d, %Y", "%d-%b-%Y", "%B %d, %Y", "%d %B %Y", "%Y%m%d")
_FAST_CLOCKS = ("", " %H:%M:%S", " %H:%M", "T%H:%M:%S", " %H:%M:%S%.f", "T%H:%M:%S%.f")
_NONE: Mapping[str, str] = {}


def parse_date(text: str, order: str = "ymd", marks: Mapping[str, str] = _NONE) -> datetime | None:
    """Read a date with an optional time, or give None; times with a zone are moved to UTC.

    Args:
        text: The cell.
        order: Which comes first where the year is last and no name tells: ``mdy`` or ``dmy``; with ``ymd`` such a date
            is read only where one order alone explains it.
        marks: The order for each mark between the numbers, where it differs: ``{"/": "mdy"}``. A date that only the
            other order explains is read by that.

    >>> parse_date("2019-03-23 20:21:09"), parse_date("23.3.2019", order="dmy")
    (datetime.datetime(2019, 3, 23, 20, 21, 9), datetime.datetime(2019, 3, 23, 0, 0))
    >>> parse_date("2019-02-30") is None, parse_date("March 5th, 2019")
    (True, datetime.datetime(2019, 3, 5, 0, 0))
    """
    text = text.strip()
    if not 6 <= len(text) <= 48:
        return None
    if text[0].isdigit():
        match = _YEAR_FIRST.fullmatch(text) or _COMPACT.fullmatch(text)
        if match is not None:
            return _moment(match, match["m"], match["d"])
        if (match := _SHORT.fullmatch(text)) is not None:
            return _short(match, marks.get(match["mark"], order))
    match = next((found for pattern in _NAMED if (found := pattern.fullmatch(text))), None)
    return None if match is None else _moment(match, match["m"], match["d"])


def _short(match: re.Match[str], order: str) -> datetime | None:
    """Read a date of which only the column tells whether the day or the month is first."""
    month_first, day_first = _moment(match, match["one"], match["two"]), _moment(match, match["two"], match["one"])
    if order == "ymd" and month_first != day_first and month_first and day_first:
        return None
    return (day_first or month_first) if order == "dmy" else (month_first or day_first)


def _moment(match: re.Match[str], month: str, day: str) -> datetime | None:
    try:
        return datetime(_year(match["y"]), _month(month), int(day)) + _since_midnight(match)
    except (ValueError, OverflowError):
        return None


def _year(text: str) -> int:
    year = int(text.removeprefix("'"))
    return year if len(text) == 4 else year + (1900 if year >= 69 else 2000)


def _month(text: str) -> int:
    return int(text) if text.isdigit() else _MONTHS.index(text[:3].lower()) + 1


def _since_midnight(match: re.Match[str]) -> timedelta:
    if match["H"] is None:
        return timedelta()
    hour, minute, second = int(match["H"]), int(match["M"]), int(match["S"] or 0)
    if match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if match["half"] in "pP" else 0)
    if hour > 23 or minute > 59 or second > 59:
        raise ValueError(match.string)
    micro = int((match["f"] or "0").ljust(6, "0")[:6])
    return timedelta(hours=hour, minutes=minute, seconds=second, microseconds=micro) - _zone(match["zone"])


def _zone(text: str | None) -> timedelta:
    if text is None or text in ("Z", "UTC", "GMT"):
        return timedelta()
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -offset if text[0] == "-" else offset


def fast_formats(texts: Sequence[str], order: str, marks: Mapping[str, str] = _NONE) -> tuple[str, ...]:
    """Give the formats that let Polars read nearly all of the texts, the most frequent first."""
    left = pl.Series("text", [text.strip() for text in texts[:500]], dtype=pl.String)
    candidates = [
        _FAST_DATES[kind].format(mark) + clock
        for mark in "-/."
        for kind in dict.fromkeys(("ymd", marks.get(mark, order)))
        for clock in _FAST_CLOCKS
    ]
    candidates += [form + clock for form in _FAST_NAMED for clock in _FAST_CLOCKS[:3]]
    chosen: list[str] = []
    while len(left) and len(chosen) < 8:
        read = {form: int((~np.isnat(_fast(left, form))).sum()) for form in candidates}
        best = max(candidates, key=lambda form: read[form])
        if not read[best]:
            break
        chosen.append(best)
        left = left.filter(pl.Series(np.isnat(_fast(left, best))))
    return tuple(chosen)


@dataclass(frozen=True, kw_only=True)
class DateReader:
    """Reads a column of dates into Datetime in microseconds without a zone, null where a cell is missing."""

    kind: ClassVar[str] = "datetime"
    order: str = "ymd"
    """Whether the month (``mdy``) or the day (``dmy``) is first where the year is last; ``ymd`` where it never is."""
    marks: Mapping[str, str] = field(default_factory=dict)
    """The order for each mark between numbers, where the column has evidence for it."""
    formats: tuple[str, ...] = ()
    """What Polars reads most cells by; the rest is read one by one."""
    typed: bool = False
    """Whether the training rows came as typed dates, so that text is worth a mention."""
    numbered: str = ""
    """How numbers stand for moments, one of `dates_as_numbers.FORMS`; empty where cells are dates."""

    def read(self, series: pl.Series) -> tuple[pl.Series, Coerced]:
        """Read a raw column; every cell becomes a moment or null."""
        tally = Tally()
        dtype = series.dtype
        if self.numbered and not dtype.is_temporal():
            moments = self._from_numbers(series, tally)
        elif dtype == pl.String or isinstance(dtype, (pl.Categorical, pl.Enum)):
            moments = self._from_text(series.cast(pl.String), tally)
        elif dtype == pl.Date or isinstance(dtype, pl.Datetime) or dtype == pl.Null:
            moments = _from_typed(series)
            tally.add("missing", None, moments.null_count())
        else:
            do = "Give dates, or text such as 2019-03-23 20:21:09."
            raise ContractError(f"The column '{series.name}' must hold dates.", got=str(dtype), do=do)
        return moments, tally.coerced()

    def _from_numbers(self, series: pl.Series, tally: Tally) -> pl.Series:
        texts = series.cast(pl.String).str.strip_chars()
        moments = as_moments(texts.cast(pl.Float64, strict=False), self.numbered)
        absent = texts.is_null() | texts.map_elements(is_missing_number, return_dtype=pl.Boolean).fill_null(True)
        lost = texts.filter(moments.is_null() & ~absent)
        tally.add("missing", None, int((moments.is_null() & absent).sum()))
        tally.add("unparsed", lost[0] if len(lost) else None, len(lost))
        return moments.alias(series.name)

    def _from_text(self, series: pl.Series, tally: Tally) -> pl.Series:
        moments: np.ndarray[Any, np.dtype[np.datetime64]] = np.full(len(series), np.datetime64("NaT", "us"))
        rest = np.arange(len(series))
        if len(series) > SMALL:
            for place, form in enumerate(self.formats):
                moments[rest] = _fast(series.gather(rest) if place else series, form)
                rest = rest[np.isnat(moments[rest])]
        known: dict[str | None, tuple[Any, Status]] = {}
        for row, cell in zip(rest.tolist(), series.gather(rest).to_list(), strict=True):
            if cell not in known:
                known[cell] = self._cell(cell)
            moments[row], status = known[cell]
            tally.add(status, cell)
        read = int((~np.isnat(moments)).sum())
        if self.typed and read:
            tally.add("converted", series.drop_nulls()[0], read)
        return pl.Series(series.name, moments, dtype=MICROSECONDS)

    def _cell(self, text: str | None) -> tuple[Any, Status]:
        if text is None or is_missing_number(text):
            return np.datetime64("NaT", "us"), "missing"
        moment = parse_date(text, self.order, self.marks)
        if moment is None:
            return np.datetime64("NaT", "us"), "unparsed"
        return np.datetime64(moment, "us"), "plain"

    def as_dict(self) -> dict[str, Any]:
        """Give the reader's settings as JSON holds them."""
        return {
            "order": self.order,
            "marks": dict(self.marks),
            "formats": list(self.formats),
            "typed": self.typed,
            "numbered": self.numbered,
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> DateReader:
        """Read the settings back from what `as_dict` gave."""
        return cls(**{**record, "formats": tuple(record["formats"])})


_SHAPES = {
    "%Y": "[0-9]{4}",
    "%m": "[0-9]{1,2}",
    "%d": "[0-9]{1,2}",
    "%H": "[0-9]{1,2}",
    "%M": "[0-9]{2}",
    "%S": "[0-9]{2}",
    "%b": "[A-Z][a-z]{2}",
    "%B": "[A-Z][a-z]{2,8}",
    "%\\.f": r"(?:\.[0-9]{1,9})?",
}


def _fast(series: pl.Series, form: str) -> np.ndarray[Any, np.dtype[np.datetime64]]:
    """Read the texts of one format all at once; NaT for every other."""
    shape = re.escape(form).replace("\\ ", " ").replace("\\-", "-")
    for part, pattern in _SHAPES.items():
        shape = shape.replace(part, pattern)
    if form.startswith("%Y%m"):
        shape = "(?:19|20)[0-9]{6}" + shape.partition("{1,2}[0-9]{1,2}")[2]
    text = pl.col("cell").str.strip_chars()
    # Polars' own reading also takes signs, blanks and years of any length.
    shaped = pl.when(text.str.contains(f"^{shape}$")).then(text)
    moments = (
        series.alias("cell").to_frame().select(shaped.str.to_datetime(form, strict=False, time_unit="us")).to_series()
    )
    return _in_calendar(moments)


def _in_calendar(moments: pl.Series) -> np.ndarray[Any, np.dtype[np.datetime64]]:
    """Leave the years 1 to 9999 and turn the others into NaT, as the reader of single cells does."""
    values = moments.to_numpy().copy()
    low, high = np.datetime64("0001-01-01", "us"), np.datetime64("9999-12-31T23:59:59", "us")
    values[(values < low) | (values > high)] = np.datetime64("NaT", "us")
    return values


def _from_typed(series: pl.Series) -> pl.Series:
    if isinstance(series.dtype, pl.Datetime) and series.dtype.time_zone is not None:
        series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return pl.Series(series.name, _in_calendar(series.cast(MICROSECONDS)), dtype=MICROSECONDS)
