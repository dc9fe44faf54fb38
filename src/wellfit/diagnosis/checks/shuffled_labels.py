"""Labels that have nothing to do with the inputs."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.diagnosis.check import Check
from wellfit.diagnosis.evidence import Evidence
from wellfit.diagnosis.fit_evidence import KINDS, FitEvidence, named
from wellfit.diagnosis.signal import no_signal
from wellfit.findings import Finding, Remedy

__all__ = ["CHECK"]


def _find(evidence: Evidence) -> Iterator[Finding]:
    found = no_signal(FitEvidence(evidence.history))
    if found is None:
        return
    others = " and ".join(f"a {KINDS[kind]} ({figure.value:.3g})" for kind, figure in found.tried.items())
    learnt = "it learnt the training rows by heart" if found.memorised else "it learnt nothing of the training rows"
    yield Finding(
        code="shuffled_labels",
        severity="error",
        where="target",
        evidence={
            "constant": found.constant.value,
            f"valid_{found.figure}": found.network.value,
            f"train_{found.figure}": found.train.value,
            **{kind: figure.value for kind, figure in found.tried.items()},
        },
        message=f"On validation rows the network has {named(found.figure)} of {found.network}, and a constant guess "
        f"{found.constant.value:.3g}; {others} do no better: nothing in the inputs tells of the labels. Here {learnt}.",
        remedies=(
            Remedy(
                path="data.source",
                value="the table with each row's own label",
                why="rows and labels were joined, sorted or drawn apart; where they were not, other columns are needed",
            ),
        ),
    )


CHECK = Check(
    code="shuffled_labels",
    reads="validation figures of the network and of the baselines",
    find=_find,
    explains=("not_learning", "overfitting", "underfitting"),
)
