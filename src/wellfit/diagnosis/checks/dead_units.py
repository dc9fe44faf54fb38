"""Units that are zero for every row."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.diagnosis.check import Check, rounded
from wellfit.diagnosis.evidence import Evidence
from wellfit.findings import Finding, Remedy

__all__ = ["CHECK", "MOST_SILENT"]

MOST_SILENT = 0.9
"""Share of a layer's units: what passes a layer with a tenth of its units left is a bottleneck nobody chose."""


def _find(evidence: Evidence) -> Iterator[Finding]:
    if not evidence.poor:
        return
    silent = evidence.lasts("silent_share")
    dead = {where: share for where, share in silent.items() if share >= MOST_SILENT}
    if not dead:
        return
    worst = max(dead, key=lambda where: dead[where])
    started = evidence.firsts("silent_share").get(worst, 0.0)
    born = started >= MOST_SILENT
    yield Finding(
        code="dead_units",
        severity="warning",
        where=worst,
        when="from the start" if born else "since training",
        evidence={"silent_share": dead[worst], "at_start": started, "layers": len(dead)},
        message=f"{dead[worst]:.0%} of the units of '{worst}' are zero for every row probed"
        + (", and were before the first update." if born else f" ({started:.0%} at the start)."),
        remedies=(
            Remedy(path="model.activation", value="leaky_relu", why="a unit that is off still has a gradient"),
            Remedy(path="train.optimizer.lr", value=_lower(evidence), why="large steps push units below zero for good"),
            Remedy(path="model.init", value="he", why="half of the units are active at the start"),
        ),
    )


def _lower(evidence: Evidence) -> float:
    return rounded(float(evidence.settings.get("lr") or 1e-3) / 10)


CHECK = Check(
    code="dead_units",
    reads="every unit over the rows of a probe",
    find=_find,
    live=True,
    explains=(
        "learning_rate_too_low",
        "not_learning",
        "underfitting",
    ),
)
