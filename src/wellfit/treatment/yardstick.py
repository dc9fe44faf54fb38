"""One figure for every trial, whatever its loss: what the validation rows' decoded outputs are worth.

Accuracy (the mean of the classes' recalls where a rare class was ignored) or R^2, and beside it a softer figure
that moves where few rows decide: the Brier score relative to a constant guess.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from wellfit.data.batches import Batches
from wellfit.metrics import METRICS, best_threshold, decided
from wellfit.training.decoding import Decoder
from wellfit.training.evaluation import evaluating

__all__ = ["Figures", "Yardstick", "crossed_guess", "figures_of_classes", "figures_of_values"]

_ROWS_AT_ONCE = 4096
_WORST = -1.0
"""R^2 is cut here: how far below a constant guess a prediction lies means nothing."""
SOFT_SHARE = 0.2
"""Weight of the soft figure where candidates are ranked: it breaks ties, the metric decides."""

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Figures:
    """What one training is worth on the validation rows; greater is better, 1 is perfect."""

    metric: float
    soft: float
    skill: float
    """The metric between a constant guess, 0, and perfection, 1."""
    rows: Array = field(default_factory=lambda: np.zeros(0), compare=False, repr=False)
    """What each validation row adds to `value`: how sure a difference is depends on how many rows make it."""

    @property
    def value(self) -> float:
        """What candidates are ranked by."""
        return self.metric + SOFT_SHARE * self.soft


@dataclass(frozen=True)
class Yardstick:
    """Measures modules on the same validation rows."""

    rows: Batches
    classes: int
    """How many classes there are; 0 for values."""
    balanced: bool = False
    """Whether every class counts alike, however rare."""
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def metric(self) -> str:
        """The figure's name."""
        return "r2" if not self.classes else "balanced_accuracy" if self.balanced else "accuracy"

    def measure(self, module: nn.Module, outputs: str) -> Figures:
        """Give the figures of a module whose outputs are ``logits``, ``probabilities`` or ``values``."""
        decoder = Decoder(self.classes, outputs)
        found, truths = [], []
        with evaluating(module), torch.inference_mode():
            for batch in self.rows.walk(_ROWS_AT_ONCE):
                part = batch.to(self.device)
                output = module(*part.inputs)
                found.append(output.float().reshape(part.rows, -1).cpu())
                truths.append(decoder.truth(part.target))
        output, truth = torch.cat(found), np.concatenate(truths)
        if not self.classes:
            return figures_of_values(decoder.guess(output), truth)
        chances = _chances(output, outputs, self.classes)
        return figures_of_classes(chances, decoder.guess(output), truth, balanced=self.balanced)


def figures_of_classes(chances: Array, guess: Array, truth: Array, *, balanced: bool) -> Figures:
    """Give accuracy and Brier score, each row or each class counting alike.

    Args:
        chances: probabilities, float64 [row, class].
        guess: class ids, int64 [row]; -1 is no answer.
        truth: class ids, int64 [row].
        balanced: whether every class counts alike, however rare.

    >>> figures_of_classes(np.eye(2), np.array([0, 1]), np.array([0, 1]), balanced=False).metric
    1.0
    """
    classes = chances.shape[1]
    counts = np.bincount(truth, minlength=classes).astype(np.float64)
    present = counts > 0
    weight = np.where(balanced, 1.0 / (np.maximum(counts, 1)[truth] * present.sum()), 1.0 / len(truth))
    shares = present / present.sum() if balanced else counts / counts.sum()
    wanted = np.eye(classes)[truth]
    hits, floor = weight * (guess == truth), float(shares.max())
    constant = float((weight * ((shares - wanted) ** 2).sum(1)).sum())
    brier = weight * ((chances - wanted) ** 2).sum(1) / (constant or 1.0)
    metric, soft = float(hits.sum()), max(_WORST, 1.0 - float(brier.sum()))
    skill = (metric - floor) / (1.0 - floor) if floor < 1 else 0.0
    return Figures(metric, soft, skill, hits - SOFT_SHARE * brier)


def crossed_guess(chances: Array, truth: Array, *, threshold: float | str | None, metric: str) -> Array:
    """Give class ids as a run of these settings answers; where it finds its own threshold, one of other rows.

    A run finds the threshold that suits its metric on the validation rows, and here these rows judge: each half is
    decided by the threshold that is best on the other.

    Args:
        chances: probabilities, float64 [row, class]; a row that is not finite has no answer, -1.
        truth: class ids, int64 [row].
        threshold: ``train.threshold``.
        metric: ``train.metric``.

    >>> chances = np.array([[0.9, 0.1], [0.6, 0.4], [0.9, 0.1], [0.7, 0.3]])
    >>> crossed_guess(chances, np.array([0, 1, 0, 1]), threshold="auto", metric="f1").tolist()
    [0, 1, 0, 1]
    """
    finite = np.isfinite(chances).all(1)
    fixed = threshold if isinstance(threshold, float) else None
    guess = decided(chances, fixed)
    halves = np.arange(len(truth)) // 2 % 2
    if threshold == "auto" and metric == "f1" and chances.shape[1] == 2:
        for half in (0, 1):
            other = (halves != half) & finite
            if (truth[other] == 1).any():
                found = best_threshold(METRICS["f1"].make(), truth[other], chances[other])
                guess[halves == half] = decided(chances[halves == half], found)
    return np.where(finite, guess, -1)


def figures_of_values(guess: Array, truth: Array) -> Figures:
    """Give R^2 of values, float64 [row, column] or [row]; -1 where one is not finite.

    >>> figures_of_values(np.array([[1.0], [3.0]]), np.array([[1.0], [3.0]])).metric
    1.0
    """
    spread = float(((truth - truth.mean(0)) ** 2).sum())
    if guess.shape != truth.shape or not np.isfinite(guess).all() or not spread > 0:
        return Figures(_WORST, _WORST, _WORST, np.zeros(len(truth)))
    missed = ((guess - truth) ** 2).reshape(len(truth), -1).sum(1) / spread
    r2 = max(_WORST, 1.0 - float(missed.sum()))
    return Figures(r2, r2, r2, -(1.0 + SOFT_SHARE) * missed)


def _chances(output: Tensor, outputs: str, classes: int) -> Array:
    """Give the probability of each class, [row, class]; equal ones where an output is not finite."""
    rows = output.double()
    if rows.shape[1] == 1 and classes == 2:
        one = rows.sigmoid() if outputs == "logits" else rows.clamp(0, 1)
        chances = torch.cat([1 - one, one], 1)
    elif rows.shape[1] == 1:
        ids = rows.nan_to_num(0.0).round().clamp(0, classes - 1).long()
        chances = torch.nn.functional.one_hot(ids[:, 0], classes).double()
    elif outputs == "logits":
        chances = rows.softmax(1)
    else:
        positive = rows.clamp_min(0) + 1e-9
        chances = positive / positive.sum(1, keepdim=True)
    bad = ~torch.isfinite(rows).all(1, keepdim=True)
    chances = torch.where(bad, torch.full_like(chances, 1.0 / chances.shape[1]), chances)
    # A column without a class is never right, and a class without a column never guessed.
    narrow = torch.nn.functional.pad(chances, (0, max(0, classes - chances.shape[1])))
    return np.asarray(narrow[:, :classes].numpy())
