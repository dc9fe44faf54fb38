"""Inputs of very large or very different scales."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from wellfit.diagnosis.check import Check
from wellfit.diagnosis.evidence import Evidence
from wellfit.findings import Finding, Remedy

__all__ = ["CHECK"]

_LARGE = 20.0
"""Root mean square of the largest input. Initial weights suppose 1; curvature grows with its square, so that at 20 the
largest stable rate of gradient descent is 400 times smaller. Inputs at +-4 and counts up to ten are harmless."""


_HUGE = 100.0
"""The same, from which on it is said even where the outcome is good: another seed or rate would not be so lucky."""


_NORMS = ("batch_norm", "layer_norm", "group_norm")


def _find(evidence: Evidence) -> Iterator[Finding]:
    largest = evidence.inputs.get("rms_max")
    if largest is None or largest < _LARGE or _rescaled(evidence):
        return
    if largest < _HUGE and not evidence.poor:
        return
    median, widest = float(evidence.inputs["rms_median"]), int(evidence.inputs["widest"])
    yield Finding(
        code="unscaled_inputs",
        severity="warning",
        where=f"input {widest}",
        evidence={"rms_max": largest, "rms_median": median, "largest": evidence.inputs["largest"]},
        message=f"Input {widest} has a root mean square of {largest:.4g} (the median input {median:.3g}): weights are "
        "set up for 1, and one rate can't suit all of them.",
        remedies=(
            Remedy(path="features.scale", value="standard", why="mean 0 and standard deviation 1 for each input"),
        ),
    )


def _rescaled(evidence: Evidence) -> bool:
    """Whether the module brings its inputs to scale itself, by a norm or in its forward pass: weights see these."""
    first = evidence.layers[0].facts if evidence.layers else {}
    before = takewhile(lambda facts: facts is not first, evidence.operations)
    if any(facts["kind"] in _NORMS for facts in before):
        return True
    entering = first.get("entering")
    if entering is None:
        return False
    # Of fewer features than there are inputs, it is another input that comes in.
    return bool(entering["rms_max"] < _LARGE and entering["features"] >= int(evidence.inputs["features"]))


CHECK = Check(
    code="unscaled_inputs",
    reads="the scale of every input, and of what comes into the first layer",
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
        "overfitting",
    ),
)
