"""Linear layers that follow each other with nothing between: together they are one."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.diagnosis.check import Check
from wellfit.diagnosis.evidence import Evidence
from wellfit.findings import Finding, Remedy

__all__ = ["CHECK"]


def _find(evidence: Evidence) -> Iterator[Finding]:
    layers = evidence.layers
    pairs = [layer for layer in layers if layer.facts.get("follows")]
    if not pairs or any(layer.kind in ("rnn", "gru", "lstm") for layer in layers):
        return
    bends = [facts["kind"] for facts in evidence.operations if facts["kind"] not in ("linear", "conv", *_STRAIGHT)]
    output_only = len(bends) == 1 and evidence.last_operation == bends[0]
    wholly = not bends or output_only
    if not wholly and not (evidence.poor and 2 * len(pairs) >= len(layers)):
        # A narrow linear layer before another is a deliberate factorization as often as it is an oversight.
        return
    first = pairs[0]
    yield Finding(
        code="missing_nonlinearity",
        severity="warning",
        where=first.where,
        evidence={"linear_pairs": len(pairs), "layers": len(layers), "activations": len(bends)},
        message=f"'{first.where}' takes the output of '{first.facts['follows']}' without an activation between"
        + (": the whole network is one linear map." if wholly else "."),
        remedies=(Remedy(path="model.activation", value="relu", why="what lets layers learn more than one of them"),),
    )


_STRAIGHT = ("batch_norm", "layer_norm", "group_norm")
"""Norms scale; a layer norm bends a little, not enough to count."""

CHECK = Check(
    code="missing_nonlinearity",
    reads="the operations of a forward pass",
    find=_find,
    live=True,
    explains=(
        "learning_rate_too_high",
        "learning_rate_too_low",
        "batch_size_problem",
        "not_learning",
        "underfitting",
    ),
)
