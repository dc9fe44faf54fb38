"""A network that fits even its training rows worse than simple learners would."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.diagnosis.check import Check
from wellfit.diagnosis.evidence import Evidence
from wellfit.diagnosis.penalties import lighter
from wellfit.diagnosis.verdict import judge, numbers, unlearnt
from wellfit.findings import Finding, Remedy

__all__ = ["CHECK"]


def _find(evidence: Evidence) -> Iterator[Finding]:
    verdict = judge(evidence.history)
    # To have learnt nothing is the utmost of it, where others show that there is something to learn.
    if verdict is None or verdict.verdict not in ("underfitting", "not_learning"):
        return
    reasons = unlearnt(evidence.history)
    if not reasons:
        return
    yield Finding(
        code="underfitting",
        severity="warning",
        evidence=numbers(verdict),
        message=" ".join(reasons),
        remedies=tuple(_remedies(evidence)),
    )


def _remedies(evidence: Evidence) -> Iterator[Remedy]:
    settings = evidence.settings
    yield from lighter(settings)
    yield Remedy(path="model.hidden", value=[512, 512], why="more units and layers can follow more of the target")
    epochs = 2 * int(settings.get("epochs") or 100)
    yield Remedy(path="train.epochs", value=epochs, why="training may have stopped before it was done")
    yield Remedy(path="train.optimizer.lr", value="find", why="a rate that suits gets further in as many updates")
    # Of a history without the fact it may be.
    if (evidence.meta.get("parameters") or {}).get("dropout", 1.0):
        yield Remedy(path="model.dropout", value=0.0, why="units that are left out can't fit")


CHECK = Check(code="underfitting", reads="figures beside those of a linear model and a quick learner", find=_find)
