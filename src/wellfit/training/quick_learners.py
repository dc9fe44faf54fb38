"""Two learners that need no tuning and next to no time: what they reach on the same rows, a network should too.

Legend: ``x`` is float32 [row, feature], standardised; ``y`` is float32 [row, column], class indicators or values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
from torch import Tensor

__all__ = ["Design", "Guesses", "kernel_guesses", "linear_guesses"]

_MOST_FEATURES = 800
"""Of more features as many are taken, evenly spaced: neighbouring pixels tell much the same."""
_MOST_IDS = 20
"""Whole numbers of so many values or fewer are categories, and get a column each."""
_FARTHEST = 6.0
"""Standard deviations that a value is held to: one stray value must not bend a linear model."""


@dataclass(frozen=True)
class Design:
    """How inputs become standardised features, learned on the rows that the learners are fitted to."""

    chosen: Tensor
    fill: Tensor
    mean: Tensor
    scale: Tensor
    ids: tuple[tuple[Tensor, ...], ...]

    @classmethod
    def fit(cls, inputs: Sequence[Tensor]) -> Design:
        """Learn which features are taken, what fills them, and their scales."""
        ids = tuple(_ids(part) for part in inputs)
        flat = _flat(inputs, ids)
        count = min(_MOST_FEATURES, flat.shape[1])
        chosen = torch.linspace(0, flat.shape[1] - 1, count).round().long()
        flat = flat[:, chosen]
        finite = torch.isfinite(flat)
        fill = torch.zeros(count)
        if not bool(finite.all()):
            fill = torch.where(finite, flat, torch.nan).nanmedian(0).values.nan_to_num(0.0)
            flat = torch.where(finite, flat, fill)
        mean, scale = flat.mean(0), flat.std(0, correction=0)
        varying = scale > 10 * torch.finfo(torch.float32).eps * flat.abs().amax(0)
        kept = varying.nonzero().flatten()
        return cls(chosen[kept], fill[kept], mean[kept], scale[kept], ids)

    def features(self, inputs: Sequence[Tensor]) -> Tensor:
        """Give the features of rows."""
        flat = _flat(inputs, self.ids)[:, self.chosen]
        flat = torch.where(torch.isfinite(flat), flat, self.fill)
        return ((flat - self.mean) / self.scale).clamp_(-_FARTHEST, _FARTHEST)


def _ids(part: Tensor) -> tuple[Tensor, ...]:
    """Give the ids of every column of categories; none for numbers, and for columns of many ids."""
    if part.is_floating_point() or part.ndim != 2:
        return ()
    found = (torch.unique(column) for column in part.T)
    return tuple(ids if len(ids) <= _MOST_IDS else ids[:0] for ids in found)


def _flat(inputs: Sequence[Tensor], ids: Sequence[tuple[Tensor, ...]]) -> Tensor:
    parts: list[Tensor] = []
    for part, known in zip(inputs, ids, strict=True):
        parts.append(part.reshape(len(part), -1).float())
        parts += [(part[:, [i]] == values).float() for i, values in enumerate(known) if len(values)]
    return torch.cat(parts, 1)


class Guesses(NamedTuple):
    """What a learner says, [row, column] both."""

    own: Tensor
    """Of the rows it was fitted to: each half is guessed from the other."""
    others: Tensor
    """Of other rows: the mean of what both halves say."""


def linear_guesses(x: Tensor, y: Tensor, others: Tensor) -> Guesses:
    """Fit ridge regression; of class indicators it is a linear classifier.

    The penalty is 3 % of a feature's own sum of squares, which costs a full signal a thousandth of its R2 and keeps
    more features than rows from being learnt by heart.

    >>> x = torch.linspace(-1, 1, 50)[:, None]
    >>> bool((linear_guesses(x, 2 * x + 1, x).others - (2 * x + 1)).abs().max() < 0.2)
    True
    """
    return _from_halves(x, y, others, _ridge)


def kernel_guesses(x: Tensor, y: Tensor, others: Tensor) -> Guesses:
    """Fit kernel ridge regression.

    The kernel is a Gaussian and a linear one together, of one of some widths, or the quadratic one, which has every
    product of two features. It, the penalty, and whether features count alike or by what each alone tells of ``y``,
    are those that guess some rows best from as many others.
    """
    few = torch.linspace(0, len(x) - 1, min(_TRIED, len(x))).round().long()
    tried: list[tuple[float, Tensor, float, float]] = []
    for scaling in (torch.ones(x.shape[1]), _relevance(x, y)):
        found = _errors(x[few] * scaling, y[few])
        tried += [(error, scaling, width, penalty) for error, width, penalty in found]
    _, scaling, width, penalty = min(tried, key=lambda choice: choice[0])

    def learner(x: Tensor, y: Tensor, others: Tensor) -> Tensor:
        factor = _factor(_Products(x, x).kernel(width), penalty)
        dual = torch.cholesky_solve((y - y.mean(0)).double(), factor).float()
        return _Products(others, x).kernel(width) @ dual + y.mean(0)

    return _from_halves(x * scaling, y, others * scaling, learner)


_TRIED = 384
"""Rows that the kernel is chosen on, half of them fitted: a dozen choices then cost what one fit to all rows does."""
_QUADRATIC = 0.0
_WIDTHS = (0.1, 0.3, 1.0, 3.0, _QUADRATIC)
"""Widths of the Gaussian, in mean squared distances between rows."""
_PENALTIES = (0.001, 0.03, 0.3)


def _from_halves(x: Tensor, y: Tensor, others: Tensor, learner: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Guesses:
    own, means = torch.empty_like(y), torch.zeros(len(others), y.shape[1])
    for first in (0, 1):
        away = 1 - first
        said = learner(x[first::2], y[first::2], torch.cat([x[away::2], others]))
        own[away::2] = said[: len(x[away::2])]
        means += said[len(x[away::2]) :] / 2
    return Guesses(own, means)


def _ridge(x: Tensor, y: Tensor, others: Tensor) -> Tensor:
    mean = y.mean(0)
    target = (y - mean).double()
    if x.shape[1] <= len(x):
        weights = torch.cholesky_solve(x.T.double() @ target, _factor(x.T @ x, 0.03 * len(x))).float()
    else:
        weights = x.T @ torch.cholesky_solve(target, _factor(x @ x.T, 0.03 * len(x))).float()
    return others @ weights + mean


def _factor(gram: Tensor, penalty: float) -> Tensor:
    ridged = gram.double()
    ridged.diagonal().add_(penalty)
    return cast(Tensor, torch.linalg.cholesky(ridged))


def _relevance(x: Tensor, y: Tensor) -> Tensor:
    """Give a weight a feature: the root of the share of ``y`` that ten bins of the feature alone explain."""
    centred = y - y.mean(0)
    bins = min(_BINS, len(x))
    rows = len(x) // bins * bins
    order = x.argsort(0)[:rows]
    means = centred[order].reshape(bins, rows // bins, x.shape[1], -1).mean(1)
    share = means.square().sum((0, 2)) / bins / centred.square().mean(0).sum().clamp_min(1e-12)
    # Bins of pure noise explain bins / rows on average.
    weight = (share - bins / rows).clamp_min(0.0).sqrt() + 0.02
    return weight / weight.square().mean().sqrt()


_BINS = 10


def _errors(x: Tensor, y: Tensor) -> Iterator[tuple[float, float, float]]:
    """Give the error on every second row, the width and the penalty it was reached with."""
    near, far = _Products(x[::2], x[::2]), _Products(x[1::2], x[::2])
    mean = y[::2].mean(0)
    for width in _WIDTHS:
        kernel, across = near.kernel(width), far.kernel(width)
        for penalty in _PENALTIES:
            dual = torch.cholesky_solve((y[::2] - mean).double(), _factor(kernel, penalty)).float()
            yield float((across @ dual + mean - y[1::2]).square().mean()), width, penalty


class _Products:
    """Inner products of rows ``a`` with rows ``b``, and the kernels that are functions of them."""

    def __init__(self, a: Tensor, b: Tensor) -> None:
        # In units of a row's mean square: the products of rows with themselves are 1 on average.
        unit = max(1e-12, float(b.square().sum(1).mean()))
        self.products = a @ b.T / unit
        squares = a.square().sum(1)[:, None] / unit + b.square().sum(1) / unit - 2 * self.products
        self.squares = squares.clamp_min_(0)

    def kernel(self, width: float) -> Tensor:
        """Give the quadratic kernel, or a Gaussian of a width, in mean squared distances, and a linear one."""
        if width == _QUADRATIC:
            return (1 + self.products).square_()
        return torch.exp(self.squares / (-2 * width)).add_(self.products, alpha=1 / width)
