"""Steps so large that they undo each other."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.diagnosis.check import Check
from wellfit.diagnosis.evidence import Evidence
from wellfit.diagnosis.rates import LARGE, largest_update, of_usual_steps
from wellfit.findings import Finding, Remedy

__all__ = ["CHECK"]


def _find(evidence: Evidence) -> Iterator[Finding]:
    if not evidence.poor or evidence.inputs.get("non_finite") or evidence.target.get("non_finite"):
        return
    ratio = largest_update(evidence)
    if ratio < LARGE:
        return
    rate = float(evidence.settings.get("lr") or 0.0)
    yield Finding(
        code="learning_rate_too_high",
        severity="warning",
        where=str((evidence.stopped_at or {}).get("where", "")),
        evidence={"update_ratio": ratio, "lr": rate},
        message=f"At a rate of {rate:g} one update moved a layer's weights by up to {ratio:.2g} of their size, where "
        "0.001 to 0.01 is usual, and the outcome is poor.",
        remedies=(
            *of_usual_steps(evidence, ratio, "an update then moves weights by about 0.001 of their size"),
            Remedy(path="train.schedule.name", value="warmup", why="small first steps, then smaller and smaller ones"),
        ),
    )


CHECK = Check(
    code="learning_rate_too_high",
    reads="updates relative to weights, and the outcome",
    find=_find,
    live=True,
    explains=(
        "exploding_gradient",
        "dead_units",
        "saturated_units",
        "vanishing_gradient",
        "not_learning",
        "underfitting",
        "overfitting",
    ),
)
