"""One column in memory, of whatever library, as a Polars series."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from wellfit.errors import DataError, shown

__all__ = ["column_of"]


def column_of(name: str, values: Any) -> pl.Series:
    """Make a series of a list, an array or a series; cells of mixed types become text, NaN and NA become null.

    >>> column_of("a", [1, "x", None]).to_list()
    ['1', 'x', None]

    Raises:
        DataError: the values are no column.
    """
    if isinstance(values, pl.Series):
        return values.alias(name)
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return _from_arrow(name, _stored(values))
    if not _is_column(values):
        do = "Give a list, an array or a series for each column."
        raise DataError(f"Column {shown(name)} must be a one-dimensional list of cells.", got=values, do=do)
    if type(values) is np.ndarray and values.dtype.kind in "biuf":
        return pl.Series(name, _native(values), nan_to_null=True)
    try:
        return _from_arrow(name, pa.array(_plain_cells(values), from_pandas=True))
    except (pa.ArrowException, pl.exceptions.PolarsError, TypeError, ValueError, OverflowError):
        return pl.Series(name, [_as_text(cell) for cell in values], dtype=pl.String)


def _from_arrow(name: str, values: pa.Array | pa.ChunkedArray) -> pl.Series:
    if isinstance(values.type, pa.BaseExtensionType):
        raise TypeError(values.type)
    if pa.types.is_dictionary(values.type) and not pa.types.is_string(_text_type(values.type.value_type)):
        values = values.cast(values.type.value_type)
    series = pl.from_arrow(values)
    if not isinstance(series, pl.Series):
        raise TypeError(values.type)
    return series.alias(name)


def _stored(values: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Take what an extension type is made of."""
    if not isinstance(values.type, pa.BaseExtensionType):
        return values
    chunks = values.chunks if isinstance(values, pa.ChunkedArray) else [values]
    return pa.chunked_array([chunk.storage for chunk in chunks], type=values.type.storage_type)


def _native(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Give numbers in the machine's byte order, in a type that Polars has."""
    kind = np.float64 if values.dtype.kind == "f" and values.dtype.itemsize not in (4, 8) else values.dtype
    return np.ascontiguousarray(values, dtype=np.dtype(kind).newbyteorder("="))


def _text_type(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) else kind


def _is_column(values: Any) -> bool:
    if isinstance(values, np.ndarray) or _is_pandas_series(values):
        return bool(values.ndim == 1)
    return isinstance(values, (Sequence, range)) and not isinstance(values, (str, bytes))


def _is_pandas_series(values: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(
        values, (pandas.Series, pandas.Index, pandas.api.extensions.ExtensionArray)
    )


def _plain_cells(values: Any) -> Any:
    if isinstance(values, np.ma.MaskedArray):
        return pa.array(values.data, mask=np.ma.getmaskarray(values), from_pandas=True)
    if isinstance(values, np.ndarray) and values.dtype.kind == "S":
        return np.char.decode(values, "utf-8")
    return values


def _as_text(cell: Any) -> str | None:
    if cell is None or cell is np.ma.masked or (not isinstance(cell, (list, dict, str)) and _is_missing(cell)):
        return None
    if isinstance(cell, (list, tuple, dict)):
        return json.dumps(cell, default=str)
    return cell if isinstance(cell, str) else str(cell)


def _is_missing(cell: Any) -> bool:
    """NaN and NaT differ from themselves; pandas' NA answers a comparison with itself."""
    pandas = sys.modules.get("pandas")
    if pandas is not None and cell is pandas.NA:
        return True
    same = cell == cell
    return same is False or same is np.False_
