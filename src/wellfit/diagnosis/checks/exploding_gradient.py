"""Gradients that grow without bound, through depth, time or steps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from wellfit.diagnosis.check import Check, rounded
from wellfit.diagnosis.evidence import Evidence
from wellfit.findings import Finding, Remedy

__all__ = ["CHECK"]

_HUGE = 1e3
"""Norm of a gradient at the start, with inputs and target of about 1: a sound start has 0.1 to 10."""
_GROWTH = 10.0
"""Times its start that a loss may rise; an overshoot that recovers stays below."""
_FEW = 16
"""Rows of a batch below which the largest loss of thousands of batches is that of a few rare rows: the largest of
10,000 squares of normal numbers is 15 times their mean, of 10,000 means over 16 of them 3.5 times."""
_LASTING = 2.0
"""Times its start that the loss of a whole window of batches has risen then: rows far out, which cost a small batch
tens of times as much, leave it near 1."""


def _find(evidence: Evidence) -> Iterator[Finding]:
    norm = _start_norm(evidence)
    rows = evidence.settings.get("batch_size")
    losses = evidence.curve("batch_loss" if rows and int(rows) < _FEW else "batch_loss_max")
    start = evidence.first("probe_loss")
    grown = _grown(losses, start)
    data_is_finite = not evidence.inputs.get("non_finite") and not evidence.target.get("non_finite")
    if not data_is_finite:
        return
    # A gradient that is not finite without anything having grown before it has another cause.
    lasting = _grown(evidence.curve("batch_loss"), start) > _LASTING
    if evidence.poor and ((grown > _GROWTH and lasting) or norm > _HUGE):
        yield Finding(
            code="exploding_gradient",
            severity="error" if evidence.stopped_at is not None else "warning",
            where=str((evidence.stopped_at or {}).get("where", "")),
            when=f"step {evidence.stopped_at['step']}" if evidence.stopped_at else "",
            evidence={"gradient_norm_at_start": norm, "loss_growth": grown},
            message=f"The gradient's norm was {norm:.3g} at first; the loss rose to {grown:.3g} times its start.",
            remedies=(
                Remedy(path="train.clip_norm", value=1.0, why="bounds a step, whatever the gradient"),
                Remedy(
                    path="train.optimizer.lr", value=rounded(_rate(evidence) / 10), why="smaller steps do not overshoot"
                ),
                Remedy(path="model.norm", value="batch", why="keeps signals at one scale through the depth"),
                Remedy(path="model.init", value="he", why="signals of the same variance in every layer"),
            ),
        )


def _start_norm(evidence: Evidence) -> float:
    """Give the norm of all weights' gradients at the first sampled step."""
    norms = list(evidence.firsts("grad_norm").values())
    return float(np.sqrt(np.nansum(np.square(norms)))) if norms else 0.0


def _grown(losses: np.ndarray[tuple[int, ...], np.dtype[np.float64]], start: float | None) -> float:
    if start is not None and not np.isfinite(start):
        return float("inf")
    if not len(losses) or not start or start <= 0:
        return 0.0
    largest = float(np.nanmax(losses)) if not np.isnan(losses).all() else float("inf")
    return largest / start


def _rate(evidence: Evidence) -> float:
    return float(evidence.settings.get("lr") or 1e-3)


CHECK = Check(
    code="exploding_gradient",
    reads="gradient norms, and losses over windows of steps",
    find=_find,
    live=True,
    explains=(
        "learning_rate_too_high",
        "learning_rate_too_low",
        "not_learning",
        "underfitting",
        "dead_units",
    ),
)
