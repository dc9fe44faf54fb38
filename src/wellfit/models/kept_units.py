"""Which units dropout keeps: random numbers that cost an eighth of torch's."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["kept_units"]

_LEVELS = 2**8
_WORD = 8
"""Units that share a random number of 64 bits."""


def kept_units(like: Tensor, dropout: float) -> Tensor:
    """Give 0 for the share of units that is dropped and one over the other share for the rest.

    A unit has a byte of a random number. Where the share is no whole number of 256ths, a coin says for each call which
    of its two neighbours is taken, so that each unit is dropped with exactly this probability.

    Args:
        like: a tensor of floats; shape, type and device are taken from it.
        dropout: the share, in [0, 1).

    >>> kept_units(torch.zeros(2, 3), 0.0).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    numbers = torch.empty(-(-like.numel() // _WORD), dtype=torch.int64, device=like.device).random_(-(2**63), None)
    cut = torch.rand((), device=like.device).add_(dropout * _LEVELS).floor_().sub_(_LEVELS // 2)
    # As floats first: whole numbers of 8 bits are compared ten times as slowly.
    wide = torch.promote_types(like.dtype, torch.float32)
    drawn = numbers.view(torch.int8)[: like.numel()].view(like.shape).to(wide)
    return drawn.ge_(cut).mul_(1.0 / (1.0 - dropout)).to(like.dtype)
