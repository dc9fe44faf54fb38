"""Names of columns that Polars would take for patterns."""

from __future__ import annotations

import polars as pl

__all__ = ["safely_named"]


def safely_named(series: pl.Series) -> pl.Series:
    """Give the column a name that is no pattern: methods of a series select it by name, and ``^x$`` is a pattern.

    >>> safely_named(pl.Series("^x$", [1])).name, safely_named(pl.Series("x", [1])).name
    ('^x$ ', 'x')
    """
    name = series.name
    return series.alias(f"{name} ") if name.startswith("^") and name.endswith("$") else series
