"""Learning rates that a history speaks for: what an update does to the weights, and what suits."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from wellfit.diagnosis.check import rounded
from wellfit.diagnosis.evidence import Evidence
from wellfit.findings import Remedy

__all__ = ["LARGE", "SMALL", "first_updates", "largest_update", "of_usual_steps"]

LARGE = 0.2
"""Update over weight, per layer: twice DeepDiagnosis' upper bound, which Adam's first step passes at a rate of 0.01."""
SMALL = 3e-4
"""Update over weight below which a thousand steps do not change weights by much."""
USUAL = 1e-3
"""Update over weight of a training that goes well (Karpathy, "Recipe", and the notes of CS231n)."""


def largest_update(evidence: Evidence) -> float:
    """Give the largest early update over weight, among weights that are not biases."""
    # The first epochs tell: later ones may stand still because the steps before broke something.
    return max((_early(evidence, name) for name in _weights(evidence)), default=0.0)


def first_updates(evidence: Evidence) -> float | None:
    """Give the largest update over weight of the first quarter of a run; None where none was recorded.

    Later, updates fade because the loss has fallen, or the gradient has died. Before the first one that moves anything,
    the rate was 0, with which some schedules begin.
    """
    curves = [_moving(evidence.curve("update_ratio", name)) for name in _weights(evidence)]
    known = [values for values in curves if np.isfinite(values).any()]
    return max((float(np.nanmax(values[: max(1, len(values) // 4)])) for values in known), default=None)


def _moving(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give a curve from its first value above 0 on; all of one that has none."""
    return values[int(np.argmax(values > 0)) :]


def of_usual_steps(evidence: Evidence, ratio: float, why: str) -> Iterator[Remedy]:
    """Propose the rate at which an update moves weights by a thousandth, and to have one measured.

    ``ratio`` is what it moves them by at the rate there was. Updates grow with the rate, so that the two are divided.
    """
    rate = float(evidence.settings.get("lr") or 0.0)
    if rate > 0 and 0 < ratio < math.inf:
        yield Remedy(path="train.optimizer.lr", value=rounded(rate * USUAL / ratio), why=why)
    yield Remedy(path="train.optimizer.lr", value="find", why="a sweep over rates on these rows shows what suits")


def _weights(evidence: Evidence) -> list[str]:
    return [name for name in evidence.places("update_ratio") if not name.rpartition(".")[2].startswith("bias")]


def _early(evidence: Evidence, name: str) -> float:
    """Give the largest early update relative to the weights that training started from, or that it has by then.

    Weights that decay make any step large beside them.
    """
    ratios, norms = evidence.curve("update_ratio", name), evidence.curve("weight_norm", name)
    count = max(1, len(ratios) // 4)
    if not len(ratios) or len(norms) != len(ratios) or not norms[0] > 0:
        return 0.0
    early, size = ratios[:count], norms[:count]
    if not np.isfinite(early).all() or not np.isfinite(size).all():
        # Weights or steps past the largest number there is.
        return math.inf
    return float(np.max(early * size / np.maximum(norms[0], size)))
