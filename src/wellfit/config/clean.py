"""The `clean` section: what is mended in the rows before anything is learnt from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from wellfit.config.problems import Unfit
from wellfit.config.rules import Either, Flag, OneOf, Options, Rule, Text
from wellfit.config.sections import Section, Unchanging, WordOr, named

__all__ = ["Clean", "CleanColumn", "Filling"]


class _Scalar(Rule):
    """A number or a text."""

    def needs(self) -> str:
        """Say what is needed."""
        return "a number or a text"

    def check(self, value: Any) -> Any:
        """Give a number or a text."""
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise Unfit(self.needs(), value, "0")
        return value

    def schema(self) -> dict[str, Any]:
        """Give the rule as JSON Schema."""
        return {"type": ["number", "string"]}


class _Scalars(Rule):
    """A list of numbers and texts, kept as texts."""

    def needs(self) -> str:
        """Say what is needed."""
        return "a list of numbers or texts"

    def check(self, value: Any) -> tuple[str, ...]:
        """Give the texts."""
        if not isinstance(value, (list, tuple)):
            raise Unfit(self.needs(), value, "[-999]")
        return tuple(str(_Scalar().check(item)) for item in value)

    def schema(self) -> dict[str, Any]:
        """Give the rule as JSON Schema."""
        return {"type": "array", "items": _Scalar().schema()}


class Filling(Section):
    """What missing cells become, with options."""

    name: Annotated[
        Literal["mean", "median", "most_frequent", "constant"], OneOf("mean", "median", "most_frequent", "constant")
    ] = "constant"
    """The value that is taken."""
    value: Annotated[float | int | str | None, Either(null=True, rule=_Scalar())] = None
    """The constant."""
    indicator: Annotated[bool, Flag()] = True
    """Whether a column of zeros and ones says where cells were missing."""


_FILLS = ("auto", "mean", "median", "most_frequent")
_Filled = Literal["auto", "mean", "median", "most_frequent"]
_SPELLINGS = ("suggest", "merge", "keep")
_EXAMPLE = "{name: constant, value: 0}"


class CleanColumn(Section):
    """How one column is cleaned, where that differs from the others; null: as they are."""

    missing: Annotated[
        Filling | _Filled | None, WordOr(Filling, *_FILLS, null_is=None, example=_EXAMPLE, step="fills")
    ] = None
    """How its missing cells are filled."""
    markers: Annotated[tuple[str, ...], _Scalars()] = ()
    """Further texts and numbers that stand for a missing cell, such as -999."""
    keep: Annotated[tuple[str, ...], _Scalars()] = ()
    """Texts that are levels here, such as unknown, although they stand for a missing cell elsewhere."""
    spellings: Annotated[Literal["suggest", "merge", "keep"] | None, Either(null=True, rule=OneOf(*_SPELLINGS))] = None
    """Which spellings of a level are read as one."""
    types: Annotated[Literal["correct", "keep"] | None, Either(null=True, rule=OneOf("correct", "keep"))] = None
    """Whether decorated text is read as the number that it says."""
    unit: Annotated[str | None, Either(null=True, rule=Text("a unit", "kg"))] = None
    """The unit that numbers of mixed units are turned into."""
    dates: Annotated[Literal["dmy", "mdy"] | None, Either(null=True, rule=OneOf("dmy", "mdy"))] = None
    """Whether the day or the month is first in its dates."""


class Clean(Section):
    """What is mended in the rows before anything is learnt from them."""

    duplicates: Annotated[Literal["drop", "keep"], OneOf("drop", "keep")] = "drop"
    """Whether exact duplicates of training rows are dropped."""
    missing: Annotated[Filling | _Filled, WordOr(Filling, *_FILLS, null_is="auto", example=_EXAMPLE, step="fills")] = (
        "auto"
    )
    """How missing cells are filled: auto takes the median of numbers and a flag, and a category of its own."""
    spellings: Annotated[Literal["suggest", "merge", "keep"], OneOf(*_SPELLINGS)] = "suggest"
    """Which spellings of a level are read as one: suggest takes those of other case or blanks and proposes
    typing errors, merge takes both, keep none."""
    types: Annotated[Literal["correct", "keep"], OneOf("correct", "keep")] = "correct"
    """Whether numbers and dates that are written as text become what they are."""
    leaks: Annotated[Literal["warn", "off"], OneOf("warn", "off")] = "warn"
    """Whether columns that give the target away, and rows or groups in two splits, are looked for."""
    on_schema: Annotated[Literal["warn", "error", "coerce"], OneOf("warn", "error", "coerce")] = "warn"
    """What happens to later rows that don't fit those of training (unreadable cells, unseen levels, drift, columns that
    lack): warn says so and refuses lacking columns, error refuses, coerce reads all, lacking columns as missing."""
    columns: Annotated[Mapping[str, CleanColumn], Unchanging(CleanColumn), BeforeValidator(named)] = Field(
        default_factory=lambda: Options({})
    )
    """Columns that are cleaned in another way, by name."""
