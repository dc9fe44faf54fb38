"""Rows that are nearly the same: equal once they are cleaned, or in all cells but one.

Rows of few levels are equal by chance. A pair counts where that is out of the question: the shares of its cells' values
in the table, multiplied, leave less than a hundredth of a row to be expected.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from wellfit.data.cleaning.naming import safely_named
from wellfit.findings import Finding, Remedy

__all__ = ["MOST_ROWS", "beyond_chance", "near_duplicates", "row_keys"]

CHANCE = 0.01
"""Rows that may be expected to be equal by chance, at the most."""

MOST_ROWS = 50_000
"""Rows that are compared with one cell left out."""

LEAST = 3
"""Pairs of rows from which on they are worth a mention."""

Keys = np.ndarray[Any, np.dtype[np.uint64]]
Rows = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
Floats = np.ndarray[Any, np.dtype[np.float64]]


def row_keys(frame: pl.DataFrame) -> Keys:
    """Give a number for each cell, equal for equal values: uint64 ``[row, column]``."""
    keys = [_spread(safely_named(series).hash(place).to_numpy()) for place, series in enumerate(frame.get_columns())]
    return np.column_stack(keys) if keys else np.empty((frame.height, 0), dtype=np.uint64)


def _spread(hashes: Keys) -> Keys:
    """Mix the bits anew, so that sums of hashes are as good as hashes (the finalizer of SplitMix64)."""
    with np.errstate(over="ignore"):
        mixed = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def beyond_chance(keys: Keys, rows: Rows, left_out: int | None = None) -> Flags:
    """Say of each of some rows whether another like it can't be by chance, judged by how frequent its values are.

    Args:
        keys: The keys of the whole table, ``[row, column]``.
        rows: The rows asked about.
        left_out: A column that doesn't count.
    """
    if not len(rows):
        return np.zeros(0, dtype=bool)
    logs = np.full(len(rows), np.log(len(keys)))
    sample = keys[:: max(1, -(-len(keys) // MOST_ROWS))]
    for column in range(keys.shape[1]):
        if column != left_out:
            values, counts = np.unique(sample[:, column], return_counts=True)
            asked = keys[rows, column]
            places = np.minimum(np.searchsorted(values, asked), len(values) - 1)
            logs += np.log(np.where(values[places] == asked, counts[places], 1) / len(sample))
    flags: Flags = logs < np.log(CHANCE)
    return flags


def near_duplicates(typed: pl.DataFrame, raw: pl.DataFrame) -> Iterator[Finding]:
    """Report training rows that are nearly the same; they are kept.

    Args:
        typed: The training rows as they are read, the target among them.
        raw: The same rows as they were given.
    """
    step = max(1, -(-typed.height // MOST_ROWS))
    typed = typed.gather_every(step)
    if typed.width < 2 or typed.height < 2:
        return
    keys = row_keys(typed)
    with np.errstate(over="ignore"):
        total = keys.sum(axis=1, dtype=np.uint64)
    equal = _pairs(total)
    equal = equal[beyond_chance(keys, equal[:, 0])]
    raw = raw.gather_every(step) if len(equal) else raw.clear()
    copied = _are_copies(raw, equal)
    if copied.any():
        yield _copies_kept(raw, equal[copied])
    if (~copied).sum() >= LEAST:
        yield _equal_once_cleaned(raw, equal[~copied])
    by_column = [(name, _one_apart(keys, total, column)) for column, name in enumerate(typed.columns)]
    count = sum(len(pairs) for _, pairs in by_column)
    if count >= LEAST:
        yield _in_all_cells_but_one(typed, count, *max(by_column, key=lambda found: len(found[1])))


def _pairs(keys: Keys) -> Rows:
    """Give the rows whose key stands twice or more, each with the first of its key: ``[pair, 2]``."""
    ranked = np.sort(keys)
    if not (ranked[1:] == ranked[:-1]).any():
        return np.empty((0, 2), dtype=np.int64)
    order = np.argsort(keys, kind="stable").astype(np.int64)
    ranked = keys[order]
    starts = np.concatenate([[True], ranked[1:] != ranked[:-1]])
    first = order[np.flatnonzero(starts)[np.cumsum(starts) - 1]]
    pairs: Rows = np.empty((int((~starts).sum()), 2), dtype=np.int64)
    pairs[:, 0], pairs[:, 1] = first[~starts], order[~starts]
    return pairs


def _one_apart(keys: Keys, total: Keys, column: int) -> Rows:
    with np.errstate(over="ignore"):
        pairs = _pairs(total - keys[:, column])
    apart = pairs[keys[pairs[:, 0], column] != keys[pairs[:, 1], column]]
    beyond: Rows = apart[beyond_chance(keys, apart[:, 0], left_out=column)]
    return beyond


def _are_copies(raw: pl.DataFrame, pairs: Rows) -> Flags:
    """Say of pairs of rows whether they are equal as they were given, too."""
    copied: Flags = np.ones(len(pairs), dtype=bool)
    for series in raw.get_columns() if len(pairs) else ():
        copied &= series.gather(pairs[:, 0]).eq_missing(series.gather(pairs[:, 1])).to_numpy()
    return copied


def _copies_kept(raw: pl.DataFrame, pairs: Rows) -> Finding:
    cells = zip(raw.columns[:2], raw.row(int(pairs[0, 0]))[:2], strict=True)
    example = ", ".join(f"{name} {cell!r}" for name, cell in cells)
    message = f"{len(pairs):,} training rows equal an earlier one in every column, such as {example}; they are kept."
    evidence: dict[str, float | int | str] = {"rows": len(pairs), "applied": "proposed", "example": example}
    remedies = (Remedy(path="clean.duplicates", value="drop", why="to train on each of them once"),)
    return Finding(code="duplicate_rows", severity="info", evidence=evidence, message=message, remedies=remedies)


def _equal_once_cleaned(raw: pl.DataFrame, pairs: Rows) -> Finding:
    one, two = (raw.row(int(row)) for row in pairs[0])
    apart = [
        f"{name} {left!r} and {right!r}"
        for name, left, right in zip(raw.columns, one, two, strict=True)
        if left != right
    ]
    message = (
        f"{len(pairs):,} training rows equal another one in every column that is used, and differ only in others or in "
        f"how they are written, such as {', '.join(apart[:2])}; they are kept."
    )
    evidence: dict[str, float | int | str] = {
        "rows": len(pairs),
        "applied": "proposed",
        "example": "; ".join(apart[:2]),
    }
    return Finding(code="near_duplicates", severity="info", evidence=evidence, message=message)


def _in_all_cells_but_one(typed: pl.DataFrame, count: int, name: str, pairs: Rows) -> Finding:
    left, right = (typed[name][int(row)] for row in pairs[0])
    message = (
        f"{count:,} pairs of training rows differ in one cell alone, most often in '{name}', such as {left!r} and "
        f"{right!r}; they are kept."
    )
    evidence: dict[str, float | int | str] = {"rows": count, "applied": "proposed", "example": f"{left!r}, {right!r}"}
    return Finding(code="near_duplicates", severity="info", where=name, evidence=evidence, message=message)
