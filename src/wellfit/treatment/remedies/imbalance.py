"""Rare classes that count as much as common ones."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.treatment.course import Change
from wellfit.treatment.remedies.capacity import longer
from wellfit.treatment.remedies.rate import adam_rate
from wellfit.treatment.remedies.remedy import Case, Remedies
from wellfit.treatment.subject import Subject
from wellfit.treatment.surgery import Edit, set_output

__all__ = ["REMEDIES", "weighed"]


def propose(case: Case) -> Iterator[Change]:
    """Weigh classes by one over their share; the same for longer."""
    change = weighed(case.subject)
    if change is None:
        return
    yield change
    more = longer(case)
    yield Change(
        family="imbalance",
        what=f"{change.what}, {more.what}, adam",
        why=change.why,
        edits=change.edits,
        options={**change.options, **more.options, "optimizer": "adam", "lr": adam_rate(case)},
        outputs=change.outputs,
    )


def weighed(subject: Subject) -> Change | None:
    """Give each class the weight total / (classes count); None where a class has no training row."""
    counts = list(subject.target.get("counts") or [])
    if not subject.classes or len(counts) != subject.classes or min(counts) == 0:
        return None
    total = sum(counts)
    weights = [round(total / (len(counts) * count), 4) for count in counts]
    loss, outputs, edits = _loss(subject)
    return Change(
        family="imbalance",
        what="classes weighed alike",
        why="a rare class must not be cheaper to ignore than to learn",
        options={"loss": loss, "class_weight": weights},
        outputs=outputs,
        edits=edits,
    )


def _loss(subject: Subject) -> tuple[object, str, tuple[Edit, ...]]:
    """Give the named loss that takes what the module gives, as class weights need one."""
    last = subject.anatomy.output
    squashed = last is not None and last.kind in ("sigmoid", "softmax")
    name = "bce" if subject.columns == 1 else "cce"
    if squashed and subject.columns > 1 and subject.outputs != "probabilities":
        return name, "logits", (set_output("none"),)
    if squashed:
        return {"name": name, "from_probabilities": True}, "probabilities", ()
    return name, "logits", ()


REMEDIES = Remedies(family="imbalance", codes=frozenset({"class_imbalance_ignored"}), propose=propose)
