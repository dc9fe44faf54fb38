"""Everything that decides a training, settled before its first step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from wellfit.data.batches import Batches

__all__ = ["LossLike", "Recipe", "Score", "updates_of"]


class LossLike(Protocol):
    """A loss as the loop uses it; see `wellfit.losses`."""

    def total(self, output: Any, target: Tensor, weight: Tensor | None = None) -> tuple[Tensor, Tensor | float]:
        """Give the weighted sum of the rows' losses, and the sum of their weights."""

    def prepare(self, target: Tensor, n_outputs: int) -> Tensor:
        """Check all targets once, and put them into the type and shape that the loss wants."""

    def activate(self, output: Tensor) -> Tensor:
        """Turn outputs into probabilities or values."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """A metric as the loop uses it: ``function(target, prediction)`` on NumPy arrays."""

    name: str
    greater_is_better: bool
    function: Callable[[np.ndarray[Any, Any], np.ndarray[Any, Any]], float]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The settings of one training. No clock and no machine decides anything once this is made."""

    loss: LossLike
    optimizer: Callable[[Any], torch.optim.Optimizer]
    """Makes the optimizer from named parameters; its groups' rates are the base rates."""
    batch_rows: int
    epochs: int
    outputs: int = 1
    """Columns of the module's output."""
    steps: int | None = None
    """Stop after so many updates; the schedule still spans all epochs."""
    epoch_steps: int | None = None
    """Updates that an epoch makes at the most, of rows shuffled anew; None: as many as all rows take."""
    factor: Callable[[int, Sequence[float]], float] | None = None
    """The schedule: what multiplies the base rate at a step, given the validation losses so far."""
    needs_closure: bool = False
    l1: float = 0.0
    l2: float = 0.0
    weight_decay: float = 0.0
    clip_norm: float | None = None
    clip_value: float | None = None
    noise: float = 0.0
    """Standard deviation of the Gaussian noise on the first input."""
    accumulate: int = 1
    """Batches whose gradients make one update."""
    ema: float | None = None
    """Decay of the exponential moving average of the weights that is evaluated and kept."""
    bfloat16: bool = False
    compile: bool = False
    seed: int = 0
    threads: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    watch: bool = True
    """Whether statistics of every layer are recorded."""
    score: Score | None = None
    monitored: str = "loss"
    """The figure of the validation rows that early stopping watches: ``loss`` or the metric's name."""
    greater_is_better: bool = False
    patience: int | None = None
    """Epochs without improvement after which training stops; None trains all epochs."""
    min_delta: float = 0.0
    restore_best: bool = False
    """Whether the best epoch's weights are kept, not the last."""


def updates_of(rows: Batches, batch_rows: int, accumulate: int = 1, most: int | None = None) -> int | None:
    """Give the updates that an epoch of rows makes, ``most`` at the most; None where only walking through them tells.

    >>> from wellfit.data.batches import Resident
    >>> rows = Resident((torch.zeros(10, 1),), torch.zeros(10))
    >>> updates_of(rows, batch_rows=2), updates_of(rows, batch_rows=2, most=3)
    (5, 3)
    """
    batches = rows.steps(batch_rows)
    whole = None if batches is None else -(-batches // accumulate)
    return whole if most is None or whole is None else min(whole, most)
