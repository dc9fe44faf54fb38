"""Time: the earliest rows train, later ones validate, the latest test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import polars as pl

from wellfit.data.cleaning.inference import infer, refuse_nested
from wellfit.data.cleaning.naming import safely_named
from wellfit.data.cleaning.settings import ColumnSettings
from wellfit.data.splitting.dealer import Dealer
from wellfit.data.splitting.split import Request, Rows, named_column, refuse_empty
from wellfit.errors import DataError
from wellfit.registry import Entry

__all__ = ["ENTRY", "Time"]

Times = np.ndarray[Any, np.dtype[Any]]


class Time(Dealer):
    """Draws the latest rows; rows of one moment go to one part."""

    method: ClassVar[str] = "time"

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self.times = _times(named_column(request, "times"))
        """The time of each row of the table."""

    def draw(self, rows: Rows, share: float) -> tuple[Rows, Rows]:
        """Draw the latest rows, a share of all or the nearest that divides no moment."""
        refuse_empty(int(np.ceil(share * len(rows))), len(rows))
        ordered, starts = self._ordered(rows)
        wanted = len(rows) - int(np.ceil(share * len(rows)))
        if not len(starts):
            got = f"{len(rows):,} rows of one moment to divide"
            raise DataError("Each part of the split must have a row.", got=got, do="Name another column.")
        border = starts[np.argmin(np.abs(starts - wanted))]
        return ordered[:border], ordered[border:]

    def divide(self, rows: Rows, folds: int) -> Iterator[tuple[Rows, Rows]]:
        """Divide the rows as scikit-learn's ``TimeSeriesSplit`` does: each fold is later than all that train for it.

        Where a border would divide a moment, the rows of that moment validate.
        """
        from sklearn.model_selection import TimeSeriesSplit

        if len(rows) <= folds:
            got = f"{len(rows):,} rows to divide"
            raise DataError(f"{folds} folds in time need {folds + 1} rows.", got=got, do="Set fewer folds.")
        ordered, starts = self._ordered(rows)
        for train, valid in TimeSeriesSplit(folds).split(ordered):
            before = starts[starts <= len(train)]
            if not len(before):
                got = f"{len(train) + 1:,} rows of the first moment"
                raise DataError("Earlier rows must train for each fold in time.", got=got, do="Set fewer folds.")
            border = before[-1]
            yield ordered[:border], ordered[border : len(train) + len(valid)]

    def _ordered(self, rows: Rows) -> tuple[Rows, Rows]:
        """Give the rows by time, those of one moment as they stand, and the places where another moment begins."""
        ordered = rows[np.argsort(self.times[rows], kind="stable")]
        moments = self.times[ordered]
        return ordered, np.flatnonzero(moments[1:] != moments[:-1]) + 1


def _times(series: pl.Series) -> Times:
    """Read a column of dates or numbers, or raise `DataError` with the first cell that is neither."""
    name, series = series.name, safely_named(series)
    refuse_nested(series)
    if series.dtype == pl.String and series.str.strip_chars().cast(pl.Float64, strict=False).null_count() == 0:
        series = series.str.strip_chars().cast(pl.Float64)
    if series.dtype.is_numeric() or isinstance(series.dtype, pl.Duration) or series.dtype == pl.Time:
        times = series.cast(pl.Float64) if series.dtype.is_numeric() else series.cast(pl.Int64)
        times = times.fill_nan(None) if times.dtype == pl.Float64 else times
    else:
        times = infer(series, ColumnSettings(type="datetime")).typed
    if times.null_count():
        cell = series.filter(times.is_null())[0]
        rule = f"The column '{name}' must tell the time of every row, as a date or a number."
        got = "an empty cell" if cell is None or cell == "" else cell
        raise DataError(rule, got=got, do="Mend the cells, or leave their rows out.")
    return times.to_numpy()


ENTRY = Entry(
    name="time",
    summary="the earliest rows train, later ones validate, the latest test, as split.column tells their time",
    make=Time,
    reference="scikit-learn TimeSeriesSplit",
)
