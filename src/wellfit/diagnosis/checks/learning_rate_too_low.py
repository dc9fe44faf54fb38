"""Steps so small that training ends before the loss has fallen."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.diagnosis.check import Check
from wellfit.diagnosis.evidence import Evidence
from wellfit.diagnosis.rates import SMALL, first_updates, of_usual_steps
from wellfit.findings import Finding, Remedy

__all__ = ["CHECK"]


def _find(evidence: Evidence) -> Iterator[Finding]:
    if not evidence.poor or evidence.stopped_at is not None:
        return
    ratio = first_updates(evidence)
    if ratio is None or ratio > SMALL:
        return
    rate = float(evidence.settings.get("lr") or 0.0)
    moved = f"by more than {ratio:.1e} of their size" if ratio > 0 else "at all"
    yield Finding(
        code="learning_rate_too_low",
        severity="warning",
        evidence={"update_ratio": ratio, "lr": rate, "steps": evidence.total_steps},
        message=f"At a rate of {rate:g} updates move no layer's weights {moved}, and after {evidence.total_steps:,} of "
        "them the outcome is poor.",
        remedies=(
            *of_usual_steps(evidence, ratio, "an update then moves weights by about 0.001 of their size"),
            Remedy(path="train.epochs", value=int(evidence.settings.get("epochs") or 1) * 10, why="more steps"),
        ),
    )


CHECK = Check(
    code="learning_rate_too_low",
    reads="updates relative to weights, and the outcome",
    find=_find,
    explains=(
        "batch_size_problem",
        "not_learning",
        "underfitting",
    ),
)
