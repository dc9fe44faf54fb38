"""What a module says of sampled training and validation rows: all that has to be known of it to judge it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from wellfit.data.bags import Bagged
from wellfit.data.batches import Batch, Batches
from wellfit.runtime import threads
from wellfit.training.apart import apart
from wellfit.training.evaluation import prepared
from wellfit.training.kept_weights import Weights
from wellfit.training.recipe import Recipe
from wellfit.training.survey import sample_rows

__all__ = ["Glimpse", "glimpse"]

MOST_ROWS = 4096
"""Rows of each part that are looked at: the standard error of an accuracy is then below 0.8 %."""
FEWEST_ROWS = 1024
_AT_ONCE = 1024
_KEPT = 2**22
"""Numbers of a module that are kept for a later look at the most, 16 MB: a larger one is looked at while it is there,
and its training is so long that it does not matter."""


@dataclass
class Glimpse:
    """Sampled rows, and the outputs for them."""

    train: tuple[Batch, Any] | None = None
    valid: tuple[Batch, Any] | None = None
    """None without validation rows."""
    members: int = 1
    """Networks side by side, whose rows come in turn: what one learned, another may be judged on."""
    failed: Exception | None = None


def glimpse(module: nn.Module, rows: Batches, held: Batches | None, recipe: Recipe) -> Callable[[], Glimpse]:
    """Give what looks at sampled rows through a module as it is now, whenever it is called.

    A training whose findings nobody reads is spared the look. Rows and weights are copied, so that it does not matter
    what becomes of them. The module, its modes, its buffers and the random state are left as they were.

    >>> from wellfit.data.batches import as_batches
    >>> from wellfit.training.options import FitOptions, settle
    >>> module, rows = nn.Linear(1, 1), as_batches((torch.ones(4, 1), torch.ones(4)))
    >>> recipe = settle(module, rows, FitOptions(loss="mse"), has_valid=False).recipe
    >>> look = glimpse(module, rows, None, recipe)
    >>> look().train[1].shape
    torch.Size([4, 1])
    """
    most = _most_rows(rows, recipe)
    try:
        samples = [None if part is None else (part, sample_rows(part, most)) for part in (rows, held)]
    except Exception as error:
        failure = error
        return lambda: Glimpse(failed=failure)
    weights = Weights(module)
    if weights.size <= _KEPT:
        kept = weights.copy()
        return lambda: _look(module, samples, recipe, weights.put(kept))
    seen = _look(module, samples, recipe, weights.put(None))
    return lambda: seen


_Sampled = tuple[Batches, Batch] | None


def _look(module: nn.Module, samples: list[_Sampled], recipe: Recipe, numbers: AbstractContextManager[None]) -> Glimpse:
    try:
        with numbers, threads(recipe.threads), apart(module):
            train, valid = (None if found is None else _outputs(module, *found, recipe) for found in samples)
        return Glimpse(train, valid, members=_members(samples[0]))
    except Exception as error:
        return Glimpse(failed=error)


def _members(sampled: _Sampled) -> int:
    return len(sampled[0].members) if sampled is not None and isinstance(sampled[0], Bagged) else 1


def _most_rows(rows: Batches, recipe: Recipe) -> int:
    """Give as many rows as cost about a hundredth of the training: a forward pass is a third of an update's work."""
    seen = recipe.epochs * (rows.rows or 0)
    return min(MOST_ROWS, max(FEWEST_ROWS, seen // 50))


@torch.no_grad()
def _outputs(module: nn.Module, rows: Batches, sample: Batch, recipe: Recipe) -> tuple[Batch, Any]:
    batch = prepared(_shuffled(sample).to(recipe.device), recipe.loss, rows, recipe.outputs)
    parts = [
        module(*(part[first : first + _AT_ONCE] for part in batch.inputs)) for first in range(0, batch.rows, _AT_ONCE)
    ]
    if isinstance(rows, Bagged):
        return _one_by_one(batch), _joined(parts).flatten(0, 1)
    return batch, _joined(parts)


def _one_by_one(batch: Batch) -> Batch:
    """Put the rows of all members, each of which is judged by its own, one after the other."""
    weight = None if batch.weight is None else batch.weight.flatten(0, 1)
    return Batch(tuple(part.flatten(0, 1) for part in batch.inputs), batch.target.flatten(0, 1), weight)


def _shuffled(batch: Batch) -> Batch:
    """Shuffle rows, always alike: halves and blocks of rows in some order would not be alike."""
    order = torch.from_numpy(np.random.default_rng(0).permutation(batch.rows)).to(batch.target.device)
    weight = None if batch.weight is None else batch.weight[order]
    return Batch(tuple(part[order] for part in batch.inputs), batch.target[order], weight)


def _joined(parts: list[Any]) -> Any:
    if isinstance(parts[0], Tensor):
        return torch.cat(parts)
    if isinstance(parts[0], Mapping):
        return {name: _joined([part[name] for part in parts]) for name in parts[0]}
    return tuple(_joined(list(group)) for group in zip(*parts, strict=True))
