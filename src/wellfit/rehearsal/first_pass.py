"""What the first forward and backward pass tells: the loss against its expectation, signals through the depth."""

from __future__ import annotations

from typing import Any

from wellfit.diagnosis import Evidence, diagnose
from wellfit.findings import Finding
from wellfit.history import History
from wellfit.training import Trainer

__all__ = ["first_pass"]


def first_pass(trainer: Trainer) -> tuple[dict[str, Any], list[str], list[Finding]]:
    """Give numbers, sentences and findings of the weights as they start; nothing where the doctor is off."""
    if trainer.examiner is None:
        return {}, [], []
    history = History()
    trainer.examiner.before(history, trainer.optimizer)
    evidence = Evidence(history)
    loss = evidence.first("probe_loss")
    signals = [(place, value) for place, value in evidence.firsts("signal").items() if place in _layers(evidence)]
    gradients = [
        (place, value) for place, value in evidence.firsts("probe_grad").items() if place.endswith(("weight", "scale"))
    ]
    said = [] if loss is None else [f"First pass: the loss is {loss:.4g}."]
    for title, found in (("signal's spread", signals), ("gradient", gradients)):
        if len(found) > 1:
            (first, begins), (last, ends) = found[0], found[-1]
            said.append(f"First pass: the {title} is {begins:.3g} in '{first}' and {ends:.3g} in '{last}'.")
    facts = {"loss": loss, "signal": dict(signals), "gradient": dict(gradients)}
    return facts, said, diagnose(history, live=True)


def _layers(evidence: Evidence) -> set[str]:
    return {layer.where for layer in evidence.layers}
