"""Random numbers of a row, from a counter: they depend on seed, epoch, row and name, and not on the rows beside it.

splitmix64 (Steele, Lea & Flood 2014), on int64 tensors: z <- z + g; z <- (z ^ z >> 30) a; z <- (z ^ z >> 27) b;
z ^ z >> 31, in arithmetic modulo 2^64 with shifts that fill in zeros.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from wellfit.runtime import keyed_seed

__all__ = ["Draws", "mixed"]

_STEP = 0x9E3779B97F4A7C15 - (1 << 64)
_FIRST = 0xBF58476D1CE4E5B9 - (1 << 64)
_SECOND = 0x94D049BB133111EB - (1 << 64)
_BITS = 24
"""Bits of a uniform number: as many as float32 has for numbers below 1."""


def mixed(state: Tensor) -> Tensor:
    """Scatter the bits of whole numbers: the output function of splitmix64, on int64 of any shape.

    >>> mixed(torch.tensor([0])).item() == 0xE220A8397B1DCDAF - (1 << 64)
    True
    """
    z = state + _STEP
    z = (z ^ _shifted(z, 30)) * _FIRST
    z = (z ^ _shifted(z, 27)) * _SECOND
    return z ^ _shifted(z, 31)


def _shifted(z: Tensor, bits: int) -> Tensor:
    """Shift to the right and fill in zeros: torch fills in the sign."""
    return (z >> bits) & ((1 << (64 - bits)) - 1)


@dataclass(frozen=True, kw_only=True)
class Draws:
    """Where the rows of a batch get their random numbers from.

    >>> draws = Draws(seed=0, epoch=3, rows=torch.arange(4))
    >>> alone = Draws(seed=0, epoch=3, rows=torch.tensor([2]))
    >>> torch.equal(draws.uniform()[2:3], alone.uniform())
    True
    """

    seed: int
    epoch: int
    rows: Tensor
    """Numbers of the rows, int64 ``[row]``."""
    name: str = ""
    """What they are for: other names give other numbers."""

    def of(self, name: str) -> Draws:
        """Give draws for something else."""
        return replace(self, name=name)

    def every_epoch(self) -> Draws:
        """Give draws that are the same in all epochs."""
        return replace(self, epoch=-1)

    def uniform(self, shape: Sequence[int] = (), *, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Give numbers from ``[low, high)``, float32 ``[row, *shape]``."""
        places = math.prod(shape)
        key = keyed_seed(self.seed, "augment", self.name, self.epoch)
        # Twice: rows that are neighbours must not have neighbouring states.
        state = mixed(mixed(self.rows + key)[:, None] + torch.arange(places, device=self.rows.device) * _STEP)
        share = _shifted(state, 64 - _BITS).to(torch.float32) * 2.0**-_BITS
        return (low + (high - low) * share).reshape(len(self.rows), *shape)

    def chance(self, share: float) -> Tensor:
        """Say of each row whether it happens, bool ``[row]``."""
        return self.uniform() < share

    def whole(self, low: int, high: int) -> Tensor:
        """Give whole numbers from ``[low, high]``, int64 ``[row]``."""
        return low + (self.uniform() * (high - low + 1)).long().clamp_max(high - low)

    def normal(self, shape: Sequence[int] = ()) -> Tensor:
        """Give standard normal numbers, float32 ``[row, *shape]`` (Box & Muller 1958)."""
        pairs = self.uniform((2, *shape))
        radius = (-2.0 * torch.log1p(-pairs[:, 0])).sqrt()
        return radius * torch.cos(2.0 * math.pi * pairs[:, 1])
