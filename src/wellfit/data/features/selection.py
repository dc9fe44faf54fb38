"""`Selection`: which columns of the training matrix are kept, and the scores that say so."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wellfit.data.features.selectors import SELECTORS, Candidates, Selector
from wellfit.data.features.targets import Targets
from wellfit.errors import ConfigError

__all__ = ["Selection", "sampled_rows", "select_columns"]

MOST_ROWS = 200_000
"""Training rows that columns are scored on: more hardly change which are the best."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What a selector decided."""

    select: Mapping[str, Any]
    """The selector's name and options."""
    names: tuple[str, ...]
    """The columns that could be kept."""
    scores: tuple[float | None, ...]
    """The score of each; None where it is not finite."""
    kept: tuple[int, ...]
    """Which of those are kept."""

    def as_dict(self) -> dict[str, Any]:
        """Give the selection as JSON holds it."""
        scored = [{"name": name, "score": score} for name, score in zip(self.names, self.scores, strict=True)]
        return {"select": dict(self.select), "scored": scored, "kept": list(self.kept)}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Selection:
        """Read a selection back from what `as_dict` gave."""
        return cls(
            select=record["select"],
            names=tuple(column["name"] for column in record["scored"]),
            scores=tuple(column["score"] for column in record["scored"]),
            kept=tuple(record["kept"]),
        )


def sampled_rows(targets: Targets | None, rows: int) -> Any:
    """Give the rows that columns are scored on: those with a target, drawn at random where they are many."""
    known = np.arange(rows) if targets is None else np.flatnonzero(targets.known)
    if len(known) <= MOST_ROWS:
        return known
    return np.sort(np.random.default_rng(0).choice(known, MOST_ROWS, replace=False))


def select_columns(
    select: str | Mapping[str, Any],
    numeric: Callable[[bool], Any],
    ids: Any,
    *,
    names: Sequence[str],
    flags: Collection[int],
    targets: Targets | None,
) -> Selection:
    """Decide which columns are kept.

    Args:
        select: A selector's name or mapping.
        numeric: Gives the numeric columns [row, number], scaled or filled alone.
        ids: The columns of ids, int64 [row, category].
        names: The names of all columns, the numeric ones first.
        flags: Which numeric columns are 0/1 flags.
        targets: The targets of the rows.

    Raises:
        ConfigError: There is no such selector, it doesn't fit the target, or it keeps nothing.
    """
    choice = SELECTORS.choose(select)
    selector: Selector = choice.entry.make(**choice.options)
    columns = np.asarray(numeric(selector.scaled), dtype=np.float64)
    discrete = np.zeros(columns.shape[1], dtype=bool)
    discrete[list(flags)] = True
    candidates = Candidates(numeric=columns, ids=ids, names=tuple(names), discrete=discrete, targets=targets)
    scores = selector.scores(candidates)
    kept = tuple(np.flatnonzero(selector.keep(scores)).tolist())
    if not kept:
        best = names[int(np.nanargmax(scores))]
        do = f"The best, '{best}', has {np.nanmax(scores):.6g}: set a lower threshold."
        raise ConfigError(f"The selector {choice.name} must keep a column.", got="none", do=do)
    plain = tuple(float(score) if np.isfinite(score) else None for score in scores)
    return Selection(select=choice.spec(), names=tuple(names), scores=plain, kept=kept)
