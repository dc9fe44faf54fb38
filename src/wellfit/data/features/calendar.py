"""Moments to numbers: the parts of a date that vary in the training rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

__all__ = ["PARTS", "date_parts", "varying_parts"]

PARTS = ("year", "month", "day", "weekday", "hour", "elapsed_days")
"""``elapsed_days`` counts from 1970 with fractions; the others are as a calendar shows them, Monday the weekday 1."""

Floats = np.ndarray[Any, np.dtype[np.float64]]

_DAY = 86_400_000_000


def date_parts(series: pl.Series, parts: tuple[str, ...]) -> Floats:
    """Give parts of each moment, float64 [row, part], NaN where the moment is missing.

    >>> from datetime import datetime
    >>> date_parts(pl.Series([datetime(1970, 1, 2, 12)]), ("month", "weekday", "elapsed_days")).tolist()
    [[1.0, 5.0, 1.5]]
    """
    moments = series.to_numpy().astype("datetime64[us]")
    missing = np.isnat(moments)
    moments = np.where(missing, np.datetime64(0, "us"), moments)
    columns = [np.where(missing, np.nan, _part(moments, part)) for part in parts]
    return np.column_stack(columns) if columns else np.empty((len(series), 0))


def _part(moments: np.ndarray[Any, np.dtype[np.datetime64]], part: str) -> Floats:
    ticks = moments.astype(np.int64)
    days = np.floor_divide(ticks, _DAY)
    months = moments.astype("datetime64[M]")
    month = months.astype(np.int64)
    values: dict[str, Any] = {
        "year": month // 12 + 1970,
        "month": month % 12 + 1,
        "day": days - months.astype("datetime64[D]").astype(np.int64) + 1,
        "weekday": (days + 3) % 7 + 1,
        "hour": (ticks - days * _DAY) // (_DAY // 24),
        "elapsed_days": ticks / _DAY,
    }
    return np.asarray(values[part], dtype=np.float64)


def varying_parts(series: pl.Series) -> tuple[str, ...]:
    """Give the parts that have more than one value in the training rows."""
    values = date_parts(series.alias("at").drop_nulls(), PARTS)
    return tuple(part for part, column in zip(PARTS, values.T, strict=True) if len(column) and np.ptp(column) > 0)
