"""NumPy arrays of two dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from wellfit.data.sources.columns import column_of
from wellfit.data.sources.entry import Header, SourceEntry
from wellfit.data.sources.finish import distinct_names, finished, index_names
from wellfit.data.table import Table
from wellfit.errors import DataError

__all__ = ["ENTRY"]


def read(source: np.ndarray[Any, Any], header: Header) -> Table:
    """Take rows by columns ``c0``, ``c1``, ... or a structured array with the names of its fields; NaN becomes null."""
    if source.dtype.names and source.ndim == 1:
        names = distinct_names(source.dtype.names)
        series = [column_of(name, source[name]) for name in names]
    elif source.ndim == 2:
        series = [column_of(name, source[:, place]) for place, name in enumerate(index_names(source.shape[1]))]
    else:
        rule = "An array must have two dimensions, rows by columns."
        raise DataError(rule, got=source.shape, do="Reshape it, such as array.reshape(len(array), -1).")
    return finished(pl.DataFrame(series), uri="numpy", kind="numpy")


ENTRY = SourceEntry(
    name="numpy",
    summary="a NumPy array, rows by columns",
    make=read,
    matches=lambda source: isinstance(source, np.ndarray),
)
