"""AdamW: Adam whose weights decay apart from the gradient."""

from __future__ import annotations

from typing import Any

from torch.optim import AdamW, Optimizer

from wellfit.optimizers.entry import OptimizerEntry
from wellfit.optimizers.kernels import fused_or_foreach
from wellfit.optimizers.settings import BETA1, BETA2, EPS, weight_decay

__all__ = ["ENTRY"]


def _build(params: list[Any], *, lr: float, beta1: float, beta2: float, eps: float, weight_decay: float) -> Optimizer:
    return AdamW(params, lr=lr, betas=(beta1, beta2), eps=eps, weight_decay=weight_decay, **fused_or_foreach(params))


ENTRY = OptimizerEntry(
    name="adamw",
    summary="Adam with decoupled weight decay",
    build=_build,
    options=(BETA1, BETA2, EPS, weight_decay(0.01)),
    formula="W <- W - a l W, then as in adam",
    reference="Loshchilov & Hutter 2019, Decoupled weight decay regularization",
    lr=1e-3,
    lr_range=(1e-4, 1e-2),
)
