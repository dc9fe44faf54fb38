"""Training that does no better than a constant guess, on the very rows it saw."""

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
    if verdict is None or verdict.verdict != "not_learning" or no_signal(FitEvidence(evidence.history)):
        return
    yield Finding(
        code="not_learning",
        severity="error",
        evidence=numbers(verdict),
        message=" ".join(verdict.reasons),
        remedies=(
            Remedy(path="train.optimizer.lr", value="find", why="a rate far too high or too low learns nothing"),
            Remedy(path="model.init", value="he", why="signals and gradients keep their size through the layers"),
            Remedy(path="features.scale", value="standard", why="inputs of one scale can be learnt from alike"),
            Remedy(path="model.hidden", value=[128], why="a shallow network learns where a deep one is stuck"),
        ),
    )


CHECK = Check(code="not_learning", reads="training figures beside a constant guess's", find=_find)
