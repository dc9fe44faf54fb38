"""`Split`: which rows train, validate and test; and what is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from wellfit.errors import ConfigError, DataError, did_you_mean

__all__ = ["Request", "Rows", "Split", "named_column", "refuse_empty"]

Rows = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, kw_only=True)
class Split:
    """Which rows of a table train, validate and test; row numbers in ascending order."""

    train: Rows
    valid: Rows
    test: Rows
    method: str
    """The method by which the rows were dealt: ``random``, ``stratified``, ``group``, ``time`` or ``column``."""
    notes: tuple[str, ...] = ()
    """What had to be done otherwise than asked for, and why."""


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
    return request.frame.get_column(request.column)


def refuse_empty(drawn: int, of: int, noun: str = "row", column: str = "") -> None:
    """Raise `DataError` where a part of the split would be empty."""
    if not 0 < drawn < of:
        where = f" of '{column}'" if column else ""
        got = f"{of:,} {noun}{'' if of == 1 else 's'}{where} to divide"
        do = f"Give more {noun}s, or set other shares."
        raise DataError("Each part of the split must have a row.", got=got, do=do)
