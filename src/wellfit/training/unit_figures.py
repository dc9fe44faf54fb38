"""Figures of what the units of an operation give over the rows of a sample.

Legend: ``units`` is [sample, unit]. Each operation costs a few calls, and the device is waited for once: on a small
network it is the number of calls that takes the time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

__all__ = ["unit_figures"]

Vector = npt.NDArray[np.float64]

_FLAT_BELOW = ("relu", "relu6", "hardswish")
_PLAIN = ("linear", "conv", "softmax", "log_softmax")
"""Operations whose units are neither silent nor saturated."""
_BENT = 0.05
"""Mean slope, relative to the steepest, below which a unit of a bounded activation hands on next to no gradient."""
_STILL = 1e-5
"""Spread over the rows relative to the size, below which a unit gives the same for every row."""
_PLACES = 49
"""Places of an image that a unit is looked at."""
_PRIMES = (1, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 97, 199, 499, 997)


def unit_figures(kinds: Sequence[str], outputs: Sequence[Tensor | None]) -> list[dict[str, float]]:
    """Give the figures of every operation from its kind and its output ``[row, ...]``.

    ``signal`` is the root mean square over units of the spread over rows, ``size`` that of the values; ``silent_share``
    are units of a rectifier that are zero for every row, ``zero_share`` its zeros; ``saturated_share`` are units of a
    bounded activation whose mean ``slope`` is below 5 % of the steepest; ``still_share`` are units that give the same
    for every row. Of an output that is not finite there is ``non_finite_share`` alone; of one without units, nothing.

    >>> found = unit_figures(["relu"], [torch.tensor([[0.0, 1.0], [0.0, 3.0]])])[0]
    >>> found["silent_share"], found["zero_share"], round(found["signal"], 4)
    (0.5, 0.5, 0.7071)
    """
    seen = {place: units for place, output in enumerate(outputs) if (units := _by_unit(output)) is not None}
    means = {place: units.mean(0) for place, units in seen.items()}
    # Twice through the rows, as torch.std does, in a tenth of its time on a CPU.
    powers = {place: (units - means[place]).square_().mean(0) for place, units in seen.items()}
    flat = [place for place in seen if kinds[place] in _FLAT_BELOW]
    active = {place: seen[place].sign().clamp_min_(0).mean(0) for place in flat}
    slopes = {
        place: slope.mean(0) for place, units in seen.items() if (slope := _slope(kinds[place], units)) is not None
    }
    of_all, of_flat, of_bounded = _read([means, powers], [active], [slopes])
    found: list[dict[str, float]] = [{} for _ in kinds]
    _describe_all(found, kinds, *of_all)
    _describe_flat(found, *of_flat)
    _describe_bounded(found, *of_bounded)
    for place, units in seen.items():
        if not math.isfinite(found[place]["size"]):
            found[place] = {"non_finite_share": float((~torch.isfinite(units)).float().mean())}
    return found


class _Column:
    """A figure of the units of several operations, side by side."""

    def __init__(self, places: Sequence[int], counts: Sequence[int], numbers: Vector) -> None:
        self.places, self.numbers = places, numbers
        self.counts = np.array(counts)
        self.starts = np.cumsum([0, *counts[:-1]])

    def mean(self, numbers: Any) -> Vector:
        """Give the mean over each operation's units."""
        total: Vector = np.add.reduceat(numbers, self.starts, dtype=np.float64) / self.counts
        return total

    def largest(self, numbers: Vector) -> Vector:
        """Give the largest of each operation's units, once for every unit."""
        most: Vector = np.repeat(np.maximum.reduceat(numbers, self.starts), self.counts)
        return most


def _read(*groups: list[dict[int, Tensor]]) -> list[list[_Column]]:
    """Read what was computed from the device, all at once."""
    flat = [vector for group in groups for vectors in group for vector in vectors.values()]
    numbers = torch.cat(flat).double().cpu().numpy() if flat else np.zeros(0)
    columns, first = [], 0
    for group in groups:
        made = []
        for vectors in group:
            counts = [len(vector) for vector in vectors.values()]
            made.append(_Column(list(vectors), counts, numbers[first : first + sum(counts)]))
            first += sum(counts)
        columns.append(made)
    return columns


def _describe_all(found: list[dict[str, float]], kinds: Sequence[str], mean: _Column, power: _Column) -> None:
    if not power.places:
        return
    # What is not finite is told apart later.
    with np.errstate(invalid="ignore", over="ignore"):
        sizes = power.numbers + mean.numbers**2
        still = power.mean(power.numbers <= _STILL**2 * power.largest(sizes))
        signal, size = np.sqrt(power.mean(power.numbers)), np.sqrt(power.mean(sizes))
    for place, *values in zip(power.places, signal.tolist(), size.tolist(), still.tolist(), strict=True):
        named = dict(zip(("signal", "size", "still_share"), values, strict=True))
        if kinds[place] in _PLAIN:
            del named["still_share"]
        found[place] = named


def _describe_flat(found: list[dict[str, float]], active: _Column) -> None:
    if active.places:
        silent, used = active.mean(active.numbers == 0), active.mean(active.numbers)
        for place, share, of_used in zip(active.places, silent.tolist(), used.tolist(), strict=True):
            found[place] |= {"silent_share": share, "zero_share": 1 - of_used}


def _describe_bounded(found: list[dict[str, float]], slope: _Column) -> None:
    if slope.places:
        saturated, steep = slope.mean(slope.numbers < _BENT), slope.mean(slope.numbers)
        for place, share, of_slope in zip(slope.places, saturated.tolist(), steep.tolist(), strict=True):
            found[place] |= {"saturated_share": share, "slope": of_slope}


def _by_unit(output: Tensor | None) -> Tensor | None:
    """Give ``[sample, unit]``: channels of images are units, and so is the last axis of anything else."""
    if output is None or not output.is_floating_point() or output.ndim < 2 or output.shape[0] < 2 or not output.numel():
        return None
    units = output
    if output.ndim >= 4:
        # Neighbouring places say nearly the same; a few dozen, a prime apart, stand for all.
        units = output.flatten(2)[:, :, :: _apart(math.prod(output.shape[2:]))].movedim(1, -1)
    return (units if units.ndim == 2 else units.flatten(0, -2)).float()


def _apart(places: int) -> int:
    """Give a step that divides no usual width, so that all rows and columns of an image are met."""
    step = max(1, places // _PLACES)
    return next((prime for prime in _PRIMES if prime >= step), step)


def _slope(kind: str, out: Tensor) -> Any:
    """Give the activation's slope at each output, relative to its steepest; None where it has no ends."""
    if kind == "sigmoid":
        return 4 * out * (1 - out)
    if kind in ("tanh", "gru", "lstm", "rnn"):
        return 1 - out.square().clamp_max_(1)
    if kind == "hardsigmoid":
        return ((out > 0) & (out < 1)).float()
    if kind == "softsign":
        return (1 - out.abs()).square_()
    return None
