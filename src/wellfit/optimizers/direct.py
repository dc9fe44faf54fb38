"""Adam's fused kernel called with lists that are made once, where torch makes them anew at every step.

On a small network half of the time of `torch.optim.Adam.step` goes into finding each parameter's state and into
counting the steps of each apart. The kernel is torch's own, so that the numbers are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Adam, AdamW, Optimizer
from torch.optim import optimizer as torch_optimizer

from wellfit.optimizers import gradients

__all__ = ["stepper"]


def stepper(optimizer: Optimizer) -> Callable[[], Any]:
    """Give what makes a step: the kernel itself where it is known to do the same, else the optimizer's ``step``.

    >>> weight = torch.nn.Parameter(torch.ones(2))
    >>> weight.grad = torch.ones(2)
    >>> step = stepper(Adam([weight], lr=0.1, fused=True))
    >>> step() is None and [round(value, 4) for value in weight.tolist()]
    [0.9, 0.9]
    """
    return _Direct(optimizer) if _is_plain(optimizer) else optimizer.step


class _Direct:
    """Steps of a plain fused Adam or AdamW on a CPU."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.hooks = len(_hooks(optimizer))
        self.groups: list[_Group] = []
        optimizer.register_state_dict_pre_hook(lambda saving: self._write_counts())
        optimizer.register_load_state_dict_pre_hook(lambda loading, state: self.groups.clear())

    @torch.no_grad()
    def __call__(self) -> None:
        found = self._gradients()
        if not found or len(_hooks(self.optimizer)) != self.hooks:
            # The first step, or one without some gradient: torch makes the states and counts them apart.
            self._write_counts()
            self.optimizer.step()
            self.groups = _groups(self.optimizer)
            return
        for group, ready in zip(self.groups, found, strict=True):
            settings = group.settings
            group.count.add_(1)
            group.kernel(
                group.params,
                ready,
                group.means,
                group.squares,
                [],
                [group.count] * len(group.params),
                lr=settings["lr"],
                beta1=settings["betas"][0],
                beta2=settings["betas"][1],
                weight_decay=settings["weight_decay"],
                eps=settings["eps"],
                amsgrad=False,
                maximize=False,
                grad_scale=None,
                found_inf=None,
            )

    def _gradients(self) -> list[list[Tensor]]:
        """Give the gradients by group; nothing where one is missing or sparse."""
        found = []
        for group in self.groups:
            ready = [param.grad for param in group.params if param.grad is not None and not param.grad.is_sparse]
            if len(ready) != len(group.params):
                return []
            found.append(ready)
        return found

    def _write_counts(self) -> None:
        for group in self.groups:
            for count in group.counts:
                count.copy_(group.count)


class _Group:
    """The lists of one parameter group; ``count`` stands for the steps of all of its parameters."""

    def __init__(self, settings: dict[str, Any], states: list[dict[str, Tensor]]) -> None:
        self.settings = settings
        self.kernel = torch._fused_adamw_ if settings["decoupled_weight_decay"] else torch._fused_adam_
        self.params: list[Tensor] = settings["params"]
        self.means = [state["exp_avg"] for state in states]
        self.squares = [state["exp_avg_sq"] for state in states]
        self.counts = [state["step"] for state in states]
        self.count = self.counts[0].clone()


def _groups(optimizer: Optimizer) -> list[_Group]:
    """Give the groups, or none where a parameter has made fewer steps than the others of its group, or none."""
    made = []
    for settings in optimizer.param_groups:
        states = [optimizer.state.get(param, {}) for param in settings["params"]]
        kinds = {param.dtype for param in settings["params"]}
        if not all("step" in state for state in states) or len(kinds) != 1 or not settings["fused"]:
            return []
        if len({float(state["step"]) for state in states}) != 1:
            return []
        made.append(_Group(settings, states))
    return made


def _is_plain(optimizer: Optimizer) -> bool:
    """Whether ``step`` does nothing but call the kernel: no hook of another's, no scheduler around it."""
    if type(optimizer) not in (Adam, AdamW) or "step" in vars(optimizer):
        return False
    ours = all(hook.__module__ == gradients.__name__ for hook in _hooks(optimizer))
    return ours and all(map(_is_plain_group, optimizer.param_groups))


def _hooks(optimizer: Optimizer) -> list[Any]:
    everyones = (torch_optimizer._global_optimizer_pre_hooks, torch_optimizer._global_optimizer_post_hooks)
    own = (optimizer._optimizer_step_pre_hooks, optimizer._optimizer_step_post_hooks)
    return [hook for hooks in (*everyones, *own) for hook in hooks.values()]


def _is_plain_group(group: dict[str, Any]) -> bool:
    on_cpu = all(param.device.type == "cpu" for param in group["params"])
    return bool(
        group["fused"]
        and on_cpu
        and isinstance(group["lr"], float)
        and not any(group[key] for key in ("amsgrad", "maximize", "differentiable", "capturable"))
    )
