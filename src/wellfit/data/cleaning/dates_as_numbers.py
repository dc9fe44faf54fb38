"""Dates that are kept as numbers: ``20230412``, seconds since 1970, days as a spreadsheet counts them.

Numbers of eight digits and more that all are days of the calendar are dates by themselves; the others only where the
column's name says so, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from wellfit.data.cleaning.identifiers import words_of

__all__ = ["FORMS", "NumberDates", "as_moments", "number_dates"]

_TIMES = frozenset(
    (
        *(
            "date",
            "dates",
            "day",
            "datetime",
            "time",
            "times",
            "timestamp",
            "timestamps",
            "stamp",
            "ts",
            "epoch",
            "datum",
        ),
        *(
            "created",
            "updated",
            "modified",
            "changed",
            "at",
            "on",
            "since",
            "until",
            "begin",
            "start",
            "end",
            "started",
        ),
        *("ended", "born", "birth", "dob", "opened", "closed", "ordered", "shipped", "paid", "due", "expiry", "zeit"),
    )
)
"""Words of a name that say that a column holds times."""

_DIGITS = {"%Y%m%d": 8, "%Y%m%d%H": 10, "%Y%m%d%H%M": 12, "%Y%m%d%H%M%S": 14}
"""How many digits a moment written in digits has, by its format."""

_COUNTED = {"s": (1.0, 0.0), "ms": (1e-3, 0.0), "us": (1e-6, 0.0), "days": (86_400.0, -25_569 * 86_400.0)}
"""What a count is multiplied by, and what is added, to be seconds since 1970; spreadsheets count from 1899-12-30."""

FORMS = (*_DIGITS, *_COUNTED)
"""The forms of dates in numbers that are known."""

_SECONDS = (1.5e8, 2.6e9)
"""Seconds since 1970 that a count is taken for: the years 1974 to 2052."""

LEAST = 8
"""Different numbers that there must be."""

MOST = 10_000


@dataclass(frozen=True)
class NumberDates:
    """How dates are kept as numbers."""

    form: str
    example: str
    moment: str
    """What the example stands for."""


def number_dates(name: str, typed: pl.Series) -> NumberDates | None:
    """Tell a column of numbers that are dates; None of any other.

    >>> number_dates("n", pl.Series([20230100.0 + day for day in range(1, 31)])).form
    '%Y%m%d'
    >>> number_dates("created_at", pl.Series([1.68e9 + 86_400 * day for day in range(30)])).moment
    '2023-03-28 10:40:00'
    >>> number_dates("n", pl.Series([1.68e9 + 86_400 * day for day in range(30)])) is None
    True
    """
    some = typed.gather_every(max(1, len(typed) // MOST)).to_numpy()
    some = some[~np.isnan(some)]
    if len(some) < LEAST or some.min() < 1e4 or (some != np.floor(some)).any():
        return None
    known = pl.Series(some)
    named = not _TIMES.isdisjoint(words_of(name))
    for form in FORMS:
        if (form in _DIGITS or named) and known.n_unique() >= LEAST and _all_are(known, form):
            moment = as_moments(known.head(1), form)[0]
            return NumberDates(form, f"{known[0]:.0f}", str(moment))
    return None


def _all_are(known: pl.Series, form: str) -> bool:
    low, high = float(known.min()), float(known.max())  # type: ignore[arg-type]
    if form in _DIGITS:
        scale = 10.0 ** (_DIGITS[form] - 8)
        within = low >= 19_000_101 * scale and high < 21_010_101 * scale
        return within and as_moments(known, form).null_count() == 0
    factor, added = _COUNTED[form]
    return _SECONDS[0] <= low * factor + added and high * factor + added <= _SECONDS[1]


def as_moments(numbers: pl.Series, form: str) -> pl.Series:
    """Read numbers as moments, null where one is none.

    >>> as_moments(pl.Series([45_000.5]), "days")[0]
    datetime.datetime(2023, 3, 15, 12, 0)
    """
    numbers = numbers.cast(pl.Float64)
    if form in _COUNTED:
        factor, added = _COUNTED[form]
        micro = ((numbers * factor + added) * 1e6).round()
        return micro.cast(pl.Int64, strict=False).cast(pl.Datetime("us"))
    texts = numbers.cast(pl.Int64, strict=False).cast(pl.String)
    # Without minutes the hour is not read.
    texts, shape = (texts + "00", form + "%M") if form.endswith("%H") else (texts, form)
    if form == "%Y%m%d":
        return texts.str.to_date(shape, strict=False).cast(pl.Datetime("us"))
    return texts.str.to_datetime(shape, strict=False, time_unit="us")
