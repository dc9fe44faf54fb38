"""Losses: what training makes small. One file each; `LOSSES` looks them up by name."""

from __future__ import annotations

from wellfit.errors import ConfigError, did_you_mean
from wellfit.losses import bce, cce, focal, huber, mae, mse, quantile
from wellfit.losses.loss import Loss, LossEntry
from wellfit.losses.members import MemberLoss
from wellfit.registry import Family

__all__ = ["LOSSES", "Loss", "LossEntry", "MemberLoss", "default_loss"]

LOSSES: Family[LossEntry] = Family(
    "losses",
    "loss",
    [mse.ENTRY, mae.ENTRY, huber.ENTRY, bce.ENTRY, cce.ENTRY, focal.ENTRY, quantile.ENTRY],
)

_DEFAULTS = {"binary": "bce", "multiclass": "cce", "regression": "mse"}


def default_loss(task: str) -> str:
    """Name the loss that a task is trained on unless told otherwise.

    >>> default_loss("binary")
    'bce'
    """
    if task not in _DEFAULTS:
        raise ConfigError("There is no such task.", got=task, do=did_you_mean(task, _DEFAULTS))
    return _DEFAULTS[task]
