"""What reading the cells of a table changed, counted per column, with an example each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from wellfit.data.cleaning.contract import Drift, shifted_names

__all__ = ["Coerced", "CoercionReport", "Status", "Tally"]

Status = Literal["plain", "missing", "unparsed", "converted", "infinite", "merged"]

_PHRASES: dict[str, tuple[str, str]] = {
    "missing": ("cell is missing", "cells are missing"),
    "unparsed": ("cell can't be read and counts as missing", "cells can't be read and count as missing"),
    "converted": ("cell was text and was read as a value", "cells were text and were read as values"),
    "infinite": ("cell is infinite or beyond 1e100 and counts as missing", "cells are infinite and count as missing"),
    "merged": ("cell is a level written in another way", "cells are levels written in another way"),
    "unseen": ("cell has a level that is new or was rare", "cells have a level that is new or was rare"),
}


@dataclass(frozen=True, kw_only=True)
class Coerced:
    """What was changed in one column."""

    missing: int = 0
    """Cells that were empty or held a missing marker."""
    unparsed: int = 0
    """Cells whose text is no number or date; they count as missing."""
    converted: int = 0
    """Cells whose text had to be corrected, such as ``1,234`` or text from a source of typed numbers."""
    infinite: int = 0
    """Cells that are infinite, or numbers beyond 1e100; they count as missing."""
    merged: int = 0
    """Cells whose level is known in another spelling, and was read as that."""
    unseen: int = 0
    """Cells whose level training rows never had, or so seldom that it shares their slot."""
    examples: Mapping[str, str] = field(default_factory=dict)
    """The first such cell of each kind."""

    def counts(self) -> dict[str, int]:
        """Give the counts that are not zero, by kind."""
        kinds = ("missing", "unparsed", "converted", "infinite", "merged", "unseen")
        return {kind: count for kind in kinds if (count := getattr(self, kind))}

    def as_dict(self) -> dict[str, Any]:
        """Give the counts as JSON holds them."""
        return {**self.counts(), "examples": dict(self.examples)}


class Tally:
    """Counts cells by what became of them, and keeps the first of each kind."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._examples: dict[str, str] = {}

    def add(self, status: Status, example: str | None, count: int = 1) -> None:
        """Count cells; ``plain`` ones need no mention."""
        if status == "plain" or not count:
            return
        if status not in self._counts and example is not None and status != "missing":
            self._examples[status] = example if len(example) <= 40 else example[:37] + "..."
        self._counts[status] = self._counts.get(status, 0) + count

    def coerced(self) -> Coerced:
        """Give the counts so far."""
        return Coerced(**self._counts, examples=self._examples)


@dataclass(frozen=True, kw_only=True)
class CoercionReport:
    """What was changed in a table on its way to typed columns."""

    rows: int
    columns: Mapping[str, Coerced]
    extra_columns: tuple[str, ...] = ()
    """Columns of the table that the plan doesn't know; they were ignored."""
    missing_columns: tuple[str, ...] = ()
    """Columns that the plan knows and the table lacks."""
    filled_columns: tuple[str, ...] = ()
    """Those of them that are used: they count as missing in every row."""
    drift: Mapping[str, Drift] = field(default_factory=dict)
    """How far each column is from its training rows; empty where nobody asked, or rows are too few to tell."""

    def sentences(self) -> list[str]:
        """Say what was changed, a line for each column and kind."""
        lines = [line for name, coerced in self.columns.items() for line in _lines(name, coerced)]
        if self.extra_columns:
            lines.append(f"Ignored columns that the model doesn't know: {', '.join(map(repr, self.extra_columns))}.")
        lines += [f"'{name}' is not there and counts as missing in every row." for name in self.filled_columns]
        return [*lines, *self.drift_sentences()]

    def drift_sentences(self) -> list[str]:
        """Say which columns have shifted."""
        return [
            f"'{name}' has shifted since training: PSI {found.psi:.2f}, where {found.threshold:.2f} is a shift; "
            f"{found.missing:.0%} missing, {found.missing_in_training:.0%} in training."
            for name, found in ((name, self.drift[name]) for name in shifted_names(self.drift))
        ]

    def as_dict(self) -> dict[str, Any]:
        """Give the report as JSON holds it; columns without any change are left out."""
        changed = {name: coerced.as_dict() for name, coerced in self.columns.items() if coerced.counts()}
        extra, lacking = list(self.extra_columns), list(self.missing_columns)
        drift = {name: found.as_dict() for name, found in self.drift.items()}
        return {
            "rows": self.rows,
            "columns": changed,
            "extra_columns": extra,
            "missing_columns": lacking,
            "filled_columns": list(self.filled_columns),
            "drift": drift,
        }


def _lines(name: str, coerced: Coerced) -> Iterator[str]:
    for kind, count in coerced.counts().items():
        example = f" (such as {coerced.examples[kind]!r})" if kind in coerced.examples else ""
        yield f"'{name}': {count:,} {_PHRASES[kind][count > 1]}{example}."
