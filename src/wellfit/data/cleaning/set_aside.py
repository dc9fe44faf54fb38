"""Rows that are used nowhere: kept with their number and the reason, so that none is lost unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

__all__ = ["RowsLeft", "SetAside"]

Rows = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, kw_only=True)
class SetAside:
    """Some rows that were set aside for one reason."""

    reason: str
    rows: Rows
    """Their numbers in the source, from 1."""
    frame: pl.DataFrame
    """The rows as they were read."""


@dataclass(frozen=True)
class RowsLeft:
    """The rows of a table that are still used, and those that were set aside on the way.

    >>> left = RowsLeft.of(pl.DataFrame({"a": [1, 1, 2]})).without(np.array([False, True, False]), "a duplicate")
    >>> left.frame["a"].to_list(), left.table().rows()
    ([1, 2], [(2, 'a duplicate', '1')])
    """

    frame: pl.DataFrame
    rows: Rows
    """Their numbers in the source, from 1."""
    aside: tuple[SetAside, ...] = ()

    @classmethod
    def of(cls, frame: pl.DataFrame) -> RowsLeft:
        """Begin with every row."""
        return cls(frame, np.arange(1, frame.height + 1, dtype=np.int64))

    def without(self, mask: np.ndarray[Any, np.dtype[np.bool_]], reason: str) -> RowsLeft:
        """Set rows aside."""
        if not mask.any():
            return self
        gone = SetAside(reason=reason, rows=self.rows[mask], frame=self.frame.filter(mask))
        return RowsLeft(self.frame.filter(~mask), self.rows[~mask], (*self.aside, gone))

    def table(self) -> pl.DataFrame:
        """Give the rows set aside as text, with their number and the reason in front."""
        return _table(self.aside, self.frame.columns)


def _table(aside: Sequence[SetAside], names: Sequence[str]) -> pl.DataFrame:
    heads = _free_names(("row", "reason"), names)
    parts = []
    for part in aside:
        columns = [series.cast(pl.String, strict=False) for series in part.frame.get_columns()]
        number, reason = pl.Series(heads[0], part.rows), pl.Series(heads[1], [part.reason] * len(part.rows))
        parts.append(pl.DataFrame([number, reason, *columns]))
    return pl.concat(parts) if parts else pl.DataFrame()


def _free_names(wanted: Sequence[str], taken: Sequence[str]) -> list[str]:
    """Give names that no column of the table has."""
    return [name if name not in taken else f"wellfit {name}" for name in wanted]
