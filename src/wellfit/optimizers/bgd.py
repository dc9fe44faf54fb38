"""Gradient descent on the whole set: ``W <- W - a g``, g the mean gradient over all rows."""

from __future__ import annotations

from wellfit.optimizers.descent import FORMULA, REFERENCE, descend
from wellfit.optimizers.entry import OptimizerEntry

__all__ = ["ENTRY"]

ENTRY = OptimizerEntry(
    name="bgd",
    summary="gradient descent, the whole set per update",
    build=descend,
    formula=FORMULA,
    reference=REFERENCE,
    lr=0.1,
    lr_range=(0.001, 1.0),
    batch_rule="full",
    refuses="batch_size: the whole set per update; for less use minibatch",
    sparse=True,
)
