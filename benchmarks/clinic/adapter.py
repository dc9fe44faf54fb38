"""A clinic's problem as `wellfit.fit` takes it.

Of a problem only module, rows, task and how to fit it are used; what the case says of its truth is never handed on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

import torch
from torch import nn

import wellfit

KINDS = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
    "nadam": torch.optim.NAdam,
}


def optimizer_of(fit: dict[str, Any]) -> Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]:
    """Give ``params -> optimizer``: the torch class with its own options, weight decay as the class has it."""
    options = {name: tuple(v) if isinstance(v, list) else v for name, v in fit["optimizer_options"].items()}

    def make(params: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        return KINDS[fit["optimizer"]](params, lr=fit["lr"], weight_decay=fit["weight_decay"], **options)

    return make


def schedule_of(problem: Any, clinic: ModuleType) -> Callable[[int], float] | None:
    """Give ``step -> factor`` over all steps of the training, or None where the rate stays."""
    fit = problem.fit
    if fit["schedule"] is None:
        return None
    steps = math.ceil(len(problem.train[0]) / fit["batch_size"]) * fit["epochs"]
    return lambda step: float(clinic.schedule_factor(fit["schedule"], step / steps))


def fit_options(problem: Any, clinic: ModuleType) -> dict[str, Any]:
    """Give the keywords of `wellfit.fit`; the class weights are within the loss."""
    fit = problem.fit
    return {
        "valid": problem.valid,
        "loss": fit["loss"],
        "optimizer": optimizer_of(fit),
        "schedule": schedule_of(problem, clinic),
        "batch_size": fit["batch_size"],
        "epochs": fit["epochs"],
        "clip_norm": fit["clip_norm"],
        "seed": problem.seed,
        "threads": 1,
    }


def fit(problem: Any, clinic: ModuleType, **changed: Any) -> wellfit.FitResult:
    """Train the problem's module in place with `wellfit.fit`."""
    return wellfit.fit(problem.module, problem.train, **{**fit_options(problem, clinic), **changed})
