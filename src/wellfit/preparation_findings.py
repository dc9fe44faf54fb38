"""What the preparation finds in the rows as a whole: targets that lack, copies, typing errors, rare classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from wellfit.config import Config
from wellfit.data.cleaning import TargetPlan, misspelt_classes
from wellfit.data.features import FeaturePlan
from wellfit.findings import Finding, Remedy

__all__ = [
    "copies_dropped",
    "crosses_found",
    "imbalance",
    "misspelt",
    "straddling",
    "targets_missing",
    "valueless",
    "with_leaks",
]

RARE = 0.15
"""The share of the rarest class below which accuracy tells little."""


def targets_missing(target: str, count: int) -> Finding:
    """Say how many rows have no target."""
    message = f"{rows_text(count)} without a target set aside."
    return Finding(code="missing_target", severity="info", where=target, evidence={"rows": count}, message=message)


def copies_dropped(count: int, example: int) -> Finding:
    """Say how many rows equal an earlier one; ``example`` is the number of the first."""
    return Finding(
        code="duplicate_rows",
        severity="info",
        evidence={"rows": count, "example": f"row {example}", "applied": "yes"},
        message=f"{rows_text(count)} dropped that equal an earlier row in every column.",
        remedies=(Remedy(path="clean.duplicates", value="keep", why="to keep them"),),
    )


def misspelt(target: TargetPlan) -> list[Finding]:
    """Name the classes that look like typing errors: each takes rows away from the class that it means."""
    typos = misspelt_classes(target)
    if not typos:
        return []
    counts = dict(zip(map(str, target.classes), target.counts, strict=True))
    cells, text = sum(counts[typo] for typo in typos), max(typos, key=lambda typo: (counts[typo], typo))
    message = (
        f"{len(typos):,} classes of '{target.name}', {rows_text(cells)} in all, look like typing errors, such as "
        f"{text!r} for {typos[text]!r}; they are kept as classes."
    )
    path = f"clean.columns.{target.name}.spellings"
    return [
        Finding(
            code="inconsistent_spellings",
            severity="warning",
            where=target.name,
            evidence={"cells": cells, "example": text, "applied": "proposed"},
            message=message,
            remedies=(Remedy(path=path, value="merge", why="to take them for the class they mean"),),
        )
    ]


def rows_text(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def imbalance(target: TargetPlan) -> list[Finding]:
    """Say that a class is rare."""
    if target.task == "regression" or not target.counts:
        return []
    share = min(target.counts) / sum(target.counts)
    if share >= 0.5 / len(target.classes) or share >= RARE:
        return []
    rare = target.classes[target.counts.index(min(target.counts))]
    message = f"'{rare}' makes up {share:.1%} of the training rows: judge by auc or f1, not by accuracy alone."
    evidence = {"share": share, "rows": min(target.counts)}
    return [Finding(code="class_imbalance", severity="info", where=target.name, evidence=evidence, message=message)]


def straddling(frames: Mapping[str, pl.DataFrame], name: str) -> list[Finding]:
    """Count rows that are training rows too; all are scored, since that is what was asked for."""
    test, train = frames[name], frames["train"]
    shared = [name for name in train.columns if name in test.columns and train[name].dtype == test[name].dtype]
    if not shared:
        return []
    # By number: to Polars a column called * is all columns.
    here, there = (pl.DataFrame({str(n): frame[name] for n, name in enumerate(shared)}) for frame in (test, train))
    count = here.join(there.unique(), on=here.columns, how="semi", nulls_equal=True).height
    if not count:
        return []
    message = f"{count:,} {name} rows are training rows too; their score is no evidence."
    return [Finding(code="split_leakage", severity="warning", where=name, evidence={"rows": count}, message=message)]


def with_leaks(findings: Iterable[Finding], leaks: Iterable[Finding]) -> list[Finding]:
    """Put leaks behind other findings; rows that equal a training row are told of once, with the share of all."""
    leaks = list(leaks)
    told = {(leak.code, leak.where) for leak in leaks}
    return [finding for finding in findings if (finding.code, finding.where) not in told] + leaks


def valueless(features: FeaturePlan) -> list[Finding]:
    """Name the computed columns that have no value in any training row: they are left out."""
    empty = [column for column in features.derived if column.name not in features.sources.numbers]
    if not empty:
        return []
    named = ", ".join(f"'{column.name}' = {column.text}" for column in empty[:3]) + (", ..." if len(empty) > 3 else "")
    message = f"{named}: no training row has a value of it, so that it is left out; a root or a quotient is undefined."
    evidence: dict[str, float | int | str] = {"columns": len(empty)}
    where = empty[0].name
    return [Finding(code="constant_column", severity="warning", where=where, evidence=evidence, message=message)]


def crosses_found(config: Config, features: FeaturePlan) -> list[str]:
    """Say which crosses were found, where they were looked for."""
    if config.features.crosses != "auto" or not features.crossed:
        return []
    named = ", ".join(f"'{column.name}'" for column in features.crossed)
    return [
        f"Training rows speak for columns taken together, each a category of its own: {named}. Values that are new "
        "have no level; where later rows are to be predicted, deal the rows by time (split.method): none is looked for."
    ]
