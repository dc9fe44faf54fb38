"""Plain gradient descent: the one class behind `bgd`, `sgd` and `minibatch`."""

from __future__ import annotations

from typing import Any

from torch.optim import SGD, Optimizer

from wellfit.optimizers.kernels import fused_or_foreach

__all__ = ["FORMULA", "REFERENCE", "descend"]

FORMULA = "W <- W - a g"
REFERENCE = "Robbins & Monro 1951, A stochastic approximation method"


def descend(params: list[Any], *, lr: float) -> Optimizer:
    """Build gradient descent, ``W <- W - a g``.

    >>> import torch
    >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
    >>> weight.grad = torch.tensor([2.0])
    >>> descend([weight], lr=0.25).step()
    >>> weight.item()
    0.5
    """
    return SGD(params, lr=lr, **fused_or_foreach(params))
