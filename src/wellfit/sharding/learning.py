"""The first pass over a table: its rows are dealt, and the plans learned, before a row is laid down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from wellfit.config import Config, with_recipe
from wellfit.data.cleaning import CleaningPlan, TargetPlan, find_leaks, rows_without_target
from wellfit.data.features import FeaturePlan, Matrix, Targets
from wellfit.data.large.ahead import ahead
from wellfit.data.large.scan import Scan, repeated_hashes, scanned
from wellfit.data.large.shards import ABSENT, SPLITS
from wellfit.data.large.stream import RowStream
from wellfit.data.splitting import NOWHERE, Split
from wellfit.data.table import resolve_column
from wellfit.errors import DataError
from wellfit.findings import Finding
from wellfit.preparation_findings import (
    copies_dropped,
    imbalance,
    misspelt,
    straddling,
    targets_missing,
    valueless,
    with_leaks,
)
from wellfit.preparation_settings import (
    cleaning_settings,
    columns_apart,
    dealt,
    feature_settings,
    given_target,
    refuse_unlearnable,
    target_spellings,
    telling,
    without_columns,
)

__all__ = ["REASONS", "Learned", "learned"]

SAMPLE_CELLS = 10_000_000
"""Cells of the sample that the plans are learned from and that leaks and near duplicates are looked for in."""

REASONS = {
    3: "it has no target",
    4: "it equals an earlier row in every column",
    5: "it stands in an earlier split too",
}
"""Why a row is in no split, by its code; the codes below are those of the splits, in order."""
NO_TARGET, COPY, UNDEALT = REASONS

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What the first pass learned."""

    config: Config
    target: TargetPlan
    cleaning: CleaningPlan
    features: FeaturePlan
    apart: tuple[str, ...]
    split: Split
    places: Array
    """The code of each row's split, or of why it is in none, uint8 ``[row]``."""
    encoded: Array
    """The target of each row as a network reads it, ``[row]``."""
    own: Mapping[str, Array]
    """The targets of splits that are tables of their own."""
    sampled: Array
    """The numbers of the training rows that the plans were learned from, in order."""
    matrix: Matrix
    """Those rows as a network is trained on them."""
    rows: Mapping[str, int]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]


def learned(config: Config, stream: RowStream, own: Mapping[str, RowStream]) -> Learned:
    """Walk once through a table, and through the tables of its own splits.

    Raises:
        ConfigError, DataError: as for a table in memory.
    """
    target = resolve_column(pl.DataFrame(schema=dict(stream.schema)), given_target(config))
    scan = _walked(config, stream, target)
    refuse_unlearnable(scan.sample, target)
    places, rows, findings = _usable(scan, target, drop=config.clean.duplicates == "drop")
    split = _dealt(config, scan, places, target)
    own_scans = {name: _scanned(_with_target(table, target, name), [target], None) for name, table in own.items()}
    frames = _samples(scan, places, own_scans)
    for name in ("valid", "test"):
        findings += straddling(frames, name) if config.clean.duplicates == "keep" or name in own else []
    apart = columns_apart(config, target)
    training = scan.kept.filter(places == 0).get_column(target)
    plan = TargetPlan.fit(training, config.data.task, spellings=target_spellings(config, target))
    config = with_recipe(config, task=plan.task, rows=len(training))
    encoded = _encoded(plan, scan.kept.get_column(target), places)
    sampled = scan.sampled[places[scan.sampled] == 0]
    targets = Targets(encoded[sampled].astype(np.float64), len(plan.classes))
    settings, found = cleaning_settings(config, target), telling(config, split, targets)
    cleaning, typed = CleaningPlan.fit_apply(without_columns(frames["train"], apart), **settings, telling=found)
    if config.clean.leaks == "warn":
        findings = with_leaks(findings, find_leaks(frames, typed, cleaning, plan, method=split.method))
    features, matrix = FeaturePlan.fit_apply(typed, targets=targets, **feature_settings(config, cleaning, split))
    counts = {name: int((places == number).sum()) for number, name in enumerate(SPLITS)}
    counts |= {name: table.rows for name, table in own_scans.items()}
    return Learned(
        config=config,
        target=plan,
        cleaning=cleaning,
        features=features,
        apart=apart,
        split=split,
        places=places,
        encoded=encoded,
        own={name: _own_encoded(plan, table, target) for name, table in own_scans.items()},
        sampled=sampled,
        matrix=matrix,
        rows={**rows, **counts},
        findings=(*findings, *misspelt(plan), *cleaning.findings, *valueless(features), *imbalance(plan)),
        notes=(*split.notes, *_of_sample(len(sampled), counts["train"])),
    )


def _walked(config: Config, stream: RowStream, target: str) -> Scan:
    """Walk through the table, keeping what its rows are dealt by."""
    column = config.split.column
    kept = [target] if column is None or column == target or column not in stream.schema else [target, column]
    return _scanned(stream, kept, column if config.split.method in ("column", "auto") else None)


def _scanned(stream: RowStream, kept: Sequence[str], apart: str | None) -> Scan:
    most = max(1, SAMPLE_CELLS // max(len(stream.schema), 1))
    return scanned(ahead(stream), keep=kept, apart=apart, most=most)


def _with_target(stream: RowStream, target: str, split: str) -> RowStream:
    if target not in stream.schema:
        rule = f"The table of the {split} rows must have the target, '{target}'."
        raise DataError(rule, got=list(stream.schema), do="Add the column.")
    return stream


def _usable(scan: Scan, target: str, *, drop: bool) -> tuple[Array, dict[str, int], list[Finding]]:
    """Set aside rows without a target and exact duplicates, and count them; the others have no place yet."""
    places = np.full(scan.rows, UNDEALT, dtype=np.uint8)
    absent = rows_without_target(scan.kept, target)
    places[absent] = NO_TARGET
    rows = {"read": scan.rows, "without_target": int(absent.sum()), "duplicates_dropped": 0}
    findings = [targets_missing(target, rows["without_target"])] if rows["without_target"] else []
    if rows["without_target"] == scan.rows:
        raise DataError(f"The target '{target}' must have values.", got="none", do="Name another column.")
    if drop:
        # Flags, since the rows' numbers and another copy of their hashes would be the most that is held on the way.
        left = ~absent
        repeated = left.copy()
        repeated[left] = repeated_hashes(scan.hashes if left.all() else scan.hashes[left])
        copies = np.flatnonzero(repeated)
        places[copies] = COPY
        rows["duplicates_dropped"] = len(copies)
        different = int(left.sum()) - len(copies)
        if len(copies) and different < 3:
            got = f"{different} different rows of {scan.rows:,}"
            raise DataError("A split needs at least three different rows.", got=got, do="Give rows that differ.")
        findings += [copies_dropped(len(copies), int(copies[0]) + 1)] if len(copies) else []
    return places, rows, findings


def _dealt(config: Config, scan: Scan, places: Array, target: str) -> Split:
    """Deal the rows that are left by the columns that were kept; a row's hash stands for its other cells."""
    left = places == UNDEALT
    frame = scan.kept if left.all() else scan.kept.filter(left)
    if scan.others is not None:
        frame = frame.with_columns(pl.Series(f"{target} and others", scan.others[left]))
    split = dealt(config, frame, target)
    places[left] = np.where(split.places == NOWHERE, UNDEALT, split.places)
    return split


def _samples(scan: Scan, places: Array, own: Mapping[str, Scan]) -> dict[str, pl.DataFrame]:
    """Give the sampled rows of each split."""
    of_sample = places[scan.sampled]
    frames = {name: scan.sample.filter(of_sample == number) for number, name in enumerate(SPLITS)}
    return frames | {name: table.sample for name, table in own.items()}


def _encoded(plan: TargetPlan, series: pl.Series, places: Array) -> Array:
    """Encode the target, each split's rows by themselves as in memory."""
    encoded = np.full(len(series), ABSENT, dtype=np.float32 if plan.task == "regression" else np.int32)
    for number in range(len(SPLITS)):
        rows = places == number
        if rows.any():
            encoded[rows] = plan.encode(series.filter(rows))[0]
    return encoded


def _own_encoded(plan: TargetPlan, scan: Scan, target: str) -> Array:
    encoded = plan.encode(scan.kept.get_column(target))[0]
    if plan.task == "regression":
        return encoded.astype(np.float32)
    encoded[rows_without_target(scan.kept, target)] = ABSENT
    return encoded.astype(np.int32)


def _of_sample(sampled: int, rows: int) -> list[str]:
    if sampled == rows:
        return []
    what = "Types, spellings, fills, levels and scales were learned"
    return [f"{what} from a sample of {sampled:,} of {rows:,} training rows."]
