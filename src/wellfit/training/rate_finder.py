"""The learning-rate finder: a short sweep over rates, on a copy of the weights that is thrown away.

Smith 2017, Cyclical Learning Rates for Training Neural Networks, section 3.3: the rate grows exponentially, a step at
a time, while the loss is watched. Here the sweep is repeated over several orders of the rows and the losses are
compared by their medians, so that one odd batch decides nothing; a loss that is not finite ends a sweep and is
evidence against all higher rates.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import nn

from wellfit.data.batches import Batches
from wellfit.errors import RunFailed
from wellfit.runtime import keyed_seed, restored_random_state, threads
from wellfit.training.evaluation import prepared
from wellfit.training.recipe import Recipe
from wellfit.training.step import Updater

__all__ = ["RateCurve", "sweep"]

LOWEST, HIGHEST = 1e-6, 10.0
STEPS = 90
SWEEPS = 3
SMOOTHING = 0.8
"""Decay of the average over steps: about five steps count, less than a tenth of a sweep."""
DIVERGED = 3.0
"""A loss that so much exceeds the least one is on its way up for good; fastai stops at four."""

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class RateCurve:
    """The losses of a sweep, and the rate they suggest."""

    rates: Floats
    losses: Floats
    """The median over the sweeps of the smoothed loss at each rate; infinite where it diverged."""
    suggestion: float | None
    """The rate to train with; None where no rate made the loss fall."""


def sweep(module: nn.Module, train: Batches, recipe: Recipe) -> RateCurve:
    """Try rates from 1e-6 to 10 on copies of the module; the module and the random state are left as they are.

    >>> import torch
    >>> from wellfit.training.fit import find_rate
    >>> X = torch.randn(256, 4, generator=torch.Generator().manual_seed(0))
    >>> curve = find_rate(torch.nn.Linear(4, 1), (X, X.sum(1)), loss="mse", optimizer="adam")
    >>> 0.001 < curve.suggestion < 1.0
    True
    """
    rates = np.geomspace(LOWEST, HIGHEST, STEPS)
    with restored_random_state(), threads(recipe.threads):
        losses = np.array([_one_sweep(module, train, recipe, rates, number) for number in range(SWEEPS)])
    typical = np.median(losses, axis=0)
    return RateCurve(rates, typical, suggested(rates, typical))


def _one_sweep(module: nn.Module, train: Batches, recipe: Recipe, rates: Floats, number: int) -> Floats:
    trial = copy.deepcopy(module)
    trial.train()
    bare = replace(
        recipe, factor=lambda step, losses: rates[step] / rates[0], seed=keyed_seed(recipe.seed, "find", number)
    )
    named = [(name, weight) for name, weight in trial.named_parameters() if weight.requires_grad]
    optimizer = bare.optimizer(named)
    for group in optimizer.param_groups:
        group["lr"] = float(rates[0])
    updater = Updater(trial, trial, optimizer, bare, None)
    losses = np.full(len(rates), math.inf)
    average = 0.0
    for step, batch in enumerate(_endless(train, bare, len(rates))):
        try:
            total, weight = updater([batch], step, [])
        except RunFailed:
            break
        average = SMOOTHING * average + (1 - SMOOTHING) * float(total) / float(weight)
        losses[step] = average / (1 - SMOOTHING ** (step + 1))
        if not math.isfinite(losses[step]) or losses[step] > DIVERGED * losses[: step + 1].min() + 1e-8:
            losses[step] = math.inf
            break
    return losses


def _endless(train: Batches, recipe: Recipe, count: int) -> Any:
    done = 0
    for epoch in range(count):
        for batch in train.epoch(batch_rows=recipe.batch_rows, seed=recipe.seed, epoch=epoch):
            yield prepared(batch.to(recipe.device), recipe.loss, train, recipe.outputs)
            done += 1
            if done == count:
                return


def suggested(rates: Floats, losses: Floats) -> float | None:
    """Give the rate at which the loss is half-way from plateau to least, and no more than a third of the least's.

    Half-way down is where it falls fastest on the way from plateau to least, and, unlike the steepest pair of
    neighbours, no one batch decides it. None where the loss never fell clearly below the plateau's own scatter.

    >>> rates = np.geomspace(1e-4, 1.0, 9)
    >>> bool(suggested(rates, np.array([1.0, 1.0, 1.0, 0.9, 0.4, 0.3, 0.2, 0.9, np.inf])) == rates[4])
    True
    """
    finite = int(np.argmin(np.isfinite(losses))) if not np.isfinite(losses).all() else len(losses)
    if finite < 3:
        return None
    lowest = int(np.argmin(losses[:finite]))
    plateau = losses[: max(2, min(len(rates) // 3, lowest))]
    start, scatter = float(np.median(plateau)), float(np.std(plateau))
    fall = start - float(losses[lowest])
    if fall <= max(3 * scatter, 0.01 * abs(start)):
        return None
    below = losses[: lowest + 1] <= start - fall / 2
    # The first rate from which on the loss stays below the half-way mark.
    crossing = lowest - int(np.argmin(below[::-1])) + 1 if not below.all() else 0
    return float(min(rates[crossing], rates[lowest] / 3))
