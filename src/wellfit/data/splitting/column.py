"""Column: the table says itself which row goes where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import polars as pl

from wellfit.data.cleaning.missing import is_missing
from wellfit.data.cleaning.naming import safely_named
from wellfit.data.splitting.dealer import Dealer
from wellfit.data.splitting.random import Random, drawn
from wellfit.data.splitting.split import Rows, Split, named_column
from wellfit.errors import DataError
from wellfit.registry import Entry

__all__ = ["ENTRY", "Column"]

_PARTS = {
    **dict.fromkeys(("train", "training", "tr"), "train"),
    **dict.fromkeys(("valid", "val", "validation", "validate", "dev"), "valid"),
    **dict.fromkeys(("test", "testing"), "test"),
}

Parts = np.ndarray[Any, np.dtype[np.str_]]


class Column(Dealer):
    """Takes the split that a column names; validation rows are drawn where it names none."""

    method: ClassVar[str] = "column"

    def split(self) -> Split:
        """Give the rows of each part; one that equals a row of an earlier part is in none."""
        parts = self._parts()
        if self.request.valid and not (parts == "valid").any():
            _, goes = self.draw(np.flatnonzero(parts == "train"), self.request.share)
            parts[goes] = "valid"
            note = "names no validation rows; a share of the training rows was drawn."
            self.notes.append(f"The column '{self.request.column}' {note}")
        self._set_aside(parts)
        if self.request.valid and not (parts == "valid").any():
            do = "Mark other rows as valid."
            raise DataError("Validation rows must differ from the training rows.", got="none that does", do=do)
        return self._split(*(np.flatnonzero(parts == part) for part in ("train", "valid", "test")))

    def folds(self, count: int) -> tuple[Split, ...]:
        """Divide the rows that do not test, at random; those named valid are among them."""
        parts = self._parts()
        parts[parts == "valid"] = "train"
        self._set_aside(parts)
        rest, tested = (np.flatnonzero(parts == part) for part in ("train", "test"))
        if len(rest) < count:
            raise DataError("Each fold must have a row.", got=f"{len(rest):,} rows to divide", do="Give more rows.")
        return tuple(self._split(train, valid, tested) for train, valid in self.divide(rest, count))

    def draw(self, rows: Rows, share: float) -> tuple[Rows, Rows]:
        """Draw a share of the rows at random."""
        return drawn(rows, share, self.request.seed)

    def divide(self, rows: Rows, folds: int) -> Iterator[tuple[Rows, Rows]]:
        """Divide the rows at random."""
        return Random(self.request).divide(rows, folds)

    def _parts(self) -> Parts:
        parts = _named_parts(safely_named(named_column(self.request, "train, valid or test")))
        if not (parts == "train").any():
            rule = f"The column '{self.request.column}' must name training rows."
            raise DataError(rule, do="Write train in their cells.")
        return parts

    def _set_aside(self, parts: Parts) -> None:
        others = [series for series in self.request.frame.get_columns() if series.name != self.request.column]
        straddling = _straddling(others, parts)
        if straddling.any():
            done = "rows stand in more than one split; they were kept in the first and set aside elsewhere."
            self.notes.append(f"{int(straddling.sum()):,} {done}")
            parts[straddling] = "aside"


def _named_parts(series: pl.Series) -> Parts:
    texts = series.cast(pl.String, strict=False)
    known = {text: _PARTS.get((text or "").strip().casefold()) for text in texts.unique(maintain_order=True).to_list()}
    for text, part in known.items():
        if part is None:
            empty = text is None or is_missing(text)
            do = "Write train, valid or test in every cell."
            rule = f"The column '{series.name}' must hold train, valid or test."
            raise DataError(rule, got="an empty cell" if empty else text, do=do)
    codes = texts.replace_strict(list(known), list(range(len(known))), return_dtype=pl.Int64).to_numpy()
    parts: Parts = np.array(list(known.values()), dtype="<U5")[codes]
    return parts


def _straddling(others: Sequence[pl.Series], parts: Parts) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Say which rows equal a row of an earlier part: training before validation before test."""
    if not others:
        return np.zeros(len(parts), dtype=bool)
    rank = np.select([parts == "train", parts == "valid"], [0, 1], default=2)
    renamed = {f"c{number}": series for number, series in enumerate(others)}
    ranked = pl.DataFrame(renamed).with_columns(rank=pl.Series(rank))
    first = ranked.select(pl.col("rank").min().over(list(renamed))).to_series().to_numpy()
    return np.asarray(rank > first)


ENTRY = Entry(
    name="column",
    summary="the column that split.column names says train, valid or test of each row",
    make=Column,
)
