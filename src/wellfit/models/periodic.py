"""Periodic embeddings of numbers (PBLD): waves with a phase, a linear map, and the number itself beside it."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

__all__ = ["FREQUENCIES", "WIDTH", "PeriodicEmbedding", "Waves"]

FREQUENCIES = 16
WIDTH = 4
"""Numbers that a column becomes: three from its waves, and itself."""
_SPREAD = 0.1
"""Standard deviation of the frequencies: much larger ones make every fit worse."""


class Waves(nn.Module):
    """``cos(2 pi w x + b) V + c`` for each member and column, with weights of its own.

    Shapes: ``frequency`` and ``phase`` [member, number, 1, wave], ``weight`` [member, number, wave, width], ``bias``
    [member, number, 1, width].

    Args:
        members: Networks.
        numbers: Columns.
        width: Numbers that a column becomes.
        spread: Standard deviation of the frequencies at first.

    >>> Waves(members=2, numbers=3, width=7)(torch.zeros(2, 5, 3)).shape
    torch.Size([2, 21, 5])
    """

    def __init__(self, *, members: int, numbers: int, width: int, spread: float = _SPREAD) -> None:
        super().__init__()
        bound = 1.0 / math.sqrt(FREQUENCIES)
        shape = (members, numbers, 1, FREQUENCIES)
        self.frequency = nn.Parameter(spread * torch.randn(shape))
        self.phase = nn.Parameter(torch.empty(shape).uniform_(-math.pi, math.pi))
        self.weight = nn.Parameter(torch.empty(members, numbers, FREQUENCIES, width).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(members, numbers, 1, width).uniform_(-bound, bound))

    def forward(self, x: Tensor, columns: Tensor | None = None) -> Tensor:
        """Map ``[member, row, number]``, or ``[1, row, number]`` for all, to ``[member, number * width, row]``.

        ``columns`` are the numbers of those that ``x`` has, where it does not have all.
        """
        weights = (self.frequency, self.phase, self.weight, self.bias)
        given = (x, *(weights if columns is None else (each[:, columns] for each in weights)))
        # To make such small products of short numbers costs more than it spares.
        with torch.autocast(x.device.type, enabled=False):
            if self.training and torch.is_grad_enabled() and not x.requires_grad:
                made: Tensor = _Fused.apply(*given)  # type: ignore[no-untyped-call]
            else:
                made = _made(*given)[0]
        return made


class PeriodicEmbedding(Waves):
    """Three numbers from a column's waves, and the number itself.

    >>> PeriodicEmbedding(members=2, numbers=3)(torch.zeros(2, 5, 3)).shape
    torch.Size([2, 5, 12])
    """

    def __init__(self, *, members: int, numbers: int) -> None:
        super().__init__(members=members, numbers=numbers, width=WIDTH - 1)

    def forward(self, x: Tensor, columns: Tensor | None = None) -> Tensor:
        """Map ``[member, row, number]``, or ``[1, row, number]`` for all members, to ``[member, row, 4 number]``."""
        return torch.cat([super().forward(x, columns).mT, x.expand(self.weight.shape[0], -1, -1)], dim=-1)


def _made(x: Tensor, frequency: Tensor, phase: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Give ``cos(angle) V + c`` [member, number and width, row], and angles and cosines [member, number, wave, row].

    Rows come last: so products of 16 waves and few numbers take a fifth of the time.
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
