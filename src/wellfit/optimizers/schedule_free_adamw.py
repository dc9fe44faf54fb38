"""Schedule-free AdamW: averaging in the place of a falling rate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from wellfit.errors import ConfigError
from wellfit.optimizers.entry import OptimizerEntry
from wellfit.optimizers.gradients import evaluated, gradients_of, held, widened, with_gradient
from wellfit.optimizers.settings import BETA1, BETA2, EPS, weight_decay
from wellfit.registry import Option

__all__ = ["ENTRY", "ScheduleFreeAdamW"]


class ScheduleFreeAdamW(Optimizer):
    """Takes gradients between a fast point z and its average x; x is the result.

    ``y = (1-b1) z + b1 x``; ``v <- b2 v + (1-b2) g(y)^2``; ``z <- z - a_t (g / (sqrt(v/(1-b2^t)) + e) + l y)``;
    ``x <- (1-c) x + c z``, where ``a_t = a min(1, t/warmup_steps)`` and c is the largest a so far, squared, over the
    sum of such squares.

    While training, the parameters are at y; `eval` puts x into them and `train` puts y back. y is always computed
    from the z and x that are kept, so that going to and fro changes no bit.

    Args:
        params: tensors, named tensors or groups.
        lr: rate a, above 0; a constant one is meant, and warm-up is its own.
        beta1: share b1 of the average in y, in [0, 1).
        beta2: decay b2 of the mean of squares, in [0, 1).
        eps: e, added to the root, above 0.
        weight_decay: decoupled decay l, at y, from 0 on.
        warmup_steps: steps over which the rate rises from 0.

    Source: Defazio et al. 2024, The road less scheduled, algorithm 1.

    >>> weight = torch.nn.Parameter(torch.tensor([1.0]))
    >>> optimizer = ENTRY.make([weight], lr=0.5)
    >>> weight.grad = torch.tensor([2.0])
    >>> optimizer.step()
    >>> optimizer.eval()
    >>> round(weight.item(), 4)
    0.5
    """

    def __init__(
        self,
        params: Any,
        *,
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
        weight_decay: float,
        warmup_steps: int,
    ) -> None:
        settings = {"lr": lr, "beta1": beta1, "beta2": beta2, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, {**settings, "warmup_steps": warmup_steps, "training": True})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step and leave the parameters at y."""
        if not all(group["training"] for group in self.param_groups):
            raise ConfigError("schedule_free_adamw steps while training only.", do="Call optimizer.train() first.")
        loss = evaluated(closure)
        for group in self.param_groups:
            # Parameters that missed a gradient are at another step and have other weights in the mean.
            alike: dict[tuple[float, ...], list[Tensor]] = defaultdict(list)
            for param in with_gradient(group):
                if param not in self.state:
                    self.state[param] = _started(param)
                alike[self._advance(self.state[param], group)].append(param)
            for (step, rate, share), params in alike.items():
                self._move(group, params, int(step), rate, share)
        return loss

    @torch.no_grad()
    def train(self) -> None:
        """Put y into the parameters; where it is there already, do nothing."""
        for group in self.param_groups:
            if not group["training"]:
                self._between(group, [param for param in group["params"] if param in self.state])
            group["training"] = True

    @torch.no_grad()
    def eval(self) -> None:
        """Put the average x into the parameters; where it is there already, do nothing."""
        for group in self.param_groups:
            params = [param for param in group["params"] if param in self.state]
            if group["training"] and params:
                torch._foreach_copy_(params, [self.state[param]["average"] for param in params])
            group["training"] = False

    @torch.no_grad()
    def shrink(self, params: list[Tensor], share: float) -> None:
        """Take a share of y off z, as its own weight decay does; the parameters follow with the next step."""
        for param in params:
            if param in self.state:
                self.state[param]["fast"].sub_(widened(param), alpha=share)
            else:
                param.mul_(1 - share)

    @staticmethod
    def _advance(state: dict[str, Any], group: dict[str, Any]) -> tuple[float, ...]:
        """Count the step; give it, its rate, and the share of the new z in the average."""
        state["step"] += 1
        rate = group["lr"] * min(1.0, state["step"] / max(1, group["warmup_steps"]))
        state["largest_rate"] = max(state["largest_rate"], rate)
        weight = state["largest_rate"] ** 2
        state["weight_sum"] += weight
        return state["step"], rate, weight / state["weight_sum"] if weight else 0.0

    def _move(self, group: dict[str, Any], params: list[Tensor], step: int, rate: float, share: float) -> None:
        gradients = gradients_of(params)
        fast = [self.state[param]["fast"] for param in params]
        squares = [self.state[param]["square"] for param in params]
        torch._foreach_mul_(squares, group["beta2"])
        torch._foreach_addcmul_(squares, gradients, gradients, value=1 - group["beta2"])
        roots = torch._foreach_div(squares, 1 - group["beta2"] ** step)
        torch._foreach_sqrt_(roots)
        torch._foreach_add_(roots, group["eps"])
        if group["weight_decay"]:
            torch._foreach_add_(fast, [widened(param) for param in params], alpha=-rate * group["weight_decay"])
        torch._foreach_addcdiv_(fast, gradients, roots, value=-rate)
        torch._foreach_lerp_([self.state[param]["average"] for param in params], fast, share)
        self._between(group, params)

    def _between(self, group: dict[str, Any], params: list[Tensor]) -> None:
        if params:
            fast = [self.state[param]["fast"] for param in params]
            averages = [self.state[param]["average"] for param in params]
            torch._foreach_copy_(params, torch._foreach_lerp(fast, averages, group["beta1"]))


def _started(param: Tensor) -> dict[str, Any]:
    wide = held(param)
    return {
        "fast": wide,
        "average": wide.clone(),
        "square": torch.zeros_like(wide),
        "step": 0,
        "largest_rate": 0.0,
        "weight_sum": 0.0,
    }


ENTRY = OptimizerEntry(
    name="schedule_free_adamw",
    summary="AdamW that averages its weights in the place of a falling rate",
    build=ScheduleFreeAdamW,
    options=(
        BETA1,
        BETA2,
        EPS,
        weight_decay(0.0),
        Option(name="warmup_steps", default=0, kind="int", low=0, help="steps over which the rate rises"),
    ),
    formula=(
        "y = (1-b1) z + b1 x; z <- z - a (g(y)/(sqrt(v/(1-b2^t)) + e) + l y); x <- (1-c) x + c z, c = a^2/sum a^2"
    ),
    reference="Defazio et al. 2024, The road less scheduled",
    lr=2.5e-3,
    lr_range=(3e-4, 3e-2),
)
