"""A rare class that is hardly ever predicted, though it could be told from the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from wellfit.diagnosis.check import Check
from wellfit.diagnosis.evidence import Evidence
from wellfit.diagnosis.fit_evidence import KINDS, Figure, FitEvidence
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

    def __str__(self) -> str:
        return f"{self.label} ({self.share:.1%} of the rows, recall {self.recall})"


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
    ignored = [found for found in missed if _can_be_told(case, found.label)]
    if ignored:
        yield _ignored(ignored, sum(others) / len(others))
    else:
        yield _never_likely(missed)


def _ignored(missed: Sequence[_Rare], others: float) -> Finding:
    return Finding(
        code="class_imbalance_ignored",
        severity="warning",
        where="target",
        evidence={**_numbers(missed), "recall_of_others": others},
        message=f"Rare classes are missed: {', '.join(map(str, missed[:5]))}; the others are found with a recall of "
        f"{others:.2f}. The loss counts every row alike, and hardly counts these.",
        remedies=(
            Remedy(path="train.class_weight", value="balanced", why="every class counts alike in the loss"),
            Remedy(path="train.loss", value="focal", why="rows that are found already count less"),
            Remedy(path="train.metric", value="f1", why="accuracy does not show what rare classes lose"),
        ),
    )


def _never_likely(missed: Sequence[_Rare]) -> Finding:
    return Finding(
        code="class_imbalance_ignored",
        severity="info",
        where="target",
        evidence=_numbers(missed),
        message=f"Rare classes are hardly ever the likeliest: {', '.join(map(str, missed[:5]))}. Even among the rows "
        "that score highest for one of them, fewer than half are of it, by the network and by the baselines: odds and "
        "ranks may be right all the same. Where finding these rows matters more than accuracy, weigh the classes.",
        remedies=(
            Remedy(
                path="train.class_weight", value="balanced", why="rare rows are found, at the price of wrong alarms"
            ),
        ),
    )


def _numbers(missed: Sequence[_Rare]) -> dict[str, float | int | str]:
    return {
        "classes": len(missed),
        "share": min(found.share for found in missed),
        "recall": max(found.recall.value for found in missed),
    }


def _can_be_told(case: FitEvidence, label: int) -> bool:
    """Whether the network or a baseline may rank the class so that half of its foremost rows are of it.

    As many rows are looked at as the class has. Where for sure fewer than half are of it, no answer that names the
    class is right more often than wrong: to name the others is what the rows say, and nothing was ignored.
    """
    baselines = [case.record.get(kind) or {} for kind in KINDS]
    # Of rows that it was trained on the network may know single ones; the baselines guess those that they were not.
    learners = [[case.record.get(case.scored) or {}], *([kept, kept.get("train") or {}] for kept in baselines)]
    counts = [_foremost(parts, label) for parts in learners]
    known = [(hits, rows) for hits, rows in counts if rows]
    return not known or any(_highest(hits, rows) >= _FEW for hits, rows in known)


def _foremost(parts: Sequence[Mapping[str, Any]], label: int) -> tuple[int, int]:
    """Give how many of the rows that a learner puts foremost are of the class, and how many rows those are."""
    found = [part["foremost"][label] for part in parts if part.get("foremost")]
    return sum(hits for hits, _ in found), sum(rows for _, rows in found)


def _highest(hits: int, rows: int) -> float:
    """Give the upper end of a share's 95 % interval (Wilson 1927).

    >>> round(_highest(3, 15), 2), round(_highest(0, 2), 2)
    (0.45, 0.66)
    """
    share, spread = hits / rows, 1.96**2 / rows
    half = float(np.sqrt(spread * (share * (1 - share) + spread / 4)))
    return (share + spread / 2 + half) / (1 + spread)


def _rare(counts: Sequence[int], recalls: Sequence[Figure | None]) -> list[_Rare]:
    total = sum(counts)
    found = []
    for label, (count, recall) in enumerate(zip(counts, recalls, strict=False)):
        share = count / total
        if recall is not None and 0 < share < min(_RARE_OF_ALL, _RARE / len(counts)):
            found.append(_Rare(label, share, recall))
    return found


CHECK = Check(
    code="class_imbalance_ignored",
    reads="the recall of every class, its share, and the rows that score highest for it",
    find=_find,
)
