"""The best that one and the same output for every row can do, under the very loss of a training."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from wellfit.training.decoding import Decoder
from wellfit.training.recipe import LossLike

__all__ = ["constant_output"]

_ROWS = 1024
"""Rows of the target that the constant is fitted to: its loss is then within a thousandth of the best."""
_ITERATIONS = 12
_FIRST_STEP = 0.1
"""Within the range of any loss of unit scale; the next steps follow the curvature met."""


def constant_output(loss: LossLike, decoder: Decoder, target: Tensor, shape: Sequence[int]) -> Tensor | None:
    """Give the constant output of least mean loss, of the shape that a row has; None where the loss has no bound.

    Candidates are the classes' shares, their logits, the mean and the median; the best of them is improved by a few
    steps down the gradient where the loss takes any number.

    >>> from wellfit.losses import LOSSES
    >>> target = torch.tensor([0.0, 0.0, 3.0])
    >>> constant_output(LOSSES["mse"].make(), Decoder(0, "values"), target, [1]).item()
    1.0
    """
    if decoder.upside_down:
        return None
    chosen = target[torch.linspace(0, len(target) - 1, min(_ROWS, len(target))).long()]
    columns = math.prod(shape)
    made = [guess.reshape(shape).to(target.device) for guess in _candidates(decoder, chosen.cpu(), columns)]
    with torch.no_grad():
        losses = [_mean(loss, guess, chosen) for guess in made]
    value, best = min(
        ((float(value), number) for number, value in enumerate(losses) if math.isfinite(float(value))),
        default=(math.inf, -1),
    )
    if best < 0:
        return None
    # Beyond [0, 1] a loss of probabilities has no meaning, and no bound.
    if decoder.expects == "probabilities":
        return made[best]
    return _improved(loss, made[best], value, chosen)


def _mean(loss: LossLike, guess: Tensor, target: Tensor) -> Tensor:
    total, weight = loss.total(guess.expand(len(target), *guess.shape), target)
    return total / weight


def _candidates(decoder: Decoder, target: Tensor, columns: int) -> list[Tensor]:
    rows = torch.from_numpy(decoder.truth(target))
    if not decoder.classes:
        values = rows.float()
        if values.shape[1] != columns:
            values = values[:, :1].expand(-1, columns)
        return [values.mean(0), values.median(0).values]
    # Half a row is added to each class, so that none has the logarithm of 0.
    counts = torch.bincount(rows, minlength=decoder.classes).float() + 0.5
    shares = counts / counts.sum()
    if columns == 1:
        return [guess.reshape(1) for guess in (rows.float().mean(), torch.logit(shares[1]), rows.float().median())]
    if columns != decoder.classes:
        return [torch.zeros(columns)]
    return [shares, shares.log()]


def _improved(loss: LossLike, guess: Tensor, value: float, target: Tensor) -> Tensor:
    """Go down the gradient with steps of Barzilai and Borwein (1988), and give the best point passed."""
    best, point = guess, guess
    gradient, step = _gradient(loss, point, target), _FIRST_STEP
    for _ in range(_ITERATIONS):
        following = point - step * gradient
        slope = _gradient(loss, following, target)
        with torch.no_grad():
            reached = float(_mean(loss, following, target))
        if reached < value:
            best, value = following, reached
        moved, bent = following - point, slope - gradient
        curvature = float((moved * bent).sum())
        if not math.isfinite(reached) or curvature <= 0:
            break
        step = float((moved * moved).sum()) / curvature
        point, gradient = following, slope
    return best


def _gradient(loss: LossLike, guess: Tensor, target: Tensor) -> Tensor:
    free = guess.detach().clone().requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(_mean(loss, free, target), free)
    return gradient
