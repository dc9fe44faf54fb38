"""The task that a column of targets sets.

The task, where nobody states it:

    booleans, text, or two different values                                binary, or multiclass from three on
    whole numbers, at most 20 different, each 20 times on average          multiclass
    whole numbers that run from 0 or 1 to at most 10, each 5 times         multiclass
    every other number                                                     regression
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from wellfit.data.cleaning.inference import READABLE, refuse_nested
from wellfit.data.cleaning.missing import is_missing, is_missing_number
from wellfit.data.cleaning.number_style import decimal_mark
from wellfit.data.cleaning.numbers import NumberReader, parse_number
from wellfit.errors import DataError

__all__ = ["MOST_CLASSES", "TASKS", "absent_cells", "infer_task", "task_of_classes"]

TASKS = ("auto", "binary", "multiclass", "regression")

MOST_CLASSES = 20
ROWS_PER_CLASS = 20

Floats = np.ndarray[Any, np.dtype[np.float64]]


def infer_task(series: pl.Series) -> str:
    """Infer the task from targets without missing ones, by the table at the top of this file."""
    refuse_nested(series)
    if series.dtype.is_temporal():
        do = "Name a column of classes or numbers."
        raise DataError(f"The target '{series.name}' must be classes or numbers.", got=str(series.dtype), do=do)
    different = series.n_unique()
    reader = _number_reader(series)
    if series.dtype == pl.Boolean or reader is None:
        return task_of_classes(different)
    read, counts = reader.read(series)
    if read.null_count() and not counts.infinite:
        return task_of_classes(different) if different <= MOST_CLASSES else "regression"
    levels = read.drop_nulls().unique().sort().to_numpy()
    if counts.infinite:
        return "regression"
    if len(levels) == 2:
        return "binary"
    return "multiclass" if _like_classes(levels, len(series)) else "regression"


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
    if isinstance(series.dtype, (pl.Categorical, pl.Enum)):
        series = series.cast(pl.String)
    if series.dtype == pl.String:
        texts = series.drop_nulls().unique(maintain_order=True).to_list()
        numbers = sum(parse_number(text) is not None for text in texts[:1_000])
        stands_for_none = is_missing_number if numbers > 0.5 * len(texts[:1_000]) else is_missing
        markers = [text for text in texts if stands_for_none(text)]
        return (series.is_null() | series.is_in(markers)).to_numpy()
    if series.dtype.is_float():
        series = series.fill_nan(None)
    return series.is_null().to_numpy()


def _number_reader(series: pl.Series) -> NumberReader | None:
    """Give the reader of a column in which nearly every cell is a number, or None."""
    if series.dtype != pl.String:
        numeric = series.dtype.is_numeric() or series.dtype == pl.Boolean
        return NumberReader(typed=True) if numeric else None
    texts = sorted({text.strip() for text in series.head(10_000).unique().to_list() if text is not None})
    if any(text[:1] == "0" and text.isdigit() and len(text) > 1 for text in texts):
        return None
    reader = NumberReader(decimal=decimal_mark(texts))
    most = (1 - READABLE) * len(series)
    # The first tenth of a column of words has more of them already.
    return reader if all(_strange(reader, part) <= most for part in (series.head(len(series) // 10), series)) else None


def _strange(reader: NumberReader, series: pl.Series) -> int:
    counts = reader.read(series)[1]
    return counts.missing + counts.unparsed
