"""Losses, gradients, inputs or targets that are not finite."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.diagnosis.check import Check
from wellfit.diagnosis.evidence import Evidence
from wellfit.findings import Finding, Remedy

__all__ = ["CHECK"]


def _find(evidence: Evidence) -> Iterator[Finding]:
    cells = int(evidence.inputs.get("non_finite") or 0)
    targets = int(evidence.target.get("non_finite") or 0)
    stopped = evidence.stopped_at
    if cells or targets:
        yield _in_the_data(evidence, cells, targets)
    elif stopped is not None:
        yield _in_training(stopped)


def _in_the_data(evidence: Evidence, cells: int, targets: int) -> Finding:
    columns = evidence.inputs.get("non_finite_columns") or []
    places = f" (columns {', '.join(map(str, columns))})" if columns else ""
    what = f"{cells:,} input cells{places}" if cells else f"{targets:,} targets"
    return Finding(
        code="non_finite",
        severity="error",
        where="inputs" if cells else "target",
        evidence={"input_cells": cells, "targets": targets},
        message=f"{what} of the rows surveyed are NaN or infinite: any batch that holds one spoils the gradient.",
        remedies=(
            Remedy(path="clean.missing", value="auto", why="fill what is missing, with an indicator that it was"),
            Remedy(path="train.clip_norm", value=1.0, why="bounds large gradients; it does not mend NaN in the rows"),
        ),
    )


def _in_training(stopped: object) -> Finding:
    assert isinstance(stopped, dict)
    rate = float(stopped.get("lr") or 0.0)
    return Finding(
        code="non_finite",
        severity="error",
        where=str(stopped.get("where") or ""),
        when=f"step {stopped['step']}",
        evidence={"step": int(stopped["step"]), "lr": rate},
        message=f"{stopped['message']} Training stopped at the last finite weights.",
        remedies=(
            Remedy(path="train.clip_norm", value=1.0, why="a bound on the gradient keeps one batch from spoiling all"),
            Remedy(path="train.optimizer.lr", value=rate / 10, why="smaller steps do not overshoot"),
        ),
    )


CHECK = Check(code="non_finite", reads="the finiteness of rows and of every step's gradient", find=_find, live=True)
