"""A plain loop, the clinic's own written out, and what may watch it: `wellfit.Monitor` and others."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import torch
from adapter import optimizer_of, schedule_of
from torch import Tensor, nn

import wellfit

Findings = list[dict[str, Any]]


class Watcher:
    """Stands beside a loop; this one does what a loop does and watches nothing."""

    def __init__(self, module: nn.Module, optimizer: torch.optim.Optimizer, problem: Any) -> None:
        self.module, self.optimizer = module, optimizer

    def forward(self, inputs: Tensor) -> Tensor:
        output: Tensor = self.module(inputs)
        return output

    def backward(self, loss: Tensor) -> None:
        loss.backward()

    def step(self, loss: Tensor) -> None:
        """Make the update."""
        self.optimizer.step()

    def epoch_ended(self, step: int, valid_loss: float) -> None:
        """Hear the validation loss of an epoch."""

    def findings(self) -> Findings:
        """Give what was found, each with ``code`` and ``severity``."""
        return []


class WellfitMonitor(Watcher):
    """The three lines of wellfit in a loop of one's own."""

    def __init__(self, module: nn.Module, optimizer: torch.optim.Optimizer, problem: Any) -> None:
        super().__init__(module, optimizer, problem)
        self.monitor = wellfit.Monitor(module, optimizer)  # 1

    def step(self, loss: Tensor) -> None:
        self.monitor.observe(loss)  # 2
        self.optimizer.step()

    def findings(self) -> Findings:
        return [finding.as_dict() for finding in wellfit.diagnose(self.monitor.history)]  # 3


class WellfitMonitorWithRows(WellfitMonitor):
    """The same, told the loss and the rows: then the fit can be judged too."""

    def __init__(self, module: nn.Module, optimizer: torch.optim.Optimizer, problem: Any) -> None:
        Watcher.__init__(self, module, optimizer, problem)
        self.monitor = wellfit.Monitor(
            module, optimizer, loss=problem.fit["loss"], train=problem.train, valid=problem.valid
        )


def train(problem: Any, clinic: ModuleType, kind: type[Watcher] = Watcher) -> Watcher:
    """Train the problem's module in place, step for step as the clinic's own loop does, watched."""
    settings, module, (x, y) = problem.fit, problem.module, problem.train
    torch.manual_seed(problem.seed + 77)
    order = torch.Generator().manual_seed(problem.seed + 99)
    optimizer = optimizer_of(settings)([weight for weight in module.parameters() if weight.requires_grad])
    factor = schedule_of(problem, clinic) or (lambda step: 1.0)
    step = 0
    watcher = kind(module, optimizer, problem)
    for _ in range(settings["epochs"]):
        module.train()
        for batch in torch.randperm(len(x), generator=order).split(settings["batch_size"]):
            for group in optimizer.param_groups:
                group["lr"] = settings["lr"] * factor(step)
            optimizer.zero_grad()
            loss = settings["loss"](watcher.forward(x[batch]), y[batch])
            watcher.backward(loss)
            if settings["clip_norm"]:
                nn.utils.clip_grad_norm_(module.parameters(), settings["clip_norm"])
            watcher.step(loss)
            step += 1
        # The clinic's loop ends where the loss over the training rows is no longer finite.
        train_loss, _ = clinic.assess(problem, problem.train)
        valid_loss, _ = clinic.assess(problem, problem.valid)
        watcher.epoch_ended(step, valid_loss)
        if not math.isfinite(train_loss):
            break
    return watcher
