"""Mini-batch gradient descent: ``W <- W - a g``, g the mean gradient over some of the rows."""

from __future__ import annotations

from wellfit.optimizers.descent import FORMULA, REFERENCE, descend
from wellfit.optimizers.entry import OptimizerEntry

__all__ = ["ENTRY"]

ENTRY = OptimizerEntry(
    name="minibatch",
    summary="gradient descent, a mini-batch per update",
    build=descend,
    formula=FORMULA,
    reference=REFERENCE,
    lr=0.1,
    lr_range=(0.001, 1.0),
    batch_rule="mini",
    refuses="batch_size: more than one row and fewer than all; else use sgd or bgd",
    sparse=True,
)
