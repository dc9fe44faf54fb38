"""Every search for leaks over one prepared table, in the order in which they are told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import polars as pl

from wellfit.data.cleaning.contract import shifted_names
from wellfit.data.cleaning.identifiers import named_id, named_owner
from wellfit.data.cleaning.leaks import target_leaks
from wellfit.data.cleaning.naming import safely_named
from wellfit.data.cleaning.near_duplicates import near_duplicates
from wellfit.data.cleaning.plan import CleaningPlan, ColumnPlan
from wellfit.data.cleaning.report import CoercionReport
from wellfit.data.cleaning.split_leaks import divided_groups, has_times, mixed_time, shared_rows
from wellfit.data.cleaning.target import TargetPlan
from wellfit.data.compact import as_text, is_worded
from wellfit.findings import Finding

__all__ = ["find_leaks"]

_DEALT = ("random", "stratified")
"""Splits that pay no heed to groups and time."""

MOST_CLASSES = 50

WORDED = 0.3
"""A column of which so many cells have several words holds names or remarks, and no keys."""


def find_leaks(
    frames: Mapping[str, pl.DataFrame], typed: pl.DataFrame, cleaning: CleaningPlan, target: TargetPlan, *, method: str
) -> Iterator[Finding]:
    """Name columns that give the target away, rows and groups in two splits, near duplicates, a mixed time order.

    Args:
        frames: Raw rows of train, valid and test.
        typed: The training rows as the plan reads them.
        cleaning: The plan.
        target: What is predicted.
        method: How the rows were split.
    """
    encoded, _ = target.encode(frames["train"].get_column(target.name))
    yield from target_leaks(typed, target, encoded)
    witnesses = _witnesses(frames["train"], cleaning)
    whole = _whole(typed, encoded, frames["train"], witnesses)
    yield from near_duplicates(whole, frames["train"])
    for split in ("valid", "test"):
        other = frames[split]
        if {target.name, *witnesses, *(column.name for column in cleaning.used)} <= set(other.columns) and other.height:
            theirs = target.encode(other.get_column(target.name))[0]
            read, report = cleaning.apply(other, watch=True)
            yield from shared_rows(whole, _whole(read, theirs, other, witnesses), split)
            yield from _shifts(report, cleaning, split)
    if method in _DEALT:
        owners = [column.name for column in cleaning.columns if named_owner(column.name)]
        # A number for each row and class takes as much as a column of the table: few tables have groups or times.
        truth = _as_numbers(encoded, target) if owners or has_times(typed) else encoded
        yield from divided_groups(frames, truth, owners)
        yield from mixed_time(typed, truth)


def _shifts(report: CoercionReport, cleaning: CleaningPlan, split: str) -> Iterator[Finding]:
    """Name the columns of a split that are not distributed as in training; dates move on by themselves."""
    dates = {column.name for column in cleaning.used if column.kind == "datetime"}
    for name in shifted_names(report.drift):
        if name not in dates:
            found = report.drift[name]
            message = f"'{name}' is distributed otherwise in {split} than in training rows: PSI {found.psi:.2f}."
            evidence: dict[str, float | int | str] = {"psi": found.psi, "threshold": found.threshold, "split": split}
            yield Finding(code="distribution_shift", severity="warning", where=name, evidence=evidence, message=message)


def _witnesses(train: pl.DataFrame, cleaning: CleaningPlan) -> list[str]:
    """Give the columns that are no features and still tell rows apart: names and remarks, not keys and numbers."""
    unread = [column.name for column in cleaning.columns if not _is_read_whole(column) and column.name in train.columns]
    texts = [name for name in unread if is_worded(train.get_column(name)) and not named_id(name)]
    cells = {name: as_text(safely_named(train.get_column(name))) for name in texts}
    blank = {name: its.str.contains(r"\S\s+\S").mean() for name, its in cells.items()}
    return [name for name in texts if (blank[name] or 0.0) > WORDED]  # type: ignore[operator]


def _is_read_whole(column: ColumnPlan) -> bool:
    return column.reader is not None and getattr(column.reader, "spelling", "") not in ("presence", "words")


def _whole(typed: pl.DataFrame, encoded: np.ndarray[Any, Any], raw: pl.DataFrame, witnesses: list[str]) -> pl.DataFrame:
    """Put the witnesses and the target to the columns; the target under a name that no column has."""
    name = "target"
    while name in raw.columns or name in typed.columns:
        name += " "
    return pl.DataFrame(
        [
            *(series for series in typed.get_columns() if series.name not in witnesses),
            *(raw.get_column(column) for column in witnesses),
            pl.Series(name, encoded),
        ]
    )


def _as_numbers(encoded: np.ndarray[Any, Any], target: TargetPlan) -> np.ndarray[Any, Any]:
    """Give standardised targets, or zeros and ones by class, of the first classes where there are many."""
    if target.task == "regression":
        return encoded.astype(np.float64)
    classes = np.arange(min(len(target.classes), MOST_CLASSES))
    return np.asarray(encoded[:, None] == classes[None, :], dtype=np.float64)
