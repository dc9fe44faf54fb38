"""Losses, gradients, inputs or targets that are not finite."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.diagnosis.check import Check, rounded
from wellfit.diagnosis.evidence import Evidence
from wellfit.findings import Finding, Remedy

__all__ = ["CHECK"]


def _find(evidence: Evidence) -> Iterator[Finding]:
    cells = int(evidence.inputs.get("non_finite") or 0)
    targets = int(evidence.target.get("non_finite") or 0)
    stopped = evidence.stopped_at
    if not cells and not targets and stopped is None:
        return
    numbers: dict[str, float | int | str] = {"input_cells": cells, "targets": targets}
    sentences, remedies, where = [], [], "inputs" if cells else "target"
    if cells or targets:
        sentences.append(_in_the_rows(evidence, cells, targets))
        remedies.append(Remedy(path="clean.missing", value="auto", why="fill what is missing, and say where it was"))
    if stopped is not None:
        where = str(stopped.get("where") or where)
        rate = float(stopped.get("lr") or 0.0)
        numbers |= {"step": int(stopped["step"]), "lr": rate}
        sentences.append(str(stopped["message"]))
        # A monitor watches and stops nothing.
        if evidence.total_steps < int(stopped["step"]):
            sentences.append("Training stopped at the last finite weights.")
        # Neither bound nor rate mends rows that are not numbers.
        remedies += [] if remedies else _bounds(rate)
    yield Finding(
        code="non_finite",
        severity="error",
        where=where,
        when="" if stopped is None else f"step {stopped['step']}",
        evidence=numbers,
        message=" ".join(sentences),
        remedies=tuple(remedies),
    )


def _bounds(rate: float) -> Iterator[Remedy]:
    yield Remedy(path="train.clip_norm", value=1.0, why="a bound on the gradient keeps one batch from spoiling all")
    if rate > 0:
        yield Remedy(path="train.optimizer.lr", value=rounded(rate / 10), why="smaller steps do not overshoot")


def _in_the_rows(evidence: Evidence, cells: int, targets: int) -> str:
    columns = evidence.inputs.get("non_finite_columns") or []
    places = f" (columns {', '.join(map(str, columns))})" if columns else ""
    what = f"{cells:,} input cells{places}" if cells else f"{targets:,} targets"
    return f"{what} of the rows surveyed are NaN or infinite: any batch that holds one spoils the gradient."


CHECK = Check(
    code="non_finite",
    reads="the finiteness of rows and of every step's gradient",
    find=_find,
    live=True,
    explains=("not_learning", "underfitting"),
)
