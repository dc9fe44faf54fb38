"""Stochastic gradient descent: ``W <- W - a g``, g the gradient of one row."""

from __future__ import annotations

from wellfit.optimizers.descent import FORMULA, REFERENCE, descend
from wellfit.optimizers.entry import OptimizerEntry

__all__ = ["ENTRY"]

ENTRY = OptimizerEntry(
    name="sgd",
    summary="gradient descent, one row per update",
    build=descend,
    formula=FORMULA,
    reference=REFERENCE,
    lr=0.01,
    lr_range=(0.0001, 0.1),
    batch_rule="single",
    refuses="batch_size: one row per update; for more use minibatch",
    sparse=True,
)
