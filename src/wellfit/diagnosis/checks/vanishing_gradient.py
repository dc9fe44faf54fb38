"""Gradients that fade on the way to the first layers, or to the first steps of a sequence."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.diagnosis.check import Check
from wellfit.diagnosis.checks.dead_units import MOST_SILENT
from wellfit.diagnosis.evidence import Evidence
from wellfit.diagnosis.penalties import STRONG, strength
from wellfit.findings import Finding, Remedy

__all__ = ["CHECK"]

_FADED = 1e-3
"""First layer's gradient over the last's (AUTOTRAINER's ratio), per weight; healthy deep networks stay above 0.01."""
_FADED_AT_START = 1e-4
"""The same before the first update: what has faded so far takes the first epochs to come back, if it does."""
_FORGOTTEN = 1e-6
"""Dependence of the loss on a sequence's first quarter over that on its last: at this, 1e-6, float32 sums lose it."""

_REMEDIES = (
    Remedy(path="model.activation", value="relu", why="its slope is 1 where it is active; a sigmoid's is 0.25 at most"),
    Remedy(path="model.norm", value="batch", why="keeps signals where activations are steep"),
    Remedy(path="model.residual", value=True, why="a path on which the gradient is not multiplied"),
    Remedy(path="model.init", value="he", why="keeps the gradient's variance through the depth"),
)


def _find(evidence: Evidence) -> Iterator[Finding]:
    if not evidence.poor or evidence.stopped_at is not None or _otherwise_explained(evidence):
        return
    yield from _through_depth(evidence)
    yield from _through_time(evidence)


def _otherwise_explained(evidence: Evidence) -> bool:
    """Whether penalties shrink the weights that hand gradients on, or units that are off or all alike hand on none."""
    if strength(evidence.settings) >= STRONG:
        return True
    off = any(share >= MOST_SILENT for share in evidence.lasts("silent_share").values())
    return off or any(layer.facts.get("alike") for layer in evidence.layers[:-1])


def _through_depth(evidence: Evidence) -> Iterator[Finding]:
    weights = [name for name in evidence.places("probe_grad") if not name.rpartition(".")[2].startswith("bias")]
    if len(weights) < 3:
        return
    first, last = evidence.curve("probe_grad", weights[0]), evidence.curve("probe_grad", weights[-1])
    ratios = [a / b for a, b in zip(first, last, strict=False) if b > 0]
    if not ratios:
        return
    # The median over the run: one probe says little.
    ratio = sorted(ratios)[len(ratios) // 2]
    # A last layer of zeros hands no gradient on at first, and does after one step.
    at_start = ratios[0] if first[0] > 0 and len(ratios) == len(first) else 1.0
    if (ratio > _FADED and at_start > _FADED_AT_START) or max(last) < 1e-12:
        return
    ratio = min(ratio, at_start)
    yield Finding(
        code="vanishing_gradient",
        severity="warning",
        where=weights[0],
        when=f"{len(ratios)} probes",
        evidence={"ratio": ratio, "first_layer": float(first[-1]), "last_layer": float(last[-1])},
        message=f"The gradient of '{weights[0]}' is {ratio:.1e} of that of '{weights[-1]}', and the outcome is poor.",
        remedies=_REMEDIES,
    )


def _through_time(evidence: Evidence) -> Iterator[Finding]:
    first, last = evidence.curve("time_grad_first"), evidence.curve("time_grad_last")
    ratios = sorted(a / b for a, b in zip(first, last, strict=False) if b > 0)
    if not ratios or ratios[len(ratios) // 2] > _FORGOTTEN:
        return
    ratio = ratios[len(ratios) // 2]
    yield Finding(
        code="vanishing_gradient",
        severity="warning",
        where="first steps of the sequence",
        when=f"{len(ratios)} probes",
        evidence={"ratio": ratio},
        message=f"The loss depends on a sequence's first steps {ratio:.1e} times as much as on its last ones.",
        remedies=(
            Remedy(path="model.type", value="gru", why="gates carry a state, and its gradient, unchanged"),
            Remedy(path="model.init", value="orthogonal", why="recurrent weights that neither shrink nor stretch"),
        ),
    )


CHECK = Check(
    code="vanishing_gradient",
    reads="gradients per layer and step of a sequence",
    find=_find,
    live=True,
    explains=(
        "saturated_units",
        "learning_rate_too_low",
        "batch_size_problem",
        "not_learning",
        "underfitting",
    ),
)
