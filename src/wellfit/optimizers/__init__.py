"""Optimizers: one file and one line each."""

from __future__ import annotations

from wellfit.optimizers import (
    adadelta,
    adagrad,
    adam,
    adamw,
    bgd,
    ftrl,
    lbfgs,
    lion,
    minibatch,
    momentum,
    muon,
    nadam,
    nesterov,
    rmsprop,
    schedule_free_adamw,
    sgd,
)
from wellfit.optimizers.batches import check_batch_size, default_batch_size
from wellfit.optimizers.direct import stepper
from wellfit.optimizers.entry import OptimizerEntry
from wellfit.optimizers.groups import grouped
from wellfit.optimizers.guard import refuse_non_finite, require_finite
from wellfit.registry import Family

__all__ = [
    "OPTIMIZERS",
    "OptimizerEntry",
    "check_batch_size",
    "default_batch_size",
    "grouped",
    "refuse_non_finite",
    "require_finite",
    "stepper",
]

OPTIMIZERS: Family[OptimizerEntry] = Family(
    "optimizers",
    "optimizer",
    [
        bgd.ENTRY,
        sgd.ENTRY,
        minibatch.ENTRY,
        momentum.ENTRY,
        nesterov.ENTRY,
        adagrad.ENTRY,
        rmsprop.ENTRY,
        adam.ENTRY,
        nadam.ENTRY,
        adadelta.ENTRY,
        ftrl.ENTRY,
        lbfgs.ENTRY,
        adamw.ENTRY,
        muon.ENTRY,
        lion.ENTRY,
        schedule_free_adamw.ENTRY,
    ],
)
