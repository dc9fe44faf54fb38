"""What one split knows of another: rows that stand in both, groups that are divided, a time order that was mixed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from wellfit.data.cleaning.dates_as_numbers import number_dates
from wellfit.data.cleaning.duplicates import row_hashes, some_columns, telling_columns
from wellfit.data.cleaning.identifiers import named_owner
from wellfit.data.cleaning.near_duplicates import MOST_ROWS, beyond_chance, row_keys
from wellfit.findings import Finding, Remedy

__all__ = ["divided_groups", "has_times", "mixed_time", "shared_rows"]

LEAST, SHARE = 5, 0.01
"""Rows, and their share of a split, from which on they are worth a warning; fewer are twins that the world has."""

LIKENESS, CONTROLS = 0.5, 5.0
"""How alike the targets of neighbours in time must be (1: the same, 0: like any two rows), and how far from chance, in
standard errors, those of a group."""

LEAST_MOMENTS = 100
"""Different moments that a time series has at the least; rows of one moment stay in the order of the table."""

Array = np.ndarray[Any, Any]

_TIME_PARTS = ("year", "month", "day", "hour", "minute", "second")


def shared_rows(train: pl.DataFrame, other: pl.DataFrame, split: str) -> Iterator[Finding]:
    """Report rows of a split that equal a training row in every column that is used, too unlikely to be chance.

    Args:
        train: Typed training rows, the target among them.
        other: Typed rows of the other split, of the same columns.
        split: Its name.
    """
    if not other.height or not train.height:
        return
    matched = _matched(train, other)
    if len(matched) < LEAST:
        return
    sample = np.arange(0, train.height, max(1, -(-train.height // MOST_ROWS)))
    keys = row_keys(train[np.concatenate([sample, matched])])
    count = int(beyond_chance(keys, np.arange(len(sample), len(keys))).sum())
    if count < LEAST or count < SHARE * other.height:
        return
    message = (
        f"{count:,} of {other.height:,} {split} rows equal a training row in every column that is used, beyond what "
        "chance explains; their score is no evidence."
    )
    evidence = {"rows": count, "share": count / other.height}
    yield Finding(code="split_leakage", severity="warning", where=split, evidence=evidence, message=message)


def _matched(train: pl.DataFrame, other: pl.DataFrame) -> Array:
    """Give for each row of a split that equals a training row the number of that one."""
    places = telling_columns(train)
    mine, theirs = (row_hashes(some_columns(frame, places)).to_numpy() for frame in (train, other))
    common = _common(mine, theirs)
    rows, others = _places(mine, common), _places(theirs, common)
    mine, theirs = mine[rows], theirs[others]
    if len(common) and len(places) < train.width:
        mine, theirs = row_hashes(train[rows]).to_numpy(), row_hashes(other[others]).to_numpy()
        theirs = theirs[_places(theirs, _common(mine, theirs))]
    order = np.argsort(mine)
    matched: Array = rows[order[np.searchsorted(mine, theirs, sorter=order)]]
    return matched


def _common(many: Array, few: Array) -> Array:
    """Give the values that are among both; in order, they are looked up many times as fast."""
    many, few = np.sort(many), np.sort(few)
    return np.unique(few[many[np.minimum(np.searchsorted(many, few), len(many) - 1)] == few])


def _places(values: Array, wanted: Array) -> Array:
    """Give where the wanted values stand."""
    found = np.flatnonzero(pl.Series(values).is_in(pl.Series(wanted).implode()).to_numpy()) if len(wanted) else ()
    return np.asarray(found, dtype=np.int64)


def divided_groups(frames: Mapping[str, pl.DataFrame], truth: Array, names: Sequence[str]) -> Iterator[Finding]:
    """Report columns that name an owner of several rows (a patient, a customer) who has rows in two splits.

    A group is a leak where its rows have like targets: the spread of the groups' means is held against that of groups
    of the same sizes drawn at random.

    Args:
        frames: Raw rows of train, valid and test.
        truth: The targets of the training rows as numbers, float64 ``[row]`` or ``[row, class]``.
        names: The columns to look at.
    """
    for name in names:
        if not named_owner(name) or not all(name in frame.columns for frame in frames.values()):
            continue
        groups = _codes(frames["train"].get_column(name))
        known = groups[groups >= 0]
        sizes = np.bincount(known) if len(known) else np.empty(0)
        if len(sizes) < 10 or len(known) < 2 * len(sizes):
            continue
        other = pl.concat([frames[part].get_column(name).cast(pl.String) for part in ("valid", "test")])
        if not other.len():
            continue
        train = frames["train"].get_column(name).cast(pl.String).drop_nulls().unique()
        shared = int(other.is_in(train.to_list()).sum())
        alike = _alikeness(groups, truth)
        if shared < LEAST or shared < SHARE * other.len() or alike < CONTROLS:
            continue
        message = (
            f"{shared:,} of {other.len():,} validation and test rows have a '{name}' that training rows have too, and "
            f"rows of one '{name}' have like targets ({alike:.0f} standard errors from chance): the scores tell of "
            "known ones alone."
        )
        evidence = {"rows": shared, "share": shared / other.len(), "standard_errors": alike, "groups": len(sizes)}
        why = "to keep the rows of one together"
        remedies = (
            Remedy(path="split.method", value="group", why=why),
            Remedy(path="split.column", value=name, why=why),
        )
        yield Finding(
            code="split_leakage", severity="warning", where=name, evidence=evidence, message=message, remedies=remedies
        )


def _codes(series: pl.Series) -> Array:
    """Give a number for each group, -1 for missing ones."""
    return series.cast(pl.String).rank("dense").fill_null(0).cast(pl.Int64).to_numpy() - 1


def _alikeness(groups: Array, truth: Array) -> float:
    """Give by how many standard errors the groups' means are further apart than those of random groups."""
    matrix = truth.reshape(len(truth), -1)
    known = (groups >= 0) & np.isfinite(matrix).all(axis=1)
    groups, matrix = groups[known], matrix[known]
    draw = np.random.default_rng(0)
    chance = [_spread_of_means(groups, matrix[draw.permutation(len(matrix))]) for _ in range(20)]
    return float((_spread_of_means(groups, matrix) - np.mean(chance)) / max(float(np.std(chance)), 1e-12))


def _spread_of_means(groups: Array, matrix: Array) -> float:
    counts = np.maximum(np.bincount(groups), 1)
    means = np.stack([np.bincount(groups, column) / counts for column in matrix.T], axis=1)
    return float((counts[:, None] * (means - matrix.mean(axis=0)) ** 2).sum())


def mixed_time(typed: pl.DataFrame, truth: Array) -> Iterator[Finding]:
    """Report a table of a time series whose rows were dealt at random: neighbours in time have like targets.

    Args:
        typed: Typed training rows.
        truth: Their targets as numbers, float64 ``[row]`` or ``[row, class]``.
    """
    for name, moments in _times(typed):
        known = moments.is_not_null().to_numpy() & np.isfinite(truth.reshape(len(truth), -1)).all(axis=1)
        if known.sum() < LEAST_MOMENTS or moments.n_unique() < LEAST_MOMENTS:
            continue
        order = np.argsort(moments.to_numpy()[known], kind="stable")
        matrix = truth.reshape(len(truth), -1)[known][order]
        matrix = matrix - matrix.mean(axis=0)
        alike = float((matrix[1:] * matrix[:-1]).sum() / max((matrix**2).sum(), 1e-12))
        if alike < LIKENESS:
            continue
        message = (
            f"Rows that follow each other in '{name}' have like targets (correlation {alike:.2f}), and the split is "
            "random: a validation row lies between two training rows. Later rows will be harder."
        )
        remedies = (Remedy(path="split.method", value="time", why="to score on later rows than those of training"),)
        evidence = {"correlation": alike}
        yield Finding(
            code="split_leakage", severity="warning", where=name, evidence=evidence, message=message, remedies=remedies
        )
        return


def has_times(typed: pl.DataFrame) -> bool:
    """Say whether typed rows have a column that may be a time."""
    return next(_times(typed), None) is not None


def _times(typed: pl.DataFrame) -> Iterator[tuple[str, pl.Series]]:
    """Give the columns of dates as numbers, and one made of columns that are called year, month, day, hour."""
    for series in typed.get_columns():
        if isinstance(series.dtype, pl.Datetime):
            yield series.name, series.cast(pl.Int64)
        elif series.dtype == pl.Float64 and number_dates(series.name, series) is not None:
            yield series.name, series
    floats = [series.name for series in typed.get_columns() if series.dtype == pl.Float64]
    named = {name.strip().lower(): name for name in floats}
    parts = [named[part] for part in _TIME_PARTS if part in named]
    if len(parts) >= 3 or ("year" in named and len(parts) == 2):
        # No part has more than 62 values, so that base 64 keeps their order.
        columns = [typed.get_column(name).to_numpy() * 64.0**-place for place, name in enumerate(parts)]
        yield " ".join(parts), pl.Series("time", np.sum(columns, axis=0), nan_to_null=True)
