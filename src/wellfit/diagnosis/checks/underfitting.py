"""A network that fits even its training rows worse than simple learners would."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.diagnosis.check import Check
from wellfit.diagnosis.evidence import Evidence
from wellfit.diagnosis.verdict import judge, learnable, numbers
from wellfit.findings import Finding, Remedy

__all__ = ["CHECK"]


def _find(evidence: Evidence) -> Iterator[Finding]:
    verdict = judge(evidence.history)
    # To have learnt nothing is the utmost of it, where others show that there is something to learn.
    if verdict is None or verdict.verdict not in ("underfitting", "not_learning") or not learnable(evidence.history):
        return
    yield Finding(
        code="underfitting",
        severity="warning",
        evidence=numbers(verdict),
        message=" ".join(verdict.reasons),
        remedies=(
            Remedy(path="model.hidden", value=[256, 256], why="more units and layers can follow more of the target"),
            Remedy(path="train.epochs", value=200, why="training may have stopped before it was done"),
            Remedy(path="train.optimizer.lr", value="find", why="a rate that suits gets further in as many updates"),
            Remedy(path="train.weight_decay", value=0.0, why="regularization holds weights back"),
            Remedy(path="model.dropout", value=0.0, why="regularization holds the network back"),
        ),
    )


CHECK = Check(code="underfitting", reads="figures beside those of a linear model and a quick learner", find=_find)
