"""How much each row counts in training, as a column of the table says."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from wellfit.data.table import resolve_column
from wellfit.errors import DataError

__all__ = ["row_weights"]

Weights = np.ndarray[tuple[int], np.dtype[np.float64]]


def row_weights(frames: Mapping[str, pl.DataFrame], column: str | None) -> dict[str, Weights] | None:
    """Read the weights of training and validation rows, float64 [row]; None where no column is named.

    Raises:
        ConfigError: there is no such column.
        DataError: a cell is missing, negative or no finite number, or all training rows weigh nothing.

    >>> frame = pl.DataFrame({"w": ["1", "2.5"]})
    >>> row_weights({"train": frame, "valid": frame[:1]}, "w")["train"].tolist()
    [1.0, 2.5]
    """
    if column is None:
        return None
    name = resolve_column(frames["train"], column)
    found = {split: _numbers(frames[split].get_column(name)) for split in ("train", "valid")}
    if not found["train"].sum() > 0:
        raise DataError(f"Some training row must count: the weights '{name}' are all 0.", do="Name another column.")
    return found


def _numbers(cells: pl.Series) -> Weights:
    weights = cells.cast(pl.Float64, strict=False).to_numpy().astype(np.float64)
    wrong = ~(np.isfinite(weights) & (weights >= 0))
    if wrong.any():
        rule = f"Row weights must be numbers of 0 or more, one in each cell of '{cells.name}'."
        raise DataError(rule, got=cells[int(np.flatnonzero(wrong)[0])], do="Mend the cells, or leave data.weight out.")
    return weights
