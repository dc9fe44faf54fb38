"""A target that is the same for every row."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.diagnosis.check import Check
from wellfit.diagnosis.evidence import Evidence
from wellfit.findings import Finding, Remedy

__all__ = ["CHECK"]


def _find(evidence: Evidence) -> Iterator[Finding]:
    if not evidence.fit.one_target:
        return
    value = evidence.target.get("low")
    is_one = "has one class" if value is None else f"is {float(value):g}"
    yield Finding(
        code="constant_column",
        severity="error",
        where="target",
        evidence={} if value is None else {"value": float(value)},
        message=f"The target {is_one} in all rows surveyed: there is nothing to learn, and no fit to judge.",
        remedies=(
            Remedy(path="data.target", value="a column that varies", why="what is the same for all needs no network"),
        ),
    )


CHECK = Check(
    code="constant_column",
    reads="the spread of the target",
    find=_find,
    live=True,
    explains=("learning_rate_too_high", "learning_rate_too_low", "batch_size_problem", "dead_units", "unscaled_target"),
)
