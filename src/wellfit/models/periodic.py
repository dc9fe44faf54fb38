"""Periodic embeddings of numbers (PBLD): waves with a phase, a linear map, and the number itself beside it."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["FREQUENCIES", "WIDTH", "PeriodicEmbedding"]

FREQUENCIES = 16
WIDTH = 4
"""Numbers that a column becomes: three from its waves, and itself."""
_SPREAD = 0.1
"""Standard deviation of the frequencies: much larger ones make every fit worse."""


class PeriodicEmbedding(nn.Module):
    """``(cos(2 pi w x + b) V + c, x)`` for each member and column, with weights of its own.

    Shapes: ``frequency`` and ``phase`` [member, number, 1, wave], ``weight`` [member, number, wave, 3], ``bias``
    [member, number, 1, 3].

    >>> PeriodicEmbedding(members=2, numbers=3)(torch.zeros(2, 5, 3)).shape
    torch.Size([2, 5, 12])
    """

    def __init__(self, *, members: int, numbers: int) -> None:
        super().__init__()
        bound = 1.0 / math.sqrt(FREQUENCIES)
        shape = (members, numbers, 1, FREQUENCIES)
        self.frequency = nn.Parameter(_SPREAD * torch.randn(shape))
        self.phase = nn.Parameter(torch.empty(shape).uniform_(-math.pi, math.pi))
        self.weight = nn.Parameter(torch.empty(members, numbers, FREQUENCIES, WIDTH - 1).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(members, numbers, 1, WIDTH - 1).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[member, row, number]``, or ``[1, row, number]`` for all members, to ``[member, row, 4 number]``."""
        members, numbers, waves, width = self.weight.shape
        rows = x.shape[1]
        # [member, number, row, wave]: a product of matrices for each member and column comes next.
        angle = torch.addcmul(self.phase, x.transpose(1, 2).contiguous().unsqueeze(-1), (2 * math.pi) * self.frequency)
        made = torch.baddbmm(self.bias.flatten(0, 1), angle.cos().view(-1, rows, waves), self.weight.flatten(0, 1))
        beside = made.view(members, numbers, rows, width).transpose(1, 2).reshape(members, rows, numbers * width)
        return torch.cat([beside, x.expand(members, -1, -1)], dim=-1)
