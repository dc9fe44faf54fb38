"""FTRL-proximal: follow the regularized leader, with exact zeros under l1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softshrink
from torch.optim import Optimizer

from wellfit.optimizers.entry import OptimizerEntry
from wellfit.optimizers.gradients import evaluated, held, widened, with_gradient
from wellfit.registry import Option

__all__ = ["ENTRY", "Ftrl"]

_TINY = 1e-30
"""The accumulator's least start: with zero, a weight whose gradient is zero would be 0/0."""

Part = tuple[Tensor, Tensor, dict[str, Tensor]]
"""Weights, their gradients and their states, all of one shape."""


class Ftrl(Optimizer):
    """Solves for the weights that would have been best so far, near where they have been.

    ``n <- n + g^2``; ``s = q(n, a) - q(before)`` with ``q(n, a) = (beta + n^-p) / a``; ``z <- z + g - s W``;
    ``W <- 0 where |z| <= l1, else (sign(z) l1 - z) / (q + 2 l2)``.

    The settings are those of ``keras.optimizers.Ftrl``: n starts from ``initial_accumulator_value``, and l2 is that
    of a penalty ``l2 sum W^2`` (the paper's lambda_2 is twice that).

    Two things go beyond the paper, where rate and origin are fixed, so that the rule suits networks:

    - With z from 0, the first step solves for weights near zero and forgets how they were initialised, and a deep
      network no longer learns. With ``start="weights"`` z starts from ``-q W``: the leader is pulled to
      the initial weights instead of to the origin, and without l1 and l2 a step is Adagrad's. ``start="zeros"`` is
      the rule of the paper and of Keras; from weights of zero both are the same.
    - A change of the rate (a schedule) enters s, by the paper's own definition of s as the growth of 1/rate. With a
      constant rate this is the formula above; at rate zero nothing moves.

    A sparse gradient touches the rows it names; nothing else would have moved.

    Args:
        params: tensors, named tensors or groups.
        lr: rate a, above 0.
        l1: strength of the penalty ``l1 sum |W|``, from 0 on.
        l2: strength of the penalty ``l2 sum W^2``, from 0 on.
        lr_power: power p by which the rate falls with n, in [-1, 0]; -0.5 in the paper, 0 for a fixed rate.
        initial_accumulator_value: what n starts from, from 0 on.
        beta: added to the root of n, from 0 on.
        start: ``weights`` or ``zeros``, what the leader is pulled to before the first gradient.

    Source: McMahan et al. 2013, Ad click prediction: a view from the trenches, algorithm 1.

    >>> weight = torch.nn.Parameter(torch.tensor([1.0, 1.0]))
    >>> optimizer = ENTRY.make([weight], lr=0.5, l1=1.5)
    >>> weight.grad = torch.tensor([0.0, -8.0])
    >>> optimizer.step()
    >>> weight[0].item(), weight[1].item() > 1
    (0.0, True)
    """

    def __init__(
        self,
        params: Any,
        *,
        lr: float,
        l1: float,
        l2: float,
        lr_power: float,
        initial_accumulator_value: float,
        beta: float,
        start: str,
    ) -> None:
        settings = {"lr": lr, "l1": l1, "l2": l2, "lr_power": lr_power, "beta": beta, "start": start}
        super().__init__(params, {**settings, "initial_accumulator_value": initial_accumulator_value})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step, leaving parameters without a gradient as they are."""
        loss = evaluated(closure)
        for group in self.param_groups:
            params = with_gradient(group) if group["lr"] else []
            for param in params:
                if param not in self.state:
                    self.state[param] = _started(param, group)
            parts = [_part(param, self.state[param]) for param in params]
            if parts:
                _solve(group, parts)
            for param, (weights, _, states) in zip(params, parts, strict=True):
                if weights is not param:
                    _write_back(param, weights, self.state[param], states)
        return loss

    @torch.no_grad()
    def shrink(self, params: list[Tensor], share: float) -> None:
        """Take a share off W, and move z to where it gives the smaller W."""
        for param in params:
            if param in self.state:
                state = self.state[param]
                state["linear"].addcmul_(state["quadratic"], widened(param), value=share)
            param.mul_(1 - share)


def _started(param: Tensor, group: dict[str, Any]) -> dict[str, Tensor]:
    n = max(group["initial_accumulator_value"], _TINY)
    wide = held(param)
    pull = (group["beta"] + n ** -group["lr_power"]) / group["lr"]
    return {
        "accumulator": torch.full_like(wide, n),
        "quadratic": torch.full_like(wide, pull + 2 * group["l2"]),
        "linear": wide.mul_(-pull) if group["start"] == "weights" else wide.zero_(),
    }


def _part(param: Tensor, state: dict[str, Tensor]) -> Part:
    """Give what the step works on: the parameter itself, a wider copy, or the rows that a sparse gradient names."""
    gradient = param.grad
    assert gradient is not None
    if not gradient.is_sparse:
        return widened(param), widened(gradient), state
    gradient = gradient.coalesce()
    rows = tuple(gradient.indices())
    return widened(param[rows]), widened(gradient.values()), {name: value[rows] for name, value in state.items()}


def _write_back(param: Tensor, weights: Tensor, state: dict[str, Tensor], states: dict[str, Tensor]) -> None:
    if states is state:
        param.copy_(weights)
        return
    assert param.grad is not None
    rows = tuple(param.grad.coalesce().indices())
    param[rows] = weights.to(param.dtype)
    for name, value in states.items():
        state[name][rows] = value


def _solve(group: dict[str, Any], parts: list[Part]) -> None:
    weights, gradients = [part[0] for part in parts], [part[1] for part in parts]
    accumulators = [part[2]["accumulator"] for part in parts]
    quadratics = [part[2]["quadratic"] for part in parts]
    linears = [part[2]["linear"] for part in parts]
    # z + g - s W in the order z + q(before) W + g - q W, so that q can be renewed in place.
    torch._foreach_addcmul_(linears, quadratics, weights)
    torch._foreach_add_(linears, gradients)
    torch._foreach_addcmul_(accumulators, gradients, gradients)
    _renew(group, quadratics, accumulators)
    torch._foreach_addcmul_(linears, quadratics, weights, value=-1.0)
    l1 = group["l1"]
    excess = [softshrink(linear, l1) for linear in linears] if l1 else linears
    torch._foreach_zero_(weights)
    torch._foreach_addcdiv_(weights, excess, quadratics, value=-1.0)


def _renew(group: dict[str, Any], quadratics: list[Tensor], accumulators: list[Tensor]) -> None:
    """Put ``(beta + n^-p) / a + 2 l2`` into the quadratics."""
    torch._foreach_copy_(quadratics, accumulators)
    if group["lr_power"] == -0.5:
        torch._foreach_sqrt_(quadratics)
    else:
        torch._foreach_pow_(quadratics, -group["lr_power"])
    added = group["beta"] + 2 * group["l2"] * group["lr"]
    if added:
        torch._foreach_add_(quadratics, added)
    torch._foreach_div_(quadratics, group["lr"])


ENTRY = OptimizerEntry(
    name="ftrl",
    summary="follow the regularized leader, proximal: exact zeros under l1",
    build=Ftrl,
    options=(
        Option(name="l1", default=0.0, low=0.0, search=(1e-4, 10.0), log=True, help="strength of the l1 penalty"),
        Option(name="l2", default=0.0, low=0.0, search=(1e-4, 10.0), log=True, help="strength of the l2 penalty"),
        Option(name="lr_power", default=-0.5, low=-1.0, high=0.0, help="power by which the rate falls with n"),
        Option(name="initial_accumulator_value", default=0.1, low=0.0, help="what n starts from"),
        Option(name="beta", default=0.0, low=0.0, help="added to the root of n"),
        Option(
            name="start",
            default="weights",
            kind="str",
            choices=("weights", "zeros"),
            help="the leader is pulled to the initial weights, or to the origin as in the paper and Keras",
        ),
    ),
    formula="n <- n + g^2; z <- z + g - (q(n) - q(n before)) W; W <- 0 if |z| <= l1 else (sign(z) l1 - z)/(q + 2 l2)",
    reference="McMahan et al. 2013, Ad click prediction: a view from the trenches",
    lr=0.05,
    lr_range=(1e-3, 0.5),
    sparse=True,
)
