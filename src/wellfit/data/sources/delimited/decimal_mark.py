"""Which mark stands before decimals in a text table."""

from __future__ import annotations

import polars as pl

__all__ = ["PROBE_ROWS", "decimal_mark_of"]

PROBE_ROWS = 1000
"""Rows that tell."""

_COMMA = r"^\s*[-+]?(?:[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+),[0-9]+\s*$"
_THOUSANDS = r"^\s*[-+]?[0-9]{1,3}(?:,[0-9]{3})+\s*$"
_POINT = r"^\s*[-+]?(?:[0-9]*|[0-9]{1,3}(?:,[0-9]{3})+)\.[0-9]+\s*$"


def decimal_mark_of(frame: pl.DataFrame) -> str:
    """Give ``,`` where more of the first cells have a decimal comma than a point, else ``.``; ``1,234`` has neither.

    >>> decimal_mark_of(pl.DataFrame({"a": ["1,5", "1.234,25"], "b": ["x", "2.5"]}))
    ','
    """
    cells = pl.concat([series.alias("cells") for series in frame.head(PROBE_ROWS)])
    points = cells.str.contains(_POINT).sum()
    commas = (cells.str.contains(_COMMA) & ~cells.str.contains(_THOUSANDS)).sum()
    return "," if commas > points else "."
