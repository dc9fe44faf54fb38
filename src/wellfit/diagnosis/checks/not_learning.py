"""Training that does no better than a constant guess, on the very rows it saw."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.diagnosis.check import Check
from wellfit.diagnosis.evidence import Evidence
from wellfit.diagnosis.fit_evidence import FitEvidence
from wellfit.diagnosis.penalties import STRONG, lighter, strength
from wellfit.diagnosis.signal import no_signal
from wellfit.diagnosis.verdict import judge, numbers
from wellfit.findings import Finding, Remedy

__all__ = ["CHECK"]


_FROZEN = 0.5
"""Share of the weights that are not trained, from which on a poor outcome is put down to that."""


def _find(evidence: Evidence) -> Iterator[Finding]:
    frozen = _frozen(evidence)
    if frozen is not None:
        yield frozen
        return
    verdict = judge(evidence.history)
    if verdict is None or verdict.verdict != "not_learning" or no_signal(FitEvidence(evidence.history)):
        return
    yield Finding(
        code="not_learning",
        severity="error",
        evidence=numbers(verdict),
        message=" ".join(verdict.reasons),
        remedies=(
            *(lighter(evidence.settings) if strength(evidence.settings) >= STRONG else ()),
            Remedy(path="train.optimizer.lr", value="find", why="a rate far too high or too low learns nothing"),
            Remedy(path="model.init", value="he", why="signals and gradients keep their size through the layers"),
            Remedy(path="features.scale", value="standard", why="inputs of one scale can be learnt from alike"),
            Remedy(path="model.hidden", value=[128], why="a shallow network learns where a deep one is stuck"),
        ),
    )


def _frozen(evidence: Evidence) -> Finding | None:
    counts = evidence.meta.get("parameters") or {}
    frozen, trained = int(counts.get("frozen_weights", 0)), int(counts.get("trained_weights", 0))
    if not evidence.poor or not frozen or frozen < _FROZEN * (frozen + trained):
        return None
    return Finding(
        code="not_learning",
        severity="error",
        evidence={"frozen_weights": frozen, "trained_weights": trained},
        message=f"{frozen:,} of {frozen + trained:,} weights are frozen (requires_grad is off), and what is left "
        "to train does not suffice.",
        remedies=(Remedy(path="module", value="requires_grad_(True)", why="weights that are frozen learn nothing"),),
    )


CHECK = Check(code="not_learning", reads="training figures beside a constant guess's", find=_find)
