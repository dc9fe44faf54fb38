"""The right output layer and loss for a task."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wellfit.treatment.course import Change, Course
from wellfit.treatment.remedies.remedy import Case, Remedies
from wellfit.treatment.subject import Subject
from wellfit.treatment.surgery import Edit, resize_output, set_output

__all__ = ["REMEDIES", "right_pairing"]

_FITTING = {"logits": "none", "values": "none"}


def propose(case: Case) -> Iterator[Change]:
    """Fit the output layer to the loss, where that is sound; then output and loss to the task."""
    subject = case.subject
    if _sound(subject):
        kind = _wanted(subject)
        if kind != _present(subject):
            why = f"the loss takes {subject.outputs}"
            outputs = subject.outputs
            yield Change(family="pairing", what=_words(kind), why=why, edits=(set_output(kind),), outputs=outputs)
    yield from _of_task(subject)


def _sound(subject: Subject) -> bool:
    """Whether the loss is least for right outputs, and of the kind that the task has."""
    facts = subject.loss
    best = float(facts.get("best", float("nan")))
    if facts.get("upside_down") or facts.get("constant_beats_right") or best != best:
        return False
    return subject.outputs in ("logits", "probabilities") if subject.classes else subject.outputs == "values"


def _present(subject: Subject) -> str:
    last = subject.anatomy.output
    return "none" if last is None else last.kind


def _wanted(subject: Subject) -> str:
    """Give the output that the loss takes; one that is already of that kind stays."""
    present = _present(subject)
    if subject.outputs == "probabilities":
        return "sigmoid" if subject.columns == 1 else "softmax"
    if present == "log_softmax" and subject.outputs == "logits":
        return present  # logarithms of probabilities are logits
    return _FITTING[subject.outputs]


def _of_task(subject: Subject) -> Iterator[Change]:
    """Give the loss and the output that are right for the task."""
    edits: list[Edit] = []
    present = _present(subject)
    options: dict[str, Any] = {"class_weight": None}
    if not subject.classes:
        outputs, options["loss"], kind = "values", "mse", "none"
    elif subject.columns == 1 and subject.classes == 2:
        # Whoever read a probability off the output goes on doing so.
        raw = subject.outputs == "logits" and present not in ("sigmoid", "softmax")
        kind, outputs = ("none", "logits") if raw else ("sigmoid", "probabilities")
        options["loss"] = "bce" if raw else {"name": "bce", "from_probabilities": True}
    else:
        kind, outputs, options["loss"] = "none", "logits", "cce"
        if subject.columns < subject.classes:
            edits.append(resize_output(subject.classes))
    if kind != present and not (kind == "none" and present == "log_softmax"):
        edits.insert(0, set_output(kind))
    name = options["loss"] if isinstance(options["loss"], str) else options["loss"]["name"]
    if subject.named_loss and not edits and subject.options.get("loss") == name:
        return
    what = f"{name} with {_words(kind)}"
    yield Change(
        family="pairing",
        what=what,
        why="the loss and the output that fit the task",
        edits=tuple(edits),
        options=options,
        outputs=outputs,
    )


def _words(kind: str) -> str:
    return "no output activation" if kind == "none" else f"a {kind} output"


def right_pairing(subject: Subject) -> Change | None:
    """Give the change that mends a pairing known to be wrong; None where output and loss fit each other."""
    if _sound(subject) and _wanted(subject) == _present(subject):
        return None
    changes = [change for change in propose(Case(subject, Course())) if change.family == "pairing"]
    return changes[0] if changes else None


REMEDIES = Remedies(
    family="pairing",
    codes=frozenset({"loss_output_mismatch", "not_learning", "non_finite"}),
    propose=propose,
)
