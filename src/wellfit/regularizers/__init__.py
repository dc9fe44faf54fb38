"""Regularizers and gradient remedies: what keeps weights small, gradients tame and inputs noisy. One file each.

In a step: `noise` before the forward pass, `l1` and `l2` after the backward pass, then `clip_norm` or `clip_value`,
then `weight_decay`, then the optimizer.
"""

from __future__ import annotations

from wellfit.registry import Entry, Family
from wellfit.regularizers import clip_norm, clip_value, l1, l2, noise, weight_decay
from wellfit.regularizers.clip_norm import ClipNorm
from wellfit.regularizers.clip_value import ClipValue
from wellfit.regularizers.l1 import L1
from wellfit.regularizers.l2 import L2
from wellfit.regularizers.noise import Noise, add_noise
from wellfit.regularizers.penalty import Penalty
from wellfit.regularizers.weight_decay import WeightDecay
from wellfit.regularizers.weights import decayed_parameters

__all__ = [
    "L1",
    "L2",
    "REGULARIZERS",
    "ClipNorm",
    "ClipValue",
    "Noise",
    "Penalty",
    "WeightDecay",
    "add_noise",
    "decayed_parameters",
]

REGULARIZERS: Family[Entry] = Family(
    "regularizers",
    "regularizer",
    [l1.ENTRY, l2.ENTRY, weight_decay.ENTRY, clip_norm.ENTRY, clip_value.ENTRY, noise.ENTRY],
)
