"""Dates and times as people write them: ISO, ``y/m/d``, ``d.m.y``, ``m/d/y``, month names, with or without a time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

import numpy as np
import polars as pl

from wellfit.data.cleaning.missing import is_missing_number
from wellfit.data.cleaning.numbers import SMALL
from wellfit.data.cleaning.report import Coerced, Status, Tally
from wellfit.errors import ContractError

__all__ = ["ORDERS", "DateReader", "date_order", "fast_format", "parse_date"]

ORDERS = ("ymd", "mdy", "dmy")
"""The orders of year, month and day that are understood; the first that explains most texts is taken."""

MICROSECONDS = pl.Datetime("us")

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_PARTS = {"y": r"(?P<y>[0-9]{4}|[0-9]{2})", "m": r"(?P<m>[0-9]{1,2}|[A-Za-z]{3,9})", "d": r"(?P<d>[0-9]{1,2})"}
_BREAK = r"(?:[-/.]|,? )"
_CLOCK = (
    r"(?:(?:T|,? +)(?P<H>[0-9]{1,2}):(?P<M>[0-9]{2})(?::(?P<S>[0-9]{2})(?:[.,](?P<f>[0-9]{1,9}))?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?(?: ?(?P<zone>Z|UTC|[+-][0-9]{2}:?[0-9]{2}))?)?"
)
_DATES = {order: re.compile(_BREAK.join(_PARTS[part] for part in order) + _CLOCK) for order in ORDERS}
_YEAR_FIRST = re.compile(r"[0-9]{4}")
_FAST_DATES = {"ymd": "%Y{0}%m{0}%d", "mdy": "%m{0}%d{0}%Y", "dmy": "%d{0}%m{0}%Y"}
_FAST_CLOCKS = ("", " %H:%M:%S", " %H:%M", "T%H:%M:%S", " %H:%M:%S%.f", "T%H:%M:%S%.f")


def parse_date(text: str, order: str = "ymd") -> datetime | None:
    """Read a date with an optional time, or give None; times with a zone are moved to UTC.

    >>> parse_date("2019-03-23 20:21:09"), parse_date("23.3.2019", order="dmy")
    (datetime.datetime(2019, 3, 23, 20, 21, 9), datetime.datetime(2019, 3, 23, 0, 0))
    >>> parse_date("2019-02-30") is None
    True
    """
    text = text.strip()
    if len(text) > 48:
        return None
    match = _DATES["ymd"].fullmatch(text) if _YEAR_FIRST.match(text) else None
    match = match or _DATES[order].fullmatch(text)
    if match is None or (order == "ymd" and len(match["y"]) == 2):
        return None
    try:
        moment = datetime(_year(match["y"]), _month(match["m"]), int(match["d"]))
        return moment + _since_midnight(match)
    except (ValueError, OverflowError):
        return None


def _year(text: str) -> int:
    year = int(text)
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
    if text is None or text in ("Z", "UTC"):
        return timedelta()
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -offset if text[0] == "-" else offset


def date_order(texts: Sequence[str], share: float) -> str | None:
    """Give the order that reads the most of the texts, if it reads at least that share of them.

    >>> date_order(["23/12/2019", "01/02/2019"], share=0.95), date_order(["a"], share=0.95)
    ('dmy', None)
    """
    if not texts or not any(character.isdigit() for character in texts[0]):
        return None
    found = {order: sum(parse_date(text, order) is not None for text in texts) for order in ORDERS}
    dotted = sum("." in text.split(" ")[0] for text in texts) > len(texts) / 2
    # Where every day is below 13 nothing tells: dotted dates have the day first, the others the month.
    best = max(("ymd", "dmy", "mdy") if dotted else ORDERS, key=lambda order: found[order])
    return best if found[best] >= share * len(texts) else None


def fast_format(texts: Sequence[str], order: str) -> str:
    """Give the format that lets Polars read most of the texts at once; empty where none does."""
    sample = pl.Series("text", [text.strip() for text in texts[:200]], dtype=pl.String)
    formats = [_FAST_DATES[order].format(mark) + clock for mark in "-/." for clock in _FAST_CLOCKS]
    read = {text: sample.str.to_datetime(text, strict=False, time_unit="us").count() for text in formats}
    best = max(formats, key=lambda text: read[text])
    return best if read[best] else ""


@dataclass(frozen=True, kw_only=True)
class DateReader:
    """Reads a column of dates into Datetime in microseconds without a zone, null where a cell is missing."""

    kind: ClassVar[str] = "datetime"
    order: str = "ymd"
    format: str = ""
    """What Polars reads most cells by; the rest is read one by one."""
    typed: bool = False
    """Whether the training rows came as typed dates, so that text is worth a mention."""

    def read(self, series: pl.Series) -> tuple[pl.Series, Coerced]:
        """Read a raw column; every cell becomes a moment or null."""
        tally = Tally()
        dtype = series.dtype
        if dtype == pl.String or isinstance(dtype, (pl.Categorical, pl.Enum)):
            moments = self._from_text(series.cast(pl.String), tally)
        elif dtype == pl.Date or isinstance(dtype, pl.Datetime) or dtype == pl.Null:
            moments = _from_typed(series)
            tally.add("missing", None, moments.null_count())
        else:
            do = "Give dates, or text such as 2019-03-23 20:21:09."
            raise ContractError(f"The column '{series.name}' must hold dates.", got=str(dtype), do=do)
        return moments, tally.coerced()

    def _from_text(self, series: pl.Series, tally: Tally) -> pl.Series:
        moments: np.ndarray[Any, np.dtype[np.datetime64]] = np.full(len(series), np.datetime64("NaT", "us"))
        if len(series) > SMALL and self.format:
            moments = _fast(series, self.format)
        rest = np.flatnonzero(np.isnat(moments))
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
        moment = parse_date(text, self.order)
        if moment is None:
            return np.datetime64("NaT", "us"), "unparsed"
        return np.datetime64(moment, "us"), "plain"

    def as_dict(self) -> dict[str, Any]:
        """Give the reader's settings as JSON holds them."""
        return {"order": self.order, "format": self.format, "typed": self.typed}


def _fast(series: pl.Series, form: str) -> np.ndarray[Any, np.dtype[np.datetime64]]:
    """Read the texts of one format all at once; NaT for every other."""
    shape = re.escape(form).replace("%\\.f", r"(?:\.[0-9]{1,9})?").replace("%Y", "[0-9]{4}")
    shape = re.sub("%[mdH]", "[0-9]{1,2}", shape)
    text = pl.col("cell").str.strip_chars()
    # Polars' own reading also takes signs, blanks and years of any length.
    shaped = pl.when(text.str.contains(f"^{re.sub('%[MS]', '[0-9]{2}', shape)}$")).then(text)
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
