"""Adagrad: a rate of its own for every weight, falling with the squares of its gradients."""

from __future__ import annotations

from typing import Any

from torch.optim import Adagrad, Optimizer

from wellfit.optimizers.entry import OptimizerEntry
from wellfit.optimizers.kernels import fused_or_foreach
from wellfit.registry import Option

__all__ = ["ENTRY"]


def _build(params: list[Any], *, lr: float, eps: float, initial_accumulator_value: float) -> Optimizer:
    return Adagrad(
        params, lr=lr, eps=eps, initial_accumulator_value=initial_accumulator_value, **fused_or_foreach(params)
    )


ENTRY = OptimizerEntry(
    name="adagrad",
    summary="a rate for every weight that falls with the sum of its squared gradients",
    build=_build,
    options=(
        Option(name="eps", default=1e-10, low=0.0, low_open=True, help="added to the root"),
        Option(name="initial_accumulator_value", default=0.0, low=0.0, help="what the sum G starts from"),
    ),
    formula="G <- G + g^2; W <- W - a g / (sqrt(G) + e)",
    reference="Duchi et al. 2011, Adaptive subgradient methods",
    lr=0.02,
    lr_range=(1e-3, 0.3),
    sparse=True,
)
