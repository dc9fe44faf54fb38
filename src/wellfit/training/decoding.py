"""What a module's outputs say of each row: a class, or values; whatever loss it was trained with.

Legend: ``output`` is what the module gave, ``target`` what the loss was given, both [row, ...].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from wellfit.losses import LOSSES, MemberLoss
from wellfit.losses.loss import Loss
from wellfit.training.loss_facts import loss_facts
from wellfit.training.recipe import LossLike

__all__ = ["Decoder", "decoder_of"]

Array = npt.NDArray[Any]

_MOST_IDS = 30
"""Whole numbers that one column is regressed on are counts, not ids of classes, where there are more of them."""


@dataclass(frozen=True)
class Decoder:
    """How outputs and targets are read."""

    classes: int
    """How many classes there are; 0 for values."""
    expects: str
    """What the loss takes: ``logits``, ``probabilities``, ``values`` or ``unknown``."""
    upside_down: bool = False
    """Whether the loss is less for wrong outputs than for right ones."""

    def truth(self, target: Tensor) -> Array:
        """Give class ids, int64 [row], or values, float64 [row, column]."""
        rows = target.detach().cpu()
        if not self.classes:
            return np.asarray(rows.reshape(len(rows), -1).double().numpy())
        if rows.ndim == 2 and rows.shape[1] > 1:
            rows = rows.argmax(1)
        ids = (rows >= 0.5).long() if rows.is_floating_point() and self.classes == 2 else rows.long()
        return np.asarray(ids.reshape(-1).numpy())

    def guess(self, output: Tensor) -> Array:
        """Give class ids, -1 where an output is not finite, or values."""
        rows = output.detach().float().cpu().reshape(len(output), -1)
        if not self.classes:
            return np.asarray(rows.double().numpy())
        ids = rows.argmax(1) if rows.shape[1] > 1 else self._from_column(rows[:, 0])
        return np.asarray(torch.where(torch.isfinite(rows).all(1), ids, -1).numpy())

    def scores(self, output: Tensor) -> Array | None:
        """Give what each row says for each class, float64 [row, class], to be ranked; None of values and ids."""
        rows = output.detach().double().cpu().reshape(len(output), -1).nan_to_num(0.0)
        if rows.shape[1] == 1:
            return np.asarray(torch.cat([-rows, rows], 1).numpy()) if self.classes == 2 else None
        if not self.classes or rows.shape[1] != self.classes:
            return None
        return np.asarray((rows.log_softmax(1) if self.expects == "logits" else rows).numpy())

    def _from_column(self, column: Tensor) -> Tensor:
        finite = column[torch.isfinite(column)]
        # A sigmoid before a loss that takes logits: 0.5 divides its classes, not 0.
        squashed = bool(((finite >= 0) & (finite <= 1)).all())
        if self.classes == 2:
            return (column > (0.0 if self.expects == "logits" and not squashed else 0.5)).long()
        return column.nan_to_num(-1.0).round().clamp(0, self.classes - 1).long()


def decoder_of(loss: LossLike, output: Tensor, target: Tensor) -> Decoder | None:
    """Tell classes from values; None where rows have several answers each, of which no one figure tells.

    >>> ids = torch.arange(6) % 3
    >>> loss = LOSSES["cce"].make()
    >>> decoder_of(loss, torch.zeros(6, 3), ids).classes
    3
    """
    outputs = int(output[0].numel())
    if output.ndim > 2 or (target.ndim > 1 and target.is_floating_point() and target[0].numel() != outputs):
        return None
    if isinstance(loss, MemberLoss):
        loss = loss.inner
    if isinstance(loss, Loss):
        return _of_named(loss, outputs)
    facts = loss_facts(loss, target, outputs, output.shape[1:])
    expects, upside_down = str(facts["expects"]), bool(facts["upside_down"])
    classes = _classes(target, outputs, expects)
    return None if classes is None else Decoder(classes, expects, upside_down)


def _of_named(loss: Loss, outputs: int) -> Decoder:
    if "regression" in LOSSES[loss.name].tasks:
        return Decoder(0, "values")
    expects = "probabilities" if getattr(loss, "from_probabilities", False) else "logits"
    return Decoder(max(2, outputs), expects)


def _classes(target: Tensor, outputs: int, expects: str) -> int | None:
    """Count the classes of a target for a loss of one's own; 0 for values."""
    rows = target.reshape(len(target), -1)
    if rows.is_floating_point():
        return _classes_of_floats(rows, expects)
    if rows.shape[1] > 1 or int(rows.min()) < 0:
        return None if rows.shape[1] > 1 and expects != "values" else 0
    classes = max(int(rows.max()) + 1, outputs, 2)
    return 0 if outputs == 1 and expects in ("values", "unknown") and classes > _MOST_IDS else classes


def _classes_of_floats(rows: Tensor, expects: str) -> int | None:
    switches = bool(((rows == 0) | (rows == 1)).all())
    if not switches or expects == "values":
        return 0
    if rows.shape[1] == 1:
        return 2 if expects in ("logits", "probabilities") else 0
    return rows.shape[1] if bool((rows.sum(1) == 1).all()) else None
