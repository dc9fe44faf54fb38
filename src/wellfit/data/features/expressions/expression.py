"""`Expression`: a number computed from the cells of a row, as a person writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from wellfit.data.features.expressions.parser import parse
from wellfit.data.features.expressions.translation import computed
from wellfit.data.features.expressions.tree import Column, Node, columns_of

__all__ = ["Expression"]


@dataclass(frozen=True)
class Expression:
    """A number computed from the cells of a row.

    Missing where a cell in it is missing, and where it has no finite value: a division by zero, the logarithm of zero
    or of a negative number, the root of a negative one, a result beyond 1e100.

    >>> Expression("log(income) / (debt + 1) > 2").columns
    ('income', 'debt')

    Raises:
        ConfigError: The text is no expression; raised when it is made.
    """

    text: str

    def __post_init__(self) -> None:
        """Read the text."""
        self._tree  # noqa: B018

    @cached_property
    def _tree(self) -> Node:
        return parse(self.text)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns it is computed from, each once."""
        return tuple(dict.fromkeys(column.name for column in self.places))

    @property
    def places(self) -> list[Column]:
        """The columns as they stand in the text, each with its place."""
        return columns_of(self._tree)

    def apply(self, columns: Mapping[str, pl.Series], rows: int) -> pl.Series:
        """Compute it for each of so many rows, Float64, from Float64 columns."""
        return computed(self._tree, columns, rows)
