"""A network that learnt its training rows by heart, at a price on others."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.diagnosis.check import Check
from wellfit.diagnosis.evidence import Evidence
from wellfit.diagnosis.fit_evidence import FitEvidence
from wellfit.diagnosis.signal import no_signal
from wellfit.diagnosis.verdict import judge, numbers
from wellfit.findings import Finding, Remedy

__all__ = ["CHECK"]


def _find(evidence: Evidence) -> Iterator[Finding]:
    verdict = judge(evidence.history)
    # Labels without a signal can only be learnt by heart: that is the finding then.
    if verdict is None or verdict.verdict != "overfitting" or no_signal(FitEvidence(evidence.history)):
        return
    yield Finding(
        code="overfitting",
        severity="warning",
        when="" if verdict.best_epoch is None else f"after epoch {verdict.best_epoch}",
        evidence=numbers(verdict),
        message=" ".join(verdict.reasons),
        remedies=tuple(_remedies(evidence)),
    )


def _remedies(evidence: Evidence) -> Iterator[Remedy]:
    if not evidence.settings.get("early_stopping"):
        yield Remedy(path="train.early_stopping", value={"patience": 5}, why="keeps the weights of the best epoch")
    yield Remedy(path="model.dropout", value=0.3, why="units that may be absent can't remember single rows")
    yield Remedy(path="train.l2", value=1e-3, why="small weights make smooth functions")
    yield Remedy(path="train.augment", value={"noise": 0.1}, why="rows that change can't be learnt by heart")
    yield Remedy(path="model.hidden", value=[64], why="a smaller network has less room to remember rows")


CHECK = Check(code="overfitting", reads="training and validation figures, the validation loss's rise", find=_find)
