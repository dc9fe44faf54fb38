"""A network that fits as well as the rows allow, as far as the baselines tell."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.diagnosis.check import Check
from wellfit.diagnosis.evidence import Evidence
from wellfit.diagnosis.fit_evidence import FitEvidence
from wellfit.diagnosis.signal import no_signal
from wellfit.diagnosis.verdict import judge, numbers
from wellfit.findings import Finding

__all__ = ["CHECK"]


def _find(evidence: Evidence) -> Iterator[Finding]:
    verdict = judge(evidence.history)
    if verdict is None or verdict.verdict != "good_fit" or no_signal(FitEvidence(evidence.history)):
        return
    yield Finding(code="good_fit", severity="info", evidence=numbers(verdict), message=verdict.reasons[0])


CHECK = Check(code="good_fit", reads="training and validation figures, and those of the baselines", find=_find)
