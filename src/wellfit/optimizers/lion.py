"""Lion: the sign of a mixture of the gradient and its running mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.optim import Optimizer

from wellfit.optimizers.entry import OptimizerEntry
from wellfit.optimizers.gradients import evaluated, gradients_of, widened, with_gradient
from wellfit.optimizers.settings import BETA1, weight_decay
from wellfit.registry import Option

__all__ = ["ENTRY", "Lion"]


class Lion(Optimizer):
    """Steps of one size for every weight, in the direction of a mean's sign.

    ``c = b1 m + (1-b1) g``; ``W <- W - a (sign(c) + l W)``; ``m <- b2 m + (1-b2) g``, from m = 0.

    Args:
        params: tensors, named tensors or groups.
        lr: rate a, above 0; every weight moves by just so much.
        beta1: share b1 of the mean in the step, in [0, 1).
        beta2: decay b2 of the mean, in [0, 1).
        weight_decay: decoupled decay l, from 0 on.

    Source: Chen et al. 2023, Symbolic discovery of optimization algorithms, program 1.

    >>> weight = torch.nn.Parameter(torch.tensor([1.0, 1.0]))
    >>> weight.grad = torch.tensor([3.0, -0.1])
    >>> Lion([weight], lr=0.25, beta1=0.9, beta2=0.99, weight_decay=0.0).step()
    >>> weight.tolist()
    [0.75, 1.25]
    """

    def __init__(self, params: Any, *, lr: float, beta1: float, beta2: float, weight_decay: float) -> None:
        super().__init__(params, {"lr": lr, "beta1": beta1, "beta2": beta2, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step, leaving parameters without a gradient as they are."""
        loss = evaluated(closure)
        for group in self.param_groups:
            params = with_gradient(group)
            for param in params:
                if param not in self.state:
                    self.state[param] = {"mean": torch.zeros_like(widened(param))}
            if params:
                self._move(group, params)
        return loss

    def _move(self, group: dict[str, Any], params: list[torch.Tensor]) -> None:
        gradients = gradients_of(params)
        means = [self.state[param]["mean"] for param in params]
        direction = torch._foreach_lerp(means, gradients, 1 - group["beta1"])
        torch._foreach_sign_(direction)
        if group["weight_decay"]:
            torch._foreach_mul_(params, 1 - group["lr"] * group["weight_decay"])
        torch._foreach_add_(params, direction, alpha=-group["lr"])
        torch._foreach_lerp_(means, gradients, 1 - group["beta2"])


ENTRY = OptimizerEntry(
    name="lion",
    summary="the sign of a mixture of the gradient and its running mean",
    build=Lion,
    options=(
        BETA1,
        Option(
            name="beta2", default=0.99, low=0.0, high=1.0, high_open=True, search=(0.9, 0.999), help="decay of the mean"
        ),
        weight_decay(0.0),
    ),
    formula="c = b1 m + (1-b1) g; W <- W - a (sign(c) + l W); m <- b2 m + (1-b2) g",
    reference="Chen et al. 2023, Symbolic discovery of optimization algorithms",
    lr=3e-4,
    lr_range=(1e-5, 3e-3),
)
