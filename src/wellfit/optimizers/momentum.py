"""Momentum as an exponential mean of gradients, or as the heavy ball."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.optim import SGD, Optimizer

from wellfit.optimizers.entry import OptimizerEntry
from wellfit.optimizers.gradients import evaluated, gradients_of, widened, with_gradient
from wellfit.optimizers.kernels import fused_or_foreach
from wellfit.registry import Option

__all__ = ["ENTRY", "Momentum"]


class Momentum(Optimizer):
    """Steps along the exponential mean of the gradients.

    ``v <- b v + (1-b) g``, from v = 0; ``W <- W - a v``. torch's SGD has no such rule: with ``dampening=b`` it
    starts from ``v = g`` where the mean starts from ``v = (1-b) g``.

    Args:
        params: tensors, named tensors or groups.
        lr: rate a, above 0.
        beta: decay b of the mean, in [0, 1).

    >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
    >>> weight.grad = torch.tensor([2.0])
    >>> Momentum([weight], lr=1.0, beta=0.75).step()
    >>> weight.item()
    0.5
    """

    def __init__(self, params: Any, *, lr: float, beta: float) -> None:
        super().__init__(params, {"lr": lr, "beta": beta})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step, leaving parameters without a gradient as they are."""
        loss = evaluated(closure)
        for group in self.param_groups:
            params = with_gradient(group)
            for param in params:
                if param not in self.state:
                    self.state[param] = {"velocity": torch.zeros_like(widened(param))}
            if params:
                velocities = [self.state[param]["velocity"] for param in params]
                torch._foreach_lerp_(velocities, gradients_of(params), 1 - group["beta"])
                torch._foreach_add_(params, velocities, alpha=-group["lr"])
        return loss


def _build(params: list[Any], *, lr: float, beta: float, heavy_ball: bool) -> Optimizer:
    if heavy_ball:
        return SGD(params, lr=lr, momentum=beta, **fused_or_foreach(params))
    return Momentum(params, lr=lr, beta=beta)


def _rate_factor(options: Mapping[str, Any]) -> float:
    # The heavy ball's velocity is the mean's divided by 1-b: this rate gives the same steps.
    return 1 - options["beta"] if options["heavy_ball"] else 1.0


ENTRY = OptimizerEntry(
    name="momentum",
    summary="steps along the exponential mean of the gradients; heavy_ball sums them instead",
    build=_build,
    options=(
        Option(
            name="beta", default=0.9, low=0.0, high=1.0, high_open=True, search=(0.5, 0.99), help="decay of the mean"
        ),
        Option(
            name="heavy_ball", default=False, kind="bool", help="v <- b v + g; the default rate is then (1-b) times"
        ),
    ),
    formula="v <- b v + (1-b) g; W <- W - a v   (heavy_ball: v <- b v + g)",
    reference="Polyak 1964, Some methods of speeding up the convergence of iteration methods",
    lr=0.1,
    lr_range=(1e-3, 1.0),
    lr_factor=_rate_factor,
)
