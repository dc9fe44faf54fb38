"""RMSprop: the gradient divided by the root of the running mean of its square."""

from __future__ import annotations

from typing import Any

from torch.optim import Optimizer, RMSprop

from wellfit.optimizers.entry import OptimizerEntry
from wellfit.registry import Option

__all__ = ["ENTRY"]


def _build(params: list[Any], *, lr: float, beta: float, eps: float) -> Optimizer:
    return RMSprop(params, lr=lr, alpha=beta, eps=eps, foreach=True)


ENTRY = OptimizerEntry(
    name="rmsprop",
    summary="the gradient divided by the root of the running mean of its square",
    build=_build,
    options=(
        Option(
            name="beta", default=0.9, low=0.0, high=1.0, high_open=True, search=(0.8, 0.999), help="decay of the mean"
        ),
        Option(name="eps", default=1e-8, low=0.0, low_open=True, help="added to the root"),
    ),
    formula="v <- b v + (1-b) g^2; W <- W - a g / (sqrt(v) + e)",
    reference="Tieleman & Hinton 2012, Lecture 6.5: rmsprop",
    lr=1e-3,
    lr_range=(1e-4, 1e-2),
)
