"""Texts to their terms: words and runs of words, counted."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

__all__ = ["Terms", "terms_of"]

WORD = r"\w\w+"
"""Words have two letters or digits or more, as scikit-learn's vectorizers take them."""

Codes = np.ndarray[Any, np.dtype[np.int64]]


class Terms:
    """The terms of some texts: ``row`` and ``code`` [term], the latter a place in ``known``."""

    def __init__(self, row: Codes, code: Codes, known: list[str], rows: int) -> None:
        self.row = row
        self.code = code
        self.known = known
        """Each different term, once."""
        self.rows = rows

    def counts(self, columns: Codes, width: int) -> Any:
        """Count the terms of each text, sparse float64 [row, column], ``columns`` having the column of each code or -1.

        Several terms may have one column.
        """
        from scipy.sparse import csr_matrix

        column = columns[self.code]
        there = column >= 0
        ones = np.ones(int(there.sum()))
        return csr_matrix((ones, (self.row[there], column[there])), shape=(self.rows, width))


def terms_of(series: pl.Series, longest: int) -> Terms:
    """Give the terms of each text: its words in lower case, and runs of up to so many of them.

    >>> terms_of(pl.Series(["A red car", None, "red"]), 2).known
    ['car', 'red', 'red car']
    """
    words = series.alias("word").str.to_lowercase().str.extract_all(WORD)
    frame = pl.DataFrame({"word": words}).with_row_index("row").explode("word").drop_nulls()
    runs = [frame]
    for length in range(1, longest):
        following = frame["word"].shift(-length)
        joined = runs[-1]["word"] + " " + following
        inside = frame["row"] == frame["row"].shift(-length)
        runs.append(frame.with_columns(word=pl.select(pl.when(inside).then(joined)).to_series()))
    found = pl.concat(runs).drop_nulls()
    known = found["word"].unique().sort()
    code = found["word"].cast(pl.Enum(known)).to_physical().cast(pl.Int64).to_numpy()
    return Terms(found["row"].cast(pl.Int64).to_numpy(), code, known.to_list(), len(series))
