"""A clinic's module made anew at each call, and what a trained one is worth on the test rows."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn


def maker_of(problem: Any, clinic: ModuleType) -> Callable[[], nn.Module]:
    """Give a maker of the problem's module; weights are drawn from torch's random state, as a person's own would be."""
    case, sample = problem.case, problem.train[0][:2].nan_to_num(0, 0, 0)

    def make() -> nn.Module:
        module: nn.Module = clinic.make_stack(case["arch"], sample)
        clinic.initialise(module, case.get("init", "torch"))
        if case.get("extras", {}).get("freeze") == "weights":
            for weight in module.parameters():
                weight.requires_grad_(weight.dim() == 1)
        return module

    return make


@torch.no_grad()
def worth(problem: Any, clinic: ModuleType, module: nn.Module, outputs: str) -> float:
    """Give the clinic's metric of a module on the test rows; ``outputs`` is the space of what the module gives."""
    module.eval()
    output = torch.cat([module(chunk) for chunk in problem.test[0].split(1024)])
    output = output.reshape(len(output), -1)
    value: float = clinic.evaluate(_reader(problem), _logits(output, outputs, problem.task), problem.test[1])
    return value


def _logits(output: Tensor, outputs: str, task: str) -> Tensor:
    """Give one column of a binary task as logits, whose border is 0; others as they are."""
    if task != "binary" or output.shape[1] > 1:
        return output
    return output if outputs == "logits" else output - 0.5


def _reader(problem: Any) -> SimpleNamespace:
    """Give what `clinic.evaluate` looks at, for one column of logits."""
    fit = {**problem.fit, "loss_space": "logits"}
    return SimpleNamespace(task=problem.task, fit=fit, case={"arch": ["logits"]})
