"""The last resort: the recipe that trains ordinary networks, all at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wellfit.treatment.course import Change
from wellfit.treatment.remedies.capacity import freed
from wellfit.treatment.remedies.imbalance import weighed
from wellfit.treatment.remedies.pairing import right_pairing
from wellfit.treatment.remedies.rate import adam_rate
from wellfit.treatment.remedies.remedy import Case
from wellfit.treatment.remedies.scaling import input_scaling, target_scaling
from wellfit.treatment.surgery import (
    Edit,
    add_residuals,
    gate_recurrence,
    insert_activations,
    insert_norms,
    reinitialize,
    set_dropout,
    swap_activations,
    unfreeze,
    widen,
)
from wellfit.treatment.surgery.anatomy import SQUASHERS

__all__ = ["standard_recipes"]

_WHY = "each part of it is right for most networks; together they are the surest start"
_UPDATES = 1200
_MOST_TIMES = 6
_DEEP = 5
"""Layers from which on norms and residual connections decide whether a network learns."""


def standard_recipes(case: Case) -> Iterator[Change]:
    """Give the standard recipe for the network as it is, and for it rebuilt with ReLU, norms, and width."""
    lean = "overfitting" in case.codes
    edits = case.can(unfreeze(), insert_activations("relu"))
    gates = case.can(gate_recurrence())
    shape = [*edits, *gates]
    bounded = any(part.kind in SQUASHERS for part in case.subject.anatomy.hidden)
    deep = len(case.subject.anatomy.layers) >= _DEEP
    if not (bounded and deep):
        yield _recipe(case, "the standard recipe", shape, lean)
    rebuilt = [*shape, *case.can(swap_activations("relu"))]
    rebuilt += case.can(*([set_dropout(0.3)] if lean else [widen(2.0, least=32), set_dropout(0.0)]))
    rebuilt += case.can(insert_norms("batch"), *([add_residuals()] if deep else []))
    if rebuilt != shape:
        yield _recipe(case, "the standard recipe, rebuilt with ReLU and batch norm", rebuilt, lean)


def _recipe(case: Case, what: str, shape: list[Edit], lean: bool) -> Change:
    subject = case.subject
    pairing, inputs, target = right_pairing(subject), input_scaling(subject), target_scaling(subject)
    relief = freed(case)
    parts = [part for part in (pairing, inputs, target) if part is not None]
    if "class_imbalance_ignored" in case.codes:
        parts += [part for part in (weighed(subject),) if part is not None]
    options: dict[str, Any] = {} if relief is None else dict(relief.options)
    options |= _training(case, lean)
    for part in parts:
        options |= part.options
    spaces = [part.outputs for part in parts if part.outputs]
    edits = [edit for part in parts for edit in part.edits]
    return Change(
        family="standard",
        what=what,
        why=_WHY,
        edits=(*shape, reinitialize(), *edits),
        options=options,
        outputs=spaces[-1] if spaces else "",
        scale=None if target is None else target.scale,
    )


def _training(case: Case, lean: bool) -> dict[str, Any]:
    subject = case.subject
    rows = 32 if subject.count < 5000 else 64 if subject.count < 50000 else 256
    updates = -(-subject.count // rows) * subject.epochs
    # As long as was asked for, or longer where that makes too few updates to learn anything.
    epochs = subject.epochs * max(1, min(_MOST_TIMES, -(-_UPDATES // updates)))
    if subject.epochs < 5:
        epochs = max(epochs, min(25, -(-_UPDATES // max(1, updates // subject.epochs))))
    return {
        "optimizer": "adam",
        "lr": adam_rate(case),
        "schedule": {"name": "warmup", "share": 0.1},
        "batch_size": rows,
        "epochs": epochs,
        "steps": None,
        "clip_norm": 1.0,
        "weight_decay": 0.01 if lean else 1e-4,
        "early_stopping": {"patience": max(5, epochs // 3), "restore_best": True},
    }
