"""Columns of text held compactly: their different texts once, and one to four bytes for each cell.

Such a column is text in every respect: its type says only how it lies in memory. Codes stand in the order in which the
texts came; sorting, hashing and comparing go by the texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

__all__ = [
    "as_text",
    "compact_text",
    "has_one_value",
    "is_compact",
    "is_worded",
    "level_counts",
    "numbered",
    "translated",
]

_NAMESPACE = "wellfit"


def compact_text(levels: int | None = None) -> pl.Categorical:
    """Give the type of one such column, of so many different texts at the most; each has a dictionary of its own.

    >>> compact_text(100).categories.physical()
    UInt8
    """
    fits = (pl.UInt8, 255), (pl.UInt16, 65_535)
    physical = next((dtype for dtype, most in fits if levels is not None and levels <= most), pl.UInt32)
    return pl.Categorical(pl.Categories.random(_NAMESPACE, physical=physical))


def is_compact(series: pl.Series) -> bool:
    """Say whether a column is text that is held compactly; a categorical column of the user's is not.

    >>> is_compact(pl.Series(["a"], dtype=compact_text())), is_compact(pl.Series(["a"], dtype=pl.Categorical))
    (True, False)
    """
    return isinstance(series.dtype, pl.Categorical) and series.dtype.categories.namespace() == _NAMESPACE


def is_worded(series: pl.Series) -> bool:
    """Say whether the cells are text, however they are held."""
    return series.dtype == pl.String or is_compact(series)


def as_text(series: pl.Series) -> pl.Series:
    """Give a compact column as plain text, and any other one as it is."""
    return series.cast(pl.String) if is_compact(series) else series


def has_one_value(series: pl.Series) -> bool:
    """Say whether every cell that is there has the same value; of a column of codes, these tell.

    >>> has_one_value(pl.Series(["a", None, "a"])), has_one_value(pl.Series(["a", "b"], dtype=compact_text()))
    (True, False)
    """
    values = series.to_physical() if is_compact(series) else series
    return bool(values.min() == values.max())


def level_counts(series: pl.Series) -> dict[str, int]:
    """Count the texts of a compact column, in the order of their codes; missing cells are passed over.

    >>> level_counts(pl.Series(["b", None, "a", "b"], dtype=compact_text()))
    {'b': 2, 'a': 1}
    """
    numbers = series.alias("cell").to_physical().drop_nulls()
    counts = np.bincount(numbers.to_numpy())
    there = np.flatnonzero(counts)
    texts = pl.Series(there, dtype=numbers.dtype).cat.to(series.dtype).cast(pl.String)
    return dict(zip(texts.to_list(), counts[there].tolist(), strict=True))


def numbered(series: pl.Series, numbers: Mapping[str, int], default: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Give the number of each text of a compact column; the default where a cell is missing or has none.

    >>> numbered(pl.Series(["b", None, "a"], dtype=compact_text()), {"a": 0, "b": 1}, -1).tolist()
    [1, -1, 0]
    """
    known = series.drop_nulls().unique()
    old = known.to_physical().to_numpy()
    missing = int(old.max(initial=0)) + 1
    table: np.ndarray[Any, np.dtype[np.int64]] = np.full(missing + 1, default, dtype=np.int64)
    table[old] = [numbers.get(text, default) for text in known.cast(pl.String).to_list()]
    return table.take(series.to_physical().cast(pl.UInt32).fill_null(missing).to_numpy())


def translated(series: pl.Series, levels: Mapping[str, str | None]) -> pl.Series:
    """Give a compact column in which each text became another one, or a missing cell; unchanged, it is not copied.

    >>> column = pl.Series(["y", "yes", None, "?"], dtype=compact_text())
    >>> translated(column, {"y": "yes", "yes": "yes", "?": None}).to_list()
    ['yes', 'yes', None, None]

    Args:
        series: The column.
        levels: What each of its texts becomes.
    """
    if all(text == level for text, level in levels.items() if text is not None):
        return series
    names = sorted({level for level in levels.values() if level is not None})
    codes: dict[str | None, int] = {name: code for code, name in enumerate([*names, None])}
    new = {text: codes[level] for text, level in levels.items()}
    dictionary = pl.Series(series.name, [*names, None], dtype=compact_text(len(names)))
    return dictionary.gather(numbered(series, new, codes[None]))
