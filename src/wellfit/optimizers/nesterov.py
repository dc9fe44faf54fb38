"""Nesterov momentum as it is written: the gradient is taken at the look-ahead point itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from wellfit.errors import ConfigError
from wellfit.optimizers.entry import OptimizerEntry
from wellfit.optimizers.gradients import evaluated, gradients_of, held, widened, with_gradient
from wellfit.registry import Option

__all__ = ["ENTRY", "Nesterov"]


class Nesterov(Optimizer):
    """Steps with the gradient of the point that the velocity leads to.

    ``v <- b v + (1-b) dL/dW at W - a b v``, from v = 0; ``W <- W - a v``.

    While training, the parameters are at the look-ahead point ``W - a b v``, and W is kept in the state. `eval` puts
    W itself into the parameters, `train` moves them to the look-ahead point under the present rate of each group.
    Both points are computed from W and v, never backwards from one another, so that going to and fro changes no bit.
    Whoever writes into the parameters while training writes into the look-ahead point: it lasts until the next step.

    Args:
        params: tensors, named tensors or groups.
        lr: rate a, above 0.
        beta: decay b, in [0, 1).

    >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = Nesterov([weight], lr=1.0, beta=0.5)
    >>> weight.grad = torch.tensor([0.5])
    >>> optimizer.step()
    >>> weight.item()
    0.625
    >>> optimizer.eval()
    >>> weight.item()
    0.75
    """

    def __init__(self, params: Any, *, lr: float, beta: float) -> None:
        # "ahead": the rate under which the parameters were moved ahead; None while they are at W.
        super().__init__(params, {"lr": lr, "beta": beta, "training": True, "ahead": None})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step and leave the parameters at the next look-ahead point."""
        if not all(group["training"] for group in self.param_groups):
            raise ConfigError("nesterov steps from the look-ahead point only.", do="Call optimizer.train() first.")
        loss = evaluated(closure)
        for group in self.param_groups:
            self._move(group)
            self._look_ahead(group)
        return loss

    @torch.no_grad()
    def train(self) -> None:
        """Move the parameters to the look-ahead point; where they are there already, do nothing."""
        for group in self.param_groups:
            group["training"] = True
            if group["ahead"] != group["lr"]:
                self._look_ahead(group)

    @torch.no_grad()
    def eval(self) -> None:
        """Put the weights themselves into the parameters; where they are there already, do nothing."""
        for group in self.param_groups:
            group["training"] = False
            if group["ahead"] is not None:
                params = self._started(group)
                if params:
                    torch._foreach_copy_(params, [self.state[param]["weight"] for param in params])
                group["ahead"] = None

    @torch.no_grad()
    def shrink(self, params: list[Tensor], share: float) -> None:
        """Take a share off W; the parameters follow with the next step."""
        for param in params:
            kept = self.state[param]["weight"] if param in self.state else param
            kept.mul_(1 - share)

    def _move(self, group: dict[str, Any]) -> None:
        params = with_gradient(group)
        if not params:
            return
        for param in params:
            if param not in self.state:
                self.state[param] = {"weight": held(param), "velocity": torch.zeros_like(widened(param))}
        velocities = [self.state[param]["velocity"] for param in params]
        torch._foreach_lerp_(velocities, gradients_of(params), 1 - group["beta"])
        torch._foreach_add_([self.state[param]["weight"] for param in params], velocities, alpha=-group["lr"])

    def _look_ahead(self, group: dict[str, Any]) -> None:
        params = self._started(group)
        if params:
            weights = [self.state[param]["weight"] for param in params]
            velocities = [self.state[param]["velocity"] for param in params]
            ahead = torch._foreach_add(weights, velocities, alpha=-group["lr"] * group["beta"])
            torch._foreach_copy_(params, ahead)
        group["ahead"] = group["lr"]

    def _started(self, group: dict[str, Any]) -> list[Tensor]:
        return [param for param in group["params"] if param in self.state]


ENTRY = OptimizerEntry(
    name="nesterov",
    summary="momentum with the gradient taken at the look-ahead point",
    build=Nesterov,
    options=(Option(name="beta", default=0.9, low=0.0, high=1.0, high_open=True, search=(0.5, 0.99), help="decay b"),),
    formula="v <- b v + (1-b) dL/dW(W - a b v); W <- W - a v",
    reference="Nesterov 1983; Sutskever et al. 2013, On the importance of initialization and momentum",
    lr=0.1,
    lr_range=(1e-3, 1.0),
)
