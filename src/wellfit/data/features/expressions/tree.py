"""What an expression may be made of: there are no other nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["FUNCTIONS", "Binary", "Call", "Column", "Negate", "Node", "Number", "columns_of", "quoted"]

FUNCTIONS = ("abs", "log", "sqrt")

Sign = Literal["+", "-", "*", "/", "**", "<", "<=", ">", ">=", "==", "!="]


@dataclass(frozen=True)
class Number:
    """A number as it is written."""

    value: float


@dataclass(frozen=True)
class Column:
    """The cells of a column."""

    name: str
    place: int


@dataclass(frozen=True)
class Negate:
    """The negative of a value."""

    inner: Node


@dataclass(frozen=True)
class Binary:
    """Two values and the sign between them."""

    sign: Sign
    left: Node
    right: Node


@dataclass(frozen=True)
class Call:
    """One of `FUNCTIONS` of a value."""

    function: str
    inner: Node


Node = Number | Column | Negate | Binary | Call


def columns_of(node: Node) -> list[Column]:
    """Give the columns in a tree, from left to right."""
    if isinstance(node, Column):
        return [node]
    if isinstance(node, Binary):
        return columns_of(node.left) + columns_of(node.right)
    return [] if isinstance(node, Number) else columns_of(node.inner)


def quoted(name: str) -> str:
    """Write a column's name so that an expression has it, whatever it is.

    >>> print(quoted("total rooms"), quoted('8" pipes'))
    "total rooms" "8"" pipes"
    """
    return '"' + name.replace('"', '""') + '"'
