"""`Split`: which rows train, validate and test; and what is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from wellfit.data.compact import as_text
from wellfit.errors import ConfigError, DataError, did_you_mean

__all__ = ["NOWHERE", "TEST", "TRAIN", "VALID", "Places", "Request", "Rows", "Split", "named_column", "refuse_empty"]

TRAIN, VALID, TEST, NOWHERE = range(4)

Rows = np.ndarray[Any, np.dtype[Any]]
"""Numbers of rows."""
Places = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True, kw_only=True)
class Split:
    """Which rows of a table train, validate and test.

    >>> split = Split.of_rows(4, train=np.array([0, 3]), valid=np.array([1]), test=np.array([], int), method="random")
    >>> split.places.tolist(), split.train.tolist()
    ([0, 1, 3, 0], [0, 3])
    """

    places: Places
    """Where each row goes, uint8 [row]: 0 it trains, 1 it validates, 2 it tests, 3 nowhere. Of a hundred million rows
    their numbers would take eight times as much."""
    method: str
    """The method by which the rows were dealt: ``random``, ``stratified``, ``group``, ``time`` or ``column``."""
    notes: tuple[str, ...] = ()
    """What had to be done otherwise than asked for, and why."""

    @classmethod
    def of_rows(
        cls, count: int, *, train: Rows, valid: Rows, test: Rows, method: str, notes: tuple[str, ...] = ()
    ) -> Split:
        """Say of so many rows by their numbers which train, validate and test."""
        places = np.full(count, NOWHERE, dtype=np.uint8)
        for place, rows in ((TRAIN, train), (VALID, valid), (TEST, test)):
            places[rows] = place
        return cls(places=places, method=method, notes=notes)

    @property
    def train(self) -> Rows:
        """The numbers of the rows that train, ascending."""
        return np.flatnonzero(self.places == TRAIN)

    @property
    def valid(self) -> Rows:
        """The numbers of the rows that validate, ascending."""
        return np.flatnonzero(self.places == VALID)

    @property
    def test(self) -> Rows:
        """The numbers of the rows that test, ascending."""
        return np.flatnonzero(self.places == TEST)


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is to be divided, and how."""

    frame: pl.DataFrame
    """The table; every row has a target."""
    target: str
    test: float
    """The share of rows that test, in [0, 1); 0 for none."""
    valid: float
    """The share of rows that validate, in [0, 1); 0 for none."""
    seed: int
    column: str | None
    method: str

    @property
    def share(self) -> float:
        """The share of the rows that do not test which validates."""
        return round(self.valid / (1 - self.test), 12)


def named_column(request: Request, needs: str) -> pl.Series:
    """Give the column that a method needs.

    Raises:
        ConfigError: None is named, or the table has none of that name.
    """
    if request.column is None:
        rule = f"'split.method: {request.method}' needs the name of the column with {needs}."
        raise ConfigError(rule, do="Set split.column.")
    names = request.frame.columns
    if request.column not in names:
        do = did_you_mean(request.column, names)
        raise ConfigError("'split.column' is a column of the table.", got=request.column, do=do)
    if request.column == request.target:
        rule = "'split.column' is another column than the target."
        raise ConfigError(rule, got=request.column, do=f"Name the column with {needs}.")
    return as_text(request.frame.get_column(request.column))


def refuse_empty(drawn: int, of: int, noun: str = "row", column: str = "") -> None:
    """Raise `DataError` where a part of the split would be empty."""
    if not 0 < drawn < of:
        where = f" of '{column}'" if column else ""
        got = f"{of:,} {noun}{'' if of == 1 else 's'}{where} to divide"
        do = f"Give more {noun}s, or set other shares."
        raise DataError("Each part of the split must have a row.", got=got, do=do)
