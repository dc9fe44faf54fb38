"""Work on many columns, or parts of rows, at once: Polars and NumPy leave the interpreter's lock while they compute."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import polars as pl

__all__ = ["MANY", "beside", "each"]

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


@contextmanager
def beside(function: Callable[[], Result], *, rows: int) -> Iterator[Callable[[], Result]]:
    """Do something while the block is at work, where the rows are many: neither keeps all cores busy.

    Gives what gives the result, and waits for it; where the rows are few, that does the work.

    >>> with beside(lambda: 2, rows=100) as result:
    ...     1 + result()
    3
    """
    if rows < MANY:
        yield function
        return
    with ThreadPoolExecutor(1, thread_name_prefix="wellfit-beside") as pool:
        yield pool.submit(function).result
