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
_UPDATES = 400
"""Updates within which a small network learns a table; the rebuilt one, which has more to learn, gets three times."""
_RECURRENT_UPDATES = 2000
"""Recurrent networks take longer to find what they must remember."""
_MOST_TIMES = 25
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
        yield _recipe(case, "the standard recipe", shape, lean, _UPDATES)
    rebuilt = [*shape, *case.can(swap_activations("relu"))]
    rebuilt += case.can(*([set_dropout(0.3)] if lean else [widen(2.0, least=32), set_dropout(0.0)]))
    rebuilt += case.can(insert_norms("batch"), *([add_residuals()] if deep else []))
    if rebuilt != shape:
        yield _recipe(case, "the standard recipe, rebuilt with ReLU and batch norm", rebuilt, lean, 3 * _UPDATES)


def _recipe(case: Case, what: str, shape: list[Edit], lean: bool, updates: int) -> Change:
    subject = case.subject
    pairing, inputs, target = right_pairing(subject), input_scaling(subject), target_scaling(subject)
    relief = freed(case)
    parts = [part for part in (pairing, inputs, target) if part is not None]
    if "class_imbalance_ignored" in case.codes:
        parts += [part for part in (weighed(subject),) if part is not None]
    options: dict[str, Any] = {} if relief is None else dict(relief.options)
    options |= _training(case, lean, updates)
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


def _training(case: Case, lean: bool, least: int) -> dict[str, Any]:
    """Give the options of the training: as many epochs as were asked for, more where those make too few updates.

    The last weights are kept, and the rate has fallen to 0 by then: an epoch picked by its validation figure would
    look better on the validation rows than it is.
    """
    subject = case.subject
    rows = 32 if subject.count < 5000 else 64 if subject.count < 50000 else 256
    an_epoch = -(-subject.count // rows)
    recurrent = any(part.kind in ("rnn", "gru", "lstm") for part in subject.anatomy.layers)
    wanted = -(-(_RECURRENT_UPDATES if recurrent else least) // an_epoch)
    stopping = {"patience": max(3, subject.epochs // 5), "restore_best": True} if lean else None
    return {
        "optimizer": "adam",
        "lr": adam_rate(case),
        "schedule": {"name": "warmup", "share": 0.1},
        "batch_size": rows,
        "epochs": max(subject.epochs, min(_MOST_TIMES * subject.epochs, wanted)),
        "steps": None,
        "clip_norm": 1.0,
        # Decoupled, over a thousand updates at 3e-3: a tenth off the weights, or half where they learn rows by heart.
        "weight_decay": 0.3 if lean else 0.05,
        "early_stopping": stopping,
    }
