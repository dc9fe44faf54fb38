"""A tree computed with Polars, column by column, in which what isn't a finite number is missing."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from wellfit.data.features.expressions.tree import Binary, Call, Column, Node, Number

__all__ = ["LARGEST", "computed"]

LARGEST = 1e100
"""Greater magnitudes are missing, as they are in the cells that are read."""

_ARITHMETIC: Mapping[str, Callable[[Any, Any], pl.Series]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}
_COMPARISONS: Mapping[str, Callable[[Any, Any], pl.Series]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def computed(node: Node, columns: Mapping[str, pl.Series], rows: int) -> pl.Series:
    """Give the value of each row, Float64, null where an operand is missing or a result is not finite.

    Each sign is computed at once for all rows. As one lazy expression a tree would double at every sign, since the
    bound below reads its operand twice.

    Args:
        node: The tree.
        columns: The cells of each column in it, Float64.
        rows: How many there are.
    """
    if isinstance(node, Number):
        return pl.repeat(node.value, rows, dtype=pl.Float64, eager=True)
    if isinstance(node, Column):
        return columns[node.name]
    if isinstance(node, Binary):
        return _joined(node, computed(node.left, columns, rows), computed(node.right, columns, rows))
    inner = computed(node.inner, columns, rows)
    return _called(node, inner) if isinstance(node, Call) else -inner


def _joined(node: Binary, left: pl.Series, right: pl.Series) -> pl.Series:
    if node.sign in _COMPARISONS:
        return _COMPARISONS[node.sign](left, right).cast(pl.Float64)
    return _bounded(_ARITHMETIC[node.sign](left, right))


def _called(node: Call, value: pl.Series) -> pl.Series:
    if node.function == "abs":
        return value.abs()
    return _bounded(value.log() if node.function == "log" else value.sqrt())


def _bounded(value: pl.Series) -> pl.Series:
    return pl.select(pl.when(value.is_between(-LARGEST, LARGEST)).then(value)).to_series()
