"""A numeric target far from the scale at which networks start."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.diagnosis.check import Check
from wellfit.diagnosis.evidence import Evidence
from wellfit.findings import Finding, Remedy

__all__ = ["CHECK"]

_LARGE = 10.0
"""Root mean square of the target: outputs start at about 1 and move by about the rate a step, so that at 10 times that
and a rate of 0.001 ten thousand steps pass before the mean is reached; gradients of squared errors grow alike."""


_HUGE = 100.0
"""The same, from which on it is said even where the outcome is good: another seed or rate would not be so lucky."""


def _find(evidence: Evidence) -> Iterator[Finding]:
    target = evidence.target
    if evidence.classification or target.get("std") is None:
        return
    size = (target["mean"] ** 2 + target["std"] ** 2) ** 0.5
    if size < _LARGE or (size < _HUGE and not evidence.poor):
        return
    yield Finding(
        code="unscaled_target",
        severity="warning",
        where="target",
        evidence={"mean": target["mean"], "std": target["std"], "low": target["low"], "high": target["high"]},
        message=f"The target has mean {target['mean']:.4g} and standard deviation {target['std']:.4g}; outputs start "
        "near 0 with a spread of about 1, and the rate is spent on getting there.",
        remedies=(Remedy(path="target", value="standardised", why="learn (y - mean) / std and scale back"),),
    )


CHECK = Check(
    code="unscaled_target",
    reads="mean and spread of the target",
    find=_find,
    live=True,
    explains=(
        "learning_rate_too_high",
        "learning_rate_too_low",
        "batch_size_problem",
        "exploding_gradient",
        "vanishing_gradient",
        "dead_units",
        "saturated_units",
        "not_learning",
        "underfitting",
        "bad_initialization",
    ),
)
