"""Steps so small that training ends before the loss has fallen."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from wellfit.diagnosis.check import Check, rounded
from wellfit.diagnosis.evidence import Evidence
from wellfit.findings import Finding, Remedy

__all__ = ["CHECK"]

_SMALL = 3e-4
"""Update over weight below which a thousand steps do not change weights by much (about 1e-3 is usual)."""


def _find(evidence: Evidence) -> Iterator[Finding]:
    if not evidence.poor or evidence.stopped_at is not None:
        return
    weights = [name for name in evidence.places("update_ratio") if not name.rpartition(".")[2].startswith("bias")]
    # The first quarter of the run tells: later, updates fade because the loss has fallen, or the gradient has died.
    ratios = [float(np.nanmax(values[: max(1, len(values) // 4)])) for values in _curves(evidence, weights)]
    ratio = max(ratios, default=None)
    if ratio is None or ratio > _SMALL:
        return
    rate = float(evidence.settings.get("lr") or 0.0)
    yield Finding(
        code="learning_rate_too_low",
        severity="warning",
        evidence={"update_ratio": ratio, "lr": rate, "steps": evidence.total_steps},
        message=f"Updates move no layer's weights by more than {ratio:.1e} of their size (rate {rate:g}), and after "
        f"{evidence.total_steps:,} of them the outcome is poor.",
        remedies=(
            Remedy(path="train.optimizer.lr", value=rounded(rate * 10), why="about 0.001 of the weights a step"),
            Remedy(path="train.epochs", value=int(evidence.settings.get("epochs") or 1) * 10, why="more steps"),
        ),
    )


def _curves(evidence: Evidence, names: list[str]) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    found = [evidence.curve("update_ratio", name) for name in names]
    return [values for values in found if np.isfinite(values).any()]


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
