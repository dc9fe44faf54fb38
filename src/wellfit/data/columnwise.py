"""Work on many columns, or parts of rows, at once: Polars and NumPy leave the interpreter's lock while they compute."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import polars as pl

__all__ = ["MANY", "each"]

MANY = 50_000
"""Rows from which on threads repay their start."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(function: Callable[[Item], Result], items: Iterable[Item], *, rows: int) -> list[Result]:
    """Give what a function makes of each item, in their order; where the rows are many, of several at a time.

    >>> each(len, ["a", "bc"], rows=2)
    [1, 2]
    """
    if rows < MANY:
        return [function(item) for item in items]
    with ThreadPoolExecutor(pl.thread_pool_size(), thread_name_prefix="wellfit-columns") as pool:
        return list(pool.map(function, items))
