"""The task that a column of targets sets.

The task, where nobody states it:

    booleans, text, or two different values                                binary, or multiclass from three on
    whole numbers, at most 20 different, each 20 times on average          multiclass
    whole numbers that run from 0 or 1 to at most 10, each 5 times         multiclass
    every other number                                                     regression
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from wellfit.data.cleaning.inference import READABLE, refuse_nested
from wellfit.data.cleaning.missing import is_missing, is_missing_number
from wellfit.data.cleaning.number_style import decimal_mark
from wellfit.data.cleaning.numbers import NumberReader, parse_number
from wellfit.data.compact import as_text, is_compact, is_worded
from wellfit.errors import DataError

__all__ = ["MOST_CLASSES", "TASKS", "absent_cells", "infer_task", "pieces", "task_of_classes"]

TASKS = ("auto", "binary", "multiclass", "regression")

MOST_CLASSES = 20
ROWS_PER_CLASS = 20

AT_ONCE = 65_536
"""Cells that are looked at together: what is made of them is several times as large as they are."""

Floats = np.ndarray[Any, np.dtype[np.float64]]


def pieces(series: pl.Series) -> Iterator[pl.Series]:
    """Walk through a column, some cells at a time."""
    for first in range(0, len(series), AT_ONCE):
        yield series[first : first + AT_ONCE]


def infer_task(series: pl.Series) -> str:
    """Infer the task from targets without missing ones, by the table at the top of this file."""
    refuse_nested(series)
    if series.dtype.is_temporal():
        do = "Name a column of classes or numbers."
        raise DataError(f"The target '{series.name}' must be classes or numbers.", got=str(series.dtype), do=do)
    reader = _number_reader(series)
    if series.dtype == pl.Boolean or reader is None:
        return task_of_classes(_different(series))
    return _task_of_numbers(series, reader)


def _task_of_numbers(series: pl.Series, reader: NumberReader) -> str:
    levels: set[float] = set()
    unread = infinite = 0
    for part in pieces(series):
        read, counts = reader.read(part)
        levels.update(read.drop_nulls().unique().to_list())
        unread, infinite = unread + read.null_count(), infinite + counts.infinite
        if infinite or len(levels) > MOST_CLASSES:
            return "regression"
    if unread:
        different = _different(series)
        return task_of_classes(different) if different <= MOST_CLASSES else "regression"
    if len(levels) == 2:
        return "binary"
    return "multiclass" if _like_classes(np.array(sorted(levels)), len(series)) else "regression"


def _different(series: pl.Series) -> int:
    """Count different cells, no further than to one more than classes are."""
    seen: set[Any] = set()
    for part in pieces(series):
        seen.update(part.unique().head(MOST_CLASSES + 1).to_list())
        if len(seen) > MOST_CLASSES:
            break
    return len(seen)


def task_of_classes(different: int) -> str:
    """Give the task of so many classes."""
    return "binary" if different <= 2 else "multiclass"


def _like_classes(levels: Floats, rows: int) -> bool:
    if len(levels) > MOST_CLASSES or (levels != np.round(levels)).any():
        return False
    runs = levels[0] in (0.0, 1.0) and len(levels) <= 10 and levels[-1] - levels[0] == len(levels) - 1
    return rows >= ROWS_PER_CLASS * len(levels) or bool(runs and rows >= 5 * len(levels))


def absent_cells(series: pl.Series) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Say which cells hold no target: empty, a missing marker, NaN, and among numbers words such as unknown."""
    if isinstance(series.dtype, (pl.Categorical, pl.Enum)) and not is_compact(series):
        series = series.cast(pl.String)
    if is_worded(series):
        texts = _first_texts(series)
        numbers = sum(parse_number(text) is not None for text in texts)
        stands_for_none = is_missing_number if numbers > 0.5 * len(texts) else is_missing
        markers = sorted({text for part in pieces(series) for text in _words(part) if stands_for_none(text)})
        absent = series.is_null() | series.is_in(markers) if markers else series.is_null()
        return absent.to_numpy()
    if series.dtype.is_float():
        series = series.fill_nan(None)
    return series.is_null().to_numpy()


def _first_texts(series: pl.Series) -> list[str]:
    """Give the first different texts, a thousand at the most."""
    seen: dict[str, None] = {}
    for part in pieces(series):
        seen |= dict.fromkeys(part.drop_nulls().unique(maintain_order=True).to_list())
        if len(seen) >= 1_000:
            break
    return list(seen)[:1_000]


def _words(series: pl.Series) -> list[str]:
    """Give the different texts that don't begin as a number does, since no marker begins so."""
    texts = as_text(series.drop_nulls().unique())
    return texts.filter(~texts.str.contains("^[+-]?[0-9]")).to_list()


def _number_reader(series: pl.Series) -> NumberReader | None:
    """Give the reader of a column in which nearly every cell is a number, or None."""
    if not is_worded(series):
        numeric = series.dtype.is_numeric() or series.dtype == pl.Boolean
        return NumberReader(typed=True) if numeric else None
    texts = sorted({text.strip() for text in series.head(10_000).unique().to_list() if text is not None})
    if any(text[:1] == "0" and text.isdigit() and len(text) > 1 for text in texts):
        return None
    reader = NumberReader(decimal=decimal_mark(texts))
    most = (1 - READABLE) * len(series)
    strange = 0
    for part in pieces(series):
        strange += _strange(reader, part)
        if strange > most:
            return None
    return reader


def _strange(reader: NumberReader, series: pl.Series) -> int:
    counts = reader.read(series)[1]
    return counts.missing + counts.unparsed
