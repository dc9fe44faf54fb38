"""Moments to numbers: the parts and the cycles of a date that vary in the training rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

__all__ = ["CHOICES", "CYCLES", "PARTS", "date_parts", "varying_parts"]

PARTS = ("year", "month", "day", "weekday", "hour", "minute", "elapsed_days")
"""``elapsed_days`` counts from 1970 with fractions; the others are as a calendar shows them, Monday the weekday 1."""

CYCLES = tuple(f"{cycle} {wave}" for cycle in ("yearly", "weekly", "daily") for wave in ("sin", "cos"))
"""Where in the year, the week and the day a moment lies, on a circle: the last hour of a day is next to the first."""

CHOICES = {"auto": PARTS + CYCLES, "both": PARTS + CYCLES, "parts": PARTS, "cycles": CYCLES}
"""What ``features.dates`` may be, and the parts that it takes."""

Floats = np.ndarray[Any, np.dtype[np.float64]]

_DAY = 86_400_000_000


def date_parts(series: pl.Series, parts: tuple[str, ...]) -> Floats:
    """Give parts of each moment, float64 [row, part], NaN where the moment is missing.

    >>> from datetime import datetime
    >>> date_parts(pl.Series([datetime(1970, 1, 2, 12)]), ("month", "weekday", "elapsed_days", "daily cos")).tolist()
    [[1.0, 5.0, 1.5, -1.0]]
    """
    moments = series.to_numpy().astype("datetime64[us]")
    missing = np.isnat(moments)
    moments = np.where(missing, np.datetime64(0, "us"), moments)
    columns = [np.where(missing, np.nan, _part(moments, part)) for part in parts]
    return np.column_stack(columns) if columns else np.empty((len(series), 0))


def _part(moments: np.ndarray[Any, np.dtype[np.datetime64]], part: str) -> Floats:
    cycle, _, wave = part.partition(" ")
    if wave:
        turn = 2 * np.pi * _turn(moments, cycle)
        return np.asarray(np.sin(turn) if wave == "sin" else np.cos(turn), dtype=np.float64)
    return np.asarray(_calendar(moments, part), dtype=np.float64)


def _calendar(moments: np.ndarray[Any, np.dtype[np.datetime64]], part: str) -> Any:
    ticks = moments.astype(np.int64)
    days = np.floor_divide(ticks, _DAY)
    if part in ("year", "month", "day"):
        months = moments.astype("datetime64[M]")
        month = months.astype(np.int64)
        if part == "day":
            return days - months.astype("datetime64[D]").astype(np.int64) + 1
        return month // 12 + 1970 if part == "year" else month % 12 + 1
    if part == "weekday":
        return (days + 3) % 7 + 1
    if part == "elapsed_days":
        return ticks / _DAY
    minutes = (ticks - days * _DAY) // (_DAY // 1440)
    return minutes // 60 if part == "hour" else minutes % 60


def _turn(moments: np.ndarray[Any, np.dtype[np.datetime64]], cycle: str) -> Floats:
    """Give how much of its cycle has passed at each moment, in [0, 1)."""
    days = moments.astype(np.int64) / _DAY
    if cycle == "daily":
        return np.asarray(days % 1)
    if cycle == "weekly":
        return np.asarray((days + 3) % 7 / 7)
    years = moments.astype("datetime64[Y]")
    first = years.astype("datetime64[D]").astype(np.int64)
    following = (years + 1).astype("datetime64[D]").astype(np.int64)
    return np.asarray((days - first) / (following - first))


def varying_parts(series: pl.Series, parts: tuple[str, ...] = CHOICES["auto"]) -> tuple[str, ...]:
    """Give those of the parts that have more than one value in the training rows."""
    values = date_parts(series.alias("at").drop_nulls(), parts)
    return tuple(part for part, column in zip(parts, values.T, strict=True) if len(column) and np.ptp(column) > 1e-9)
