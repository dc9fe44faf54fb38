"""Steps so large that they undo each other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from wellfit.diagnosis.check import Check, rounded
from wellfit.diagnosis.evidence import Evidence
from wellfit.findings import Finding, Remedy

__all__ = ["CHECK"]

_LARGE = 0.2
"""Update over weight, per layer: twice DeepDiagnosis' upper bound, which Adam's first step passes at a rate of 0.01."""


def _find(evidence: Evidence) -> Iterator[Finding]:
    if not evidence.poor or evidence.inputs.get("non_finite") or evidence.target.get("non_finite"):
        return
    ratio = largest_update(evidence)
    if ratio < _LARGE:
        return
    rate = float(evidence.settings.get("lr") or 0.0)
    yield Finding(
        code="learning_rate_too_high",
        severity="warning",
        where=str((evidence.stopped_at or {}).get("where", "")),
        evidence={"update_ratio": ratio, "lr": rate},
        message=f"An update moved weights by up to {ratio:.2g} of their size at a rate of {rate:g}; 0.001 to 0.01 is "
        "usual, and the outcome is poor.",
        remedies=(
            Remedy(path="train.optimizer.lr", value=rounded(rate / 10), why="steps that do not overshoot"),
            Remedy(path="train.schedule.name", value="warmup", why="small first steps, then smaller and smaller ones"),
        ),
    )


def largest_update(evidence: Evidence) -> float:
    """Give the largest median over sampled steps of update over weight, among weights that are not biases."""
    weights = [name for name in evidence.places("update_ratio") if not name.rpartition(".")[2].startswith("bias")]
    # The first epochs tell: later ones may stand still because the steps before broke something.
    return max((_early(evidence, name) for name in weights), default=0.0)


def _early(evidence: Evidence, name: str) -> float:
    """Give the largest early update relative to the weights that training started from, or that it has by then.

    Weights that decay make any step large beside them.
    """
    ratios, norms = evidence.curve("update_ratio", name), evidence.curve("weight_norm", name)
    count = max(1, len(ratios) // 4)
    if not len(ratios) or len(norms) != len(ratios) or not norms[0] > 0:
        return 0.0
    early, size = ratios[:count], norms[:count]
    if not np.isfinite(early).all() or not np.isfinite(size).all():
        # Weights or steps past the largest number there is.
        return float("inf")
    return float(np.max(early * size / np.maximum(norms[0], size)))


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
    ),
)
