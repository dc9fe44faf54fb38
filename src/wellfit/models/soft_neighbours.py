"""Answers looked up among known rows: their mean, the nearer ones counting for more.

Legend: ``asked`` [member, row, width] and ``known`` [member, other, width] are places; ``answers`` [member, other,
output] what is known there.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ["looked_up"]

_FAR = 1e6
"""The distance of a row that is hidden: none is as far."""
PAIRS_IN_CACHE = 2**18
"""Distances that fit into a megabyte."""
_FEW = 4
"""Outputs up to which products are made otherwise: of two, MKL takes ten times as long as the numbers need."""
_LEAST = 1e-6
"""The smallest squared distance: what rounding leaves of 0, whose root has no slope."""


def looked_up(asked: Tensor, known: Tensor, answers: Tensor, hidden: Tensor | None = None) -> Tensor:
    """Give ``sum_j softmax_j(-|asked - known_j|) answers_j``.

    Args:
        asked: float32 ``[member, row, width]``.
        known: float32 ``[member, other, width]``.
        answers: float32 ``[member, other, output]``, which gets no gradient.
        hidden: The known row that a row may not see, int64 ``[member, row]``; -1 where it may see all.

    Returns:
        ``[member, row, output]``. A second derivative is refused.

    >>> here, known = torch.zeros(1, 1, 2), torch.tensor([[[0.0, 0.0], [0.0, 60.0]]])
    >>> looked_up(here, known, torch.tensor([[[1.0], [5.0]]])).item()
    1.0
    """
    # Near rows differ in digits that shorter numbers do not have.
    wide = torch.promote_types(asked.dtype, torch.float32)
    places = (each.to(wide) for each in (asked, known, answers))
    with torch.autocast(asked.device.type, enabled=False):
        made: Tensor = _LookedUp.apply(*places, hidden)  # type: ignore[no-untyped-call]
    return made


class _LookedUp(torch.autograd.Function):
    """So few rows at once that what is made of them stays in the cache, where torch's own would make ten passes."""

    @staticmethod
    def forward(ctx: Any, asked: Tensor, known: Tensor, answers: Tensor, hidden: Tensor | None) -> Tensor:
        # Distances are the same from any origin, and of numbers near 0 squares lose the fewest digits.
        origin = known.mean(1, keepdim=True)
        asked, known = asked - origin, known - origin
        squares, made, pulls = known.square().sum(2).unsqueeze(1), [], []
        for first in range(0, asked.shape[1], rows := _rows_at_once(known)):
            part = asked[:, first : first + rows]
            nearness = squares + part.square().sum(2).unsqueeze(2)
            nearness.baddbmm_(part, known.mT, alpha=-2.0).clamp_min_(_LEAST).sqrt_().neg_()
            if hidden is not None:
                _hide(nearness, hidden[:, first : first + rows])
            shares = torch.softmax(nearness, 2)
            # Of few columns, rows are multiplied sooner.
            made.append(torch.bmm(answers.mT, shares.mT).mT if answers.shape[2] <= _FEW else torch.bmm(shares, answers))
            pulls.append(shares.div_(nearness))
        joined = made[0] if len(made) == 1 else torch.cat(made, 1)
        ctx.save_for_backward(asked, known, answers, joined, *pulls)
        return joined

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        asked, known, answers, made, *pulls = ctx.saved_tensors
        slope, of_asked, of_known, first = grads[0], [], torch.zeros_like(known), 0
        level = (slope * made).sum(2, keepdim=True)
        for share in pulls:
            rows = slice(first, first := first + share.shape[1])
            # The slope of the loss in the distances, divided by them: share (slope answer - slope made) / -distance.
            pull = _matched(slope[:, rows], answers).sub_(level[:, rows]).mul_(share)
            part = asked[:, rows]
            of_asked.append(torch.baddbmm(part * pull.sum(2, keepdim=True), pull, known, alpha=-1.0))
            of_known.addcmul_(known, pull.sum(1).unsqueeze(2)).baddbmm_(pull.mT, part, alpha=-1.0)
        return of_asked[0] if len(of_asked) == 1 else torch.cat(of_asked, 1), of_known, None, None


def _rows_at_once(known: Tensor) -> int:
    members, others = known.shape[:2]
    return max(16, PAIRS_IN_CACHE // (members * others)) if known.device.type == "cpu" else 2**31


def _hide(nearness: Tensor, hidden: Tensor) -> None:
    member, row = (hidden >= 0).nonzero(as_tuple=True)
    nearness[member, row, hidden[member, row]] = -_FAR


def _matched(slope: Tensor, answers: Tensor) -> Tensor:
    """Give ``slope answers'``, ``[member, row, other]``: of few outputs, one after the other."""
    if slope.shape[2] > _FEW:
        return torch.bmm(slope, answers.mT)
    columns = zip(slope.split(1, 2), answers.mT.split(1, 1), strict=True)
    first, *others = columns
    made: Tensor = first[0] * first[1]
    for column, row in others:
        made.addcmul_(column, row)
    return made
