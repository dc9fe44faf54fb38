"""What an architecture takes and gives, and the entry that registers one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from wellfit.registry import Entry

__all__ = ["ModelEntry", "TableInputs"]


@dataclass(frozen=True, kw_only=True)
class TableInputs:
    """The shape of a prepared table: what a model for tables reads.

    Its ``forward(numeric, categorical)`` takes float32 ``[row, number]`` and int64 ``[row, category]``, the ids of
    column ``i`` in ``[0, cardinalities[i])``, and gives float32 ``[row, output]``.
    """

    numeric: int
    cardinalities: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ModelEntry(Entry):
    """An architecture; ``make(inputs, outputs, **options)`` gives an ``nn.Module``."""

    settle: Callable[[Mapping[str, Any]], dict[str, Any]] = dict
    """Turns options that were left to ``auto`` into what they stand for."""
