"""Decoupled weight decay for any optimizer, applied where its weights are kept."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.optim import Optimizer

__all__ = ["shrink_weights"]


@torch.no_grad()
def shrink_weights(optimizer: Optimizer, params: list[Tensor], share: float) -> None:
    """Take a share off the weights, ``W <- W - s W``, as decoupled decay does with ``s = a l``.

    Most optimizers keep the weights in the parameters. Those that keep them elsewhere (`nesterov`, `ftrl`,
    `schedule_free_adamw`) would undo a change of the parameters in their next step, and have ``shrink`` for this.

    Args:
        optimizer: the optimizer of the parameters, in training mode.
        params: the parameters that decay.
        share: s, in [0, 1].

    >>> weight = torch.nn.Parameter(torch.tensor([2.0]))
    >>> shrink_weights(torch.optim.SGD([weight], lr=0.1), [weight], 0.25)
    >>> weight.item()
    1.5
    """
    shrink = getattr(optimizer, "shrink", None)
    if shrink is not None:
        shrink(params, share)
    elif params:
        torch._foreach_mul_(params, 1 - share)
