"""Is a gain more than the luck of the seeds: paired differences and their interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from wellfit.treatment.yardstick import Figures

__all__ = ["Effect", "effect", "proven"]

LEVEL = 0.90
"""Share of the two-sided interval: its lower end is passed by chance in one case of twenty."""


@dataclass(frozen=True)
class Effect:
    """A mean paired difference and its interval, in the metric's unit."""

    mean: float
    low: float
    high: float
    pairs: int

    def __str__(self) -> str:
        """Give it as a table shows it."""
        if self.pairs < 2:
            return f"{self.mean:+.3f}"
        return f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


def effect(differences: Sequence[float]) -> Effect:
    """Give the mean of paired differences with Student's interval; unbounded where there is but one.

    >>> str(effect([0.1, 0.2, 0.3]))
    '+0.200 [+0.031, +0.369]'
    """
    from scipy.stats import t

    values = np.asarray(differences, dtype=np.float64)
    mean = float(values.mean())
    if len(values) < 2:
        return Effect(mean, -math.inf, math.inf, len(values))
    half = float(t.ppf((1 + LEVEL) / 2, len(values) - 1)) * float(values.std(ddof=1)) / math.sqrt(len(values))
    return Effect(mean, mean - half, mean + half, len(values))


def _softly(before: Sequence[Figures], after: Sequence[Figures], value: Effect) -> str:
    """Say what is better where the metric is no worse: the probabilities, or these and the metric together."""
    soft = effect([b.soft - a.soft for a, b in zip(before, after, strict=True)])
    if soft.low > 0:
        return f"better probabilities (Brier score, as a share of a constant guess's: {soft})"
    return f"metric and probabilities are better together ({value})"


def proven(before: Sequence[Figures], after: Sequence[Figures]) -> tuple[bool, str]:
    """Tell whether pairs of trainings on the same seeds prove a gain, and why.

    Either the metric's interval lies above 0, or the metric is no worse and the interval of metric and soft figure
    together lies above 0: where few rows are near the border between classes, accuracy moves in coarse steps. What is
    proved then is said to be that, and no gain of the metric.
    """
    metric = effect([b.metric - a.metric for a, b in zip(before, after, strict=True)])
    value = effect([b.value - a.value for a, b in zip(before, after, strict=True)])
    if metric.low > 0:
        return True, f"gain beyond seed noise on {metric.pairs} fresh seeds"
    if metric.mean >= 0 and value.low > 0:
        alone = "the metric alone is no different beyond noise"
        return True, f"{_softly(before, after, value)}, beyond seed noise on {metric.pairs} fresh seeds; {alone}"
    if metric.mean <= 0:
        return False, f"no gain on {metric.pairs} fresh seeds"
    return False, f"gain within seed noise on {metric.pairs} fresh seeds"
