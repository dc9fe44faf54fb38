"""Answers looked up among known rows: their mean, the nearer ones counting for more.

Legend: ``asked`` [member, row, width] and ``known`` [member, other, width] are places; ``answers`` [member, other,
output] what is known there.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ["Known", "found_among", "known_at", "looked_up"]

_FAR = 1e6
"""The distance of a row that is hidden: none is as far."""
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


class Known(NamedTuple):
    """Known rows, ready to be looked among again and again."""

    origin: Tensor
    """``[member, 1, width]``; distances are the same from any, and of numbers near 0 squares lose the fewest digits."""
    places: Tensor
    """From the origin, ``[member, other, width]``."""
    squares: Tensor
    """Of their lengths, ``[member, 1, other]``."""


def known_at(known: Tensor) -> Known:
    """Make float32 places ``[member, other, width]`` ready.

    >>> known_at(torch.tensor([[[1.0], [3.0]]])).places.flatten().tolist()
    [-1.0, 1.0]
    """
    origin = known.mean(1, keepdim=True)
    places = known - origin
    return Known(origin, places, places.square().sum(2).unsqueeze(1))


def found_among(asked: Tensor, known: Known, answers: Tensor, hidden: Tensor | None = None) -> Tensor:
    """Give what `looked_up` gives, without gradients: half of its work is done once, and a pass is spared.

    >>> known = known_at(torch.tensor([[[0.0, 0.0], [0.0, 60.0]]]))
    >>> found_among(torch.zeros(1, 1, 2), known, torch.tensor([[[1.0], [5.0]]])).item()
    1.0
    """
    with torch.autocast(asked.device.type, enabled=False):
        asked = asked.to(known.places.dtype) - known.origin
        return _mean(torch.softmax(_nearness(asked, known, hidden), 2), answers.to(asked.dtype))


def _nearness(asked: Tensor, known: Known, hidden: Tensor | None) -> Tensor:
    """Give distances below 0, ``[member, row, other]``, of rows from the same origin."""
    nearness = known.squares + asked.square().sum(2).unsqueeze(2)
    nearness.baddbmm_(asked, known.places.mT, alpha=-2.0).clamp_min_(_LEAST).sqrt_().neg_()
    if hidden is not None:
        member, row = (hidden >= 0).nonzero(as_tuple=True)
        nearness[member, row, hidden[member, row]] = -_FAR
    return nearness


def _mean(shares: Tensor, answers: Tensor) -> Tensor:
    # Of few columns, rows are multiplied sooner.
    return torch.bmm(answers.mT, shares.mT).mT if answers.shape[2] <= _FEW else torch.bmm(shares, answers)


class _LookedUp(torch.autograd.Function):
    """The products and few passes that this takes, where torch's distances and softmax make many."""

    @staticmethod
    def forward(ctx: Any, asked: Tensor, known: Tensor, answers: Tensor, hidden: Tensor | None) -> Tensor:
        ready = known_at(known)
        asked, known = asked - ready.origin, ready.places
        nearness = _nearness(asked, ready, hidden)
        shares = torch.softmax(nearness, 2)
        made = _mean(shares, answers)
        ctx.save_for_backward(asked, known, answers, shares.div_(nearness), made)
        return made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        asked, known, answers, pulls, made = ctx.saved_tensors
        slope = grads[0]
        # The slope of the loss in the distances, divided by them: share (slope answer - slope made) / -distance.
        pull = _matched(slope, answers).sub_((slope * made).sum(2, keepdim=True)).mul_(pulls)
        of_asked = torch.baddbmm(asked * pull.sum(2, keepdim=True), pull, known, alpha=-1.0)
        of_known = torch.baddbmm(known * pull.sum(1).unsqueeze(2), pull.mT, asked, alpha=-1.0)
        return of_asked, of_known, None, None


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
