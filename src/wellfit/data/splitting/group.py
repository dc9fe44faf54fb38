"""Group: rows that belong together, such as those of one patient, go to one part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import polars as pl

from wellfit.data.cleaning.missing import is_missing
from wellfit.data.cleaning.naming import safely_named
from wellfit.data.splitting.dealer import Dealer
from wellfit.data.splitting.split import Request, Rows, named_column, refuse_empty
from wellfit.errors import DataError
from wellfit.registry import Entry

__all__ = ["ENTRY", "Group"]

FAR = 1.5
"""How many times the share asked for a part may have of the rows before it is said."""


class Group(Dealer):
    """Draws whole groups; a share is one of the groups, and a row without a group is one of its own."""

    method: ClassVar[str] = "group"

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self.groups = _codes(named_column(request, "groups"), self.notes)
        """The group of each row of the table, by number in the order of their names."""
        count, least = len(np.unique(self.groups)), 1 + bool(request.test) + bool(request.valid)
        if count < least:
            rule = f"Each part of the split must have a group of '{request.column}'."
            got = f"{count} group{'' if count == 1 else 's'} for {least} parts"
            raise DataError(rule, got=got, do="Name a column of more groups.")

    def draw(self, rows: Rows, share: float) -> tuple[Rows, Rows]:
        """Draw a share of the groups as scikit-learn's ``GroupShuffleSplit`` does."""
        from sklearn.model_selection import GroupShuffleSplit

        groups = self.groups[rows]
        count = len(np.unique(groups))
        refuse_empty(int(np.ceil(share * count)), count, "group", str(self.request.column))
        dealt = GroupShuffleSplit(1, test_size=share, random_state=self.request.seed)
        stays, goes = next(iter(dealt.split(rows, groups=groups)))
        of_rows = len(goes) / len(rows)
        if not share / FAR <= of_rows <= share * FAR:
            message = f"Groups are dealt whole and differ in size: {share:.0%} of them have {of_rows:.0%} of the rows."
            self.notes.append(message)
        return rows[stays], rows[goes]

    def divide(self, rows: Rows, folds: int) -> Iterator[tuple[Rows, Rows]]:
        """Divide the groups as scikit-learn's ``GroupKFold`` does, which makes folds of like sizes."""
        from sklearn.model_selection import GroupKFold

        groups = self.groups[rows]
        count = len(np.unique(groups))
        if count < folds:
            rule = f"Each of {folds} folds must have a group of '{self.request.column}'."
            raise DataError(rule, got=f"{count:,} group{'' if count == 1 else 's'}", do="Set fewer folds.")
        for train, valid in GroupKFold(folds).split(rows, groups=groups):
            yield rows[train], rows[valid]


def _codes(series: pl.Series, notes: list[str]) -> Rows:
    """Number the groups in the order of their names, and rows without one behind them."""
    series = safely_named(series)
    if series.dtype == pl.String:
        missing = [text for text in series.unique().drop_nulls().to_list() if is_missing(text)]
        series = pl.select(pl.when(~series.is_in(missing)).then(series)).to_series() if missing else series
    elif series.dtype.is_float():
        series = series.fill_nan(None)
    elif series.dtype.is_nested() or series.dtype in (pl.Object, pl.Binary):
        raise DataError("'split.column' must hold single values.", got=str(series.dtype), do="Name another column.")
    codes = series.rank("dense").cast(pl.Int64)
    alone = codes.is_null().to_numpy()
    if alone.any():
        notes.append(f"{int(alone.sum()):,} rows have no group; each is dealt as a group of its own.")
    numbers = codes.fill_null(0).to_numpy().copy()
    numbers[alone] = numbers.max(initial=0) + 1 + np.arange(int(alone.sum()))
    return np.asarray(numbers, dtype=np.int64)


ENTRY = Entry(
    name="group",
    summary="rows of one group, as split.column names it, go to one part",
    make=Group,
    reference="scikit-learn GroupShuffleSplit, GroupKFold",
)
