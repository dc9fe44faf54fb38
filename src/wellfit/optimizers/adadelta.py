"""Adadelta: steps in the units of the weights, from running means of squares."""

from __future__ import annotations

from typing import Any

from torch.optim import Adadelta, Optimizer

from wellfit.optimizers.entry import OptimizerEntry
from wellfit.registry import Option

__all__ = ["ENTRY"]


def _build(params: list[Any], *, lr: float, rho: float, eps: float) -> Optimizer:
    return Adadelta(params, lr=lr, rho=rho, eps=eps, foreach=True)


ENTRY = OptimizerEntry(
    name="adadelta",
    summary="steps scaled by the running size of earlier steps; hardly needs a rate",
    build=_build,
    options=(
        Option(
            name="rho", default=0.9, low=0.0, high=1.0, high_open=True, search=(0.8, 0.99), help="decay of both means"
        ),
        Option(name="eps", default=1e-6, low=0.0, low_open=True, help="added under both roots"),
    ),
    formula="v <- r v + (1-r) g^2; d = sqrt(u+e)/sqrt(v+e) g; u <- r u + (1-r) d^2; W <- W - a d",
    reference="Zeiler 2012, ADADELTA: an adaptive learning rate method",
    lr=1.0,
    lr_range=(0.1, 10.0),
)
