"""Adam: running means of the gradient and of its square, corrected for their start from zero."""

from __future__ import annotations

from typing import Any

from torch.optim import Adam, Optimizer

from wellfit.optimizers.entry import OptimizerEntry
from wellfit.optimizers.kernels import fused_or_foreach
from wellfit.optimizers.settings import BETA1, BETA2, EPS

__all__ = ["ENTRY"]


def _build(params: list[Any], *, lr: float, beta1: float, beta2: float, eps: float) -> Optimizer:
    return Adam(params, lr=lr, betas=(beta1, beta2), eps=eps, **fused_or_foreach(params))


ENTRY = OptimizerEntry(
    name="adam",
    summary="running means of the gradient and of its square",
    build=_build,
    options=(BETA1, BETA2, EPS),
    formula="m <- b1 m + (1-b1) g; v <- b2 v + (1-b2) g^2; W <- W - a m/(1-b1^t) / (sqrt(v/(1-b2^t)) + e)",
    reference="Kingma & Ba 2015, Adam: a method for stochastic optimization",
    lr=1e-3,
    lr_range=(1e-4, 1e-2),
)
