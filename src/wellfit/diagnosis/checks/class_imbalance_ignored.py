"""A rare class that is hardly ever predicted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from wellfit.diagnosis.check import Check
from wellfit.diagnosis.evidence import Evidence
from wellfit.diagnosis.fit_evidence import Figure, FitEvidence
from wellfit.findings import Finding, Remedy

__all__ = ["CHECK"]

_RARE = 0.5
"""Share of the rows that a class has, as a part of an equal share: below half of it a class is rare."""
_RARE_OF_ALL = 0.15
"""A class of this share of all rows is not rare, however few classes there are."""
_FEW = 0.5
"""Recall below which more of a class's rows are missed than found."""
_VERY_RARE = 0.05
"""A class of this share has so few rows to be judged by that its recall itself is taken, not its interval's end."""
_BEHIND = 0.3
"""How far the recall of the rare classes is below that of the others: with less between them, all classes are hard."""


class _Rare(NamedTuple):
    label: int
    share: float
    recall: Figure


def _find(evidence: Evidence) -> Iterator[Finding]:
    case = FitEvidence(evidence.history)
    counts = case.record.get("train", {}).get("counts") or []
    part = case.record.get(case.scored, {})
    recalls = [Figure.of(given) for given in part.get("recall") or []]
    rare = _rare(counts, recalls)
    others = [recall.value for label, recall in enumerate(recalls) if recall and label not in {r.label for r in rare}]
    missed = [found for found in rare if (found.recall.value if found.share < _VERY_RARE else found.recall.high) < _FEW]
    if not missed or not others or sum(others) / len(others) - max(f.recall.value for f in missed) < _BEHIND:
        return
    names = ", ".join(f"{found.label} ({found.share:.1%} of the rows, recall {found.recall})" for found in missed[:5])
    yield Finding(
        code="class_imbalance_ignored",
        severity="warning",
        where="target",
        evidence={
            "classes": len(missed),
            "share": min(found.share for found in missed),
            "recall": max(found.recall.value for found in missed),
            "recall_of_others": sum(others) / len(others),
        },
        message=f"Rare classes are missed: {names}; the others are found with a recall of "
        f"{sum(others) / len(others):.2f}. The loss counts every row alike, and hardly counts these.",
        remedies=(
            Remedy(path="train.class_weight", value="balanced", why="every class counts alike in the loss"),
            Remedy(path="train.loss", value="focal", why="rows that are found already count less"),
            Remedy(path="train.metric", value="f1", why="accuracy does not show what rare classes lose"),
        ),
    )


def _rare(counts: Sequence[int], recalls: Sequence[Figure | None]) -> list[_Rare]:
    total = sum(counts)
    found = []
    for label, (count, recall) in enumerate(zip(counts, recalls, strict=False)):
        share = count / total
        if recall is not None and 0 < share < min(_RARE_OF_ALL, _RARE / len(counts)):
            found.append(_Rare(label, share, recall))
    return found


CHECK = Check(code="class_imbalance_ignored", reads="the recall of every class, and its share", find=_find)
