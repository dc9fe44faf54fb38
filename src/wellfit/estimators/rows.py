"""What scikit-learn hands over, X and y, as a table and an array.

Every row is kept, and every column of an array is used: an array's columns have no names that could tell an identifier.
Columns of a frame are judged as those of any table are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from wellfit.data.sources import SOURCES, read_table
from wellfit.data.sources.columns import column_of
from wellfit.data.sources.finish import index_names
from wellfit.errors import DataError

__all__ = ["Array", "one_target", "rows_of", "unused_name"]

Array = np.ndarray[Any, Any]


def rows_of(
    estimator: BaseEstimator, X: Any, *, columns: Sequence[str] | None = None
) -> tuple[pl.DataFrame, dict[str, str]]:
    """Check X as scikit-learn does, and give it as a raw frame, with the kinds of an array's columns.

    Args:
        estimator: keeps the number and the names of the columns, or holds X against them.
        X: ``[row, column]``: an array, or a frame of pandas, Polars or pyarrow.
        columns: the names that fit gave the columns; None in fit.

    Raises:
        ValueError: X is no table, too small, infinite, or differs from what fit was given.
        TypeError: X is sparse.
    """
    if any(SOURCES[kind].matches(X) for kind in ("polars", "pandas", "arrow")):
        return _of_frame(estimator, X, columns), {}
    least = 2 if columns is None else 1
    checks = {"dtype": None, "ensure_all_finite": "allow-nan", "ensure_min_samples": least}
    array = validate_data(estimator, X, reset=columns is None, **checks)
    names = index_names(array.shape[1]) if columns is None else columns
    frame = pl.DataFrame([_series(name, array[:, place]) for place, name in enumerate(names)])
    return frame, {series.name: kind for series in frame if (kind := _kind(series))}


def _of_frame(estimator: BaseEstimator, X: Any, columns: Sequence[str] | None) -> pl.DataFrame:
    frame = read_table(X).frame
    named = X if SOURCES["pandas"].matches(X) else frame
    validate_data(estimator, named, reset=columns is None, skip_check_array=True)
    if columns is not None:
        return frame.rename(dict(zip(frame.columns, columns, strict=True)))
    if frame.height < 2:
        raise DataError("A split needs at least two rows.", got="n_samples = 1", do="Give more rows.")
    return frame


def one_target(estimator: BaseEstimator, X: Any, y: Any, *, y_numeric: bool = False) -> Array:
    """Give ``y`` as an array ``[row]``, or refuse it in scikit-learn's words."""
    if y is None:
        validate_data(estimator, X, y)
    shape = y.shape if hasattr(y, "shape") else np.asarray(y).shape
    if len(shape) > 1 and shape[1] != 1:
        raise DataError(
            "wellfit trains one target at a time; multi-output and multilabel y are not supported.",
            got=f"y of shape {tuple(shape)}",
            do="Fit one estimator for each column.",
        )
    # Names are kept as they are: only X has any.
    checked: Array = validate_data(BaseEstimator(), y=y, y_numeric=y_numeric)
    return checked


def _series(name: str, values: Array) -> pl.Series:
    """Make an array's column numbers wherever it can be, or else what its cells are."""
    if values.dtype.kind in "mM":
        return column_of(name, values)
    try:
        return pl.Series(name, values.astype(np.float64), nan_to_null=True)
    except (TypeError, ValueError):
        return column_of(name, values)


def _kind(series: pl.Series) -> str | None:
    if series.dtype.is_numeric():
        return "number"
    return "category" if series.dtype in (pl.String, pl.Boolean) else None


def unused_name(name: str, names: list[str]) -> str:
    """Give a name that no column has."""
    while name in names:
        name += "_"
    return name
