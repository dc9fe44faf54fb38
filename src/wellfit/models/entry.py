"""What an architecture takes and gives, and the entry that registers one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from wellfit.models.members import Kind
from wellfit.registry import Entry

__all__ = ["ModelEntry", "Occasion", "TableInputs"]


@dataclass(frozen=True, kw_only=True)
class TableInputs:
    """The shape of a prepared table: what a model for tables reads.

    Its ``forward(numeric, categorical)`` takes float32 ``[row, number]`` and int64 ``[row, category]``, the ids of
    column ``i`` in ``[0, cardinalities[i])``, and gives float32 ``[row, output]``.
    """

    numeric: int
    cardinalities: tuple[int, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Give the shape as JSON holds it."""
        return {"numeric": self.numeric, "cardinalities": list(self.cardinalities)}


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """What a recipe depends on."""

    task: str
    """``binary``, ``multiclass`` or ``regression``."""
    rows: int
    """Training rows."""
    metric: str
    """The metric asked for, or ``auto``."""


def _as_given(options: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    return dict(options)


def _no_wishes(occasion: Occasion) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, kw_only=True)
class ModelEntry(Entry):
    """An architecture; ``make(inputs, outputs, **options)`` gives an ``nn.Module``.

    A module may have, and the training heeds: ``members`` and ``fit_to`` (see `wellfit.models.members`);
    ``factors()``, the factors of rate and decay by parameter's name, ``{name: (rate, decay)}``, 1 where not named;
    ``at(progress)``, called before each update with the share of the run that lies before it, which gives the factor
    of the weight decay; ``told(target)``, called before each forward pass of an update with the answers of its rows.
    One that looks answers up among training rows says how many its weights hold, ``known_rows``, and does not find a
    row itself where ``sees_itself`` is set to False.
    """

    reads: Literal["table", "images"] = "table"
    """What the rows are that it reads: `TableInputs` or `ImageInputs`."""
    settle: Callable[[Mapping[str, Any], Kind], dict[str, Any]] = _as_given
    """Turns options that were left to ``auto`` into what they stand for, given what the outputs are."""
    recipe: Callable[[Occasion], Mapping[str, Any]] = _no_wishes
    """What the architecture wants of features and training where a person said nothing, by dotted key."""
    portfolio: tuple[Mapping[str, Any], ...] = ()
    """Settings that do well on many tables, by dotted key: a search tries them before it draws any. The rate,
    ``train.optimizer.lr``, is a part of the one that a training takes by itself."""
