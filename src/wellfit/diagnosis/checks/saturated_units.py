"""Units stuck at the ends of a sigmoid or tanh."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.diagnosis.check import Check
from wellfit.diagnosis.evidence import Evidence
from wellfit.findings import Finding, Remedy

__all__ = ["CHECK"]

_MOST = 0.5
"""Share of a layer's units (TheDeepChecker's) whose mean slope is below 5 % of the steepest."""

_MOVING = 0.05
"""Spread over the rows below which a layer hands nothing on, saturated or not: what reaches it is to be looked at."""


def _find(evidence: Evidence) -> Iterator[Finding]:
    if not evidence.poor:
        return
    hidden = _hidden(evidence)
    stuck = {where: share for where, share in evidence.lasts("saturated_share").items() if where in hidden}
    moving = evidence.lasts("signal")
    stuck = {where: share for where, share in stuck.items() if moving.get(where, 1.0) > _MOVING}
    worst = max(stuck, key=lambda where: stuck[where], default=None)
    if worst is None or stuck[worst] < _MOST:
        return
    started = evidence.firsts("saturated_share").get(worst, 0.0)
    yield Finding(
        code="saturated_units",
        severity="warning",
        where=worst,
        when="from the start" if started >= _MOST else "since training",
        evidence={"saturated_share": stuck[worst], "at_start": started},
        message=f"{stuck[worst]:.0%} of the units of '{worst}' sit at an end of their activation, without a slope "
        f"({started:.0%} at the start).",
        remedies=(
            Remedy(path="model.init", value="xavier", why="starts units where the activation is steep"),
            Remedy(path="model.norm", value="batch", why="keeps units where the activation is steep"),
            Remedy(path="model.activation", value="relu", why="it has no upper end"),
        ),
    )


def _hidden(evidence: Evidence) -> set[str]:
    """Give the places of activations other than the output's: an output that is sure is meant to be."""
    places = evidence.places("saturated_share")
    last = evidence.last_operation in ("sigmoid", "tanh", "hardsigmoid", "softsign")
    return set(places[:-1] if last else places)


CHECK = Check(
    code="saturated_units",
    reads="slopes of bounded activations, per unit over the rows of a probe",
    find=_find,
    live=True,
    explains=(
        "learning_rate_too_high",
        "learning_rate_too_low",
        "batch_size_problem",
        "exploding_gradient",
        "not_learning",
        "underfitting",
    ),
)
