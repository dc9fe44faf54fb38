"""Dirt of known kinds put into a table of text, in two hands; what every cell was is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from dirt.hands import HANDS, MISSING, Draw, Hand

__all__ = ["KINDS", "Dirt", "Roles", "inject", "roles_of"]

KINDS = ("missing", "text_number", "typo", "form", "date")

Change = Callable[[str, Draw], str | None]


@dataclass(frozen=True)
class Dirt:
    """A dirtied table and its truth."""

    frame: pl.DataFrame
    """The rows as they would be read, copies of rows among them."""
    origin: np.ndarray
    """For each row the number of the clean row it is."""
    copies: np.ndarray
    """Whether a row is an exact copy of one before it."""
    cells: dict[str, dict[str, np.ndarray]]
    """By kind and column, the numbers of the clean rows whose cell was dirtied."""


@dataclass(frozen=True)
class Roles:
    """Which columns may get which dirt, told from the clean table alone."""

    numbers: tuple[str, ...]
    categories: tuple[str, ...]
    dates: tuple[str, ...]


def roles_of(frame: pl.DataFrame) -> Roles:
    """Sort columns of text: numbers of more than ten values, words of at most 500 levels, ISO dates."""
    numbers: list[str] = []
    categories: list[str] = []
    dates: list[str] = []
    for series in frame.get_columns():
        known = series.drop_nulls().str.strip_chars()
        known = known.filter(~known.str.to_lowercase().is_in(MISSING))
        if not len(known):
            continue
        as_number = known.cast(pl.Float64, strict=False)
        if as_number.null_count() == 0:
            # Numbers with a zero in front are codes, which nobody writes as a price.
            if known.n_unique() > 10 and not known.str.contains(r"^0\d").any():
                numbers.append(series.name)
        elif known.str.contains(r"^\d{4}-\d{2}-\d{2}").all():
            dates.append(series.name)
        elif as_number.count() == 0 and 2 <= known.n_unique() <= min(500, len(known) // 10):
            categories.append(series.name)
    return Roles(tuple(numbers), tuple(categories), tuple(dates))


def inject(
    frame: pl.DataFrame, roles: Roles, *, hand: str = "one", rate: float = 0.05, copies: float = 0.03, seed: int = 0
) -> Dirt:
    """Dirty a share of the cells of every column, each by one kind, and put copies of dirty rows anywhere."""
    draw = np.random.default_rng(seed)
    cells: dict[str, dict[str, np.ndarray]] = {kind: {} for kind in KINDS}
    columns = []
    for series in frame.get_columns():
        values = series.to_list()
        left = np.flatnonzero([value is not None and value.strip().lower() not in MISSING for value in values])
        for kind, change in _changes(series, roles, HANDS[hand]):
            rows = np.sort(draw.choice(left, size=min(round(rate * len(values)), len(left) // 4), replace=False))
            done = _changed(values, rows, change, draw)
            cells[kind][series.name] = done
            left = np.setdiff1d(left, done)
        columns.append(pl.Series(series.name, values, dtype=pl.String))
    dirty = pl.DataFrame(columns)
    order, is_copy = _with_copies(frame.height, copies, draw)
    return Dirt(dirty[order], order, is_copy, cells)


def _with_copies(rows: int, share: float, draw: Draw) -> tuple[np.ndarray, np.ndarray]:
    """Give the rows with some of them twice, a copy anywhere behind its original."""
    origin = np.arange(rows)
    copied = np.sort(draw.choice(origin, size=round(share * rows), replace=False))
    place = np.concatenate([origin.astype(float), copied + draw.uniform(0.5, rows, len(copied))])
    order = np.concatenate([origin, copied])[np.argsort(place, kind="stable")]
    seen: set[int] = set()
    return order, np.array([row in seen or bool(seen.add(row)) for row in order.tolist()])


def _changes(series: pl.Series, roles: Roles, hand: Hand) -> list[tuple[str, Change]]:
    name = series.name
    changes: list[tuple[str, Change]] = []
    if name in roles.numbers:
        changes.append(("text_number", hand.number))
    if name in roles.categories:
        changes += [("typo", hand.typo), ("form", hand.form)]
    if name in roles.dates:
        changes.append(("date", hand.date))
    if changes:
        levels = {text.strip().lower() for text in series.drop_nulls().unique().to_list()}
        changes.append(("missing", _disguise([text for text in hand.disguises if text.lower() not in levels])))
    return changes


def _disguise(disguises: Sequence[str]) -> Change:
    return lambda text, draw: str(draw.choice(disguises))


def _changed(values: list, rows: np.ndarray, change: Change, draw: Draw) -> np.ndarray:
    done = []
    for row in rows.tolist():
        new = change(values[row], draw)
        if new is not None and new != values[row]:
            values[row] = new
            done.append(row)
    return np.array(done, dtype=np.int64)
