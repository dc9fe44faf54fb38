"""Periodic embeddings of numbers (PBLD): waves with a phase, a linear map, and the number itself beside it."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

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
        given = (x, self.frequency, self.phase, self.weight, self.bias)
        # To make such small products of short numbers costs more than it spares.
        with torch.autocast(x.device.type, enabled=False):
            if self.training and torch.is_grad_enabled() and not x.requires_grad:
                made: Tensor = _Fused.apply(*given)  # type: ignore[no-untyped-call]
            else:
                made = _made(*given)[0]
        return torch.cat([made.mT, x.expand(self.weight.shape[0], -1, -1)], dim=-1)


def _made(x: Tensor, frequency: Tensor, phase: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Give ``cos(angle) V + c`` [member, number and 3, row], and angles and cosines [member, number, wave, row].

    Rows come last: so products of 16 waves and 3 numbers take a fifth of the time.
    """
    members, numbers, _, width = weight.shape
    columns = x.mT.contiguous().unsqueeze(2)
    angle = (columns * ((2 * math.pi) * frequency.mT)).add_(phase.mT)
    cosine = angle.cos()
    made = torch.baddbmm(bias.flatten(0, 1).mT, weight.flatten(0, 1).mT, cosine.flatten(0, 1))
    return made.view(members, numbers * width, x.shape[1]), angle, cosine


class _Fused(torch.autograd.Function):
    """The waves in training, with the gradients of all weights in one go; rows have none."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, frequency: Tensor, phase: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        made, angle, cosine = _made(x, frequency, phase, weight, bias)
        ctx.save_for_backward(x, angle, cosine, weight)
        return made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, angle, cosine, weight = ctx.saved_tensors
        members, numbers, _, width = weight.shape
        slope = grads[0].contiguous().view(members * numbers, width, -1)
        of_angle = torch.bmm(weight.flatten(0, 1), slope).view(angle.shape).mul_(angle.sin()).neg_()
        columns = x.mT.expand(members, -1, -1).unsqueeze(3)
        of_frequency = torch.matmul(of_angle, columns).mul_(2 * math.pi)
        of_weight = torch.bmm(cosine.flatten(0, 1), slope.mT).view(weight.shape)
        of_bias = slope.sum(2).view(members, numbers, 1, width)
        return None, of_frequency.mT, of_angle.sum(3).unsqueeze(2), of_weight, of_bias
