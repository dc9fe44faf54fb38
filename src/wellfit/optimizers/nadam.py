"""Nadam: Adam with Nesterov's look at the next mean, under a momentum that warms up."""

from __future__ import annotations

from typing import Any

from torch.optim import NAdam, Optimizer

from wellfit.optimizers.entry import OptimizerEntry
from wellfit.optimizers.settings import BETA1, BETA2, EPS
from wellfit.registry import Option

__all__ = ["ENTRY"]


def _build(params: list[Any], *, lr: float, beta1: float, beta2: float, eps: float, momentum_decay: float) -> Optimizer:
    return NAdam(params, lr=lr, betas=(beta1, beta2), eps=eps, momentum_decay=momentum_decay, foreach=True)


ENTRY = OptimizerEntry(
    name="nadam",
    summary="Adam with Nesterov momentum",
    build=_build,
    options=(
        BETA1,
        BETA2,
        EPS,
        Option(
            name="momentum_decay",
            default=0.004,
            low=0.0,
            help="d of the momentum's warm-up b1 (1 - 0.96^(t d) / 2); Dozat's 1/250; Keras has 1",
        ),
    ),
    formula=(
        "mu_t = b1 (1 - 0.96^(t d)/2); m, v as in adam; "
        "W <- W - a (mu_{t+1} m/(1-prod_{i<=t+1} mu_i) + (1-mu_t) g/(1-prod_{i<=t} mu_i)) / (sqrt(v/(1-b2^t)) + e)"
    ),
    reference="Dozat 2016, Incorporating Nesterov momentum into Adam",
    lr=2e-3,
    lr_range=(1e-4, 1e-2),
)
