"""Products of members' rows with members' weights, forth and back, each by what computes it fastest.

Legend: ``x`` is [member, row, input], ``weight`` [member, input, output], ``slope`` [member, row, output].
"""

from __future__ import annotations

import torch
from torch import Tensor

from wellfit.models import onednn

__all__ = ["affine", "of_inputs", "of_weights", "shortened"]

_LEAST = 2_000_000
"""Products of numbers in a member's layer from which on one call a member is faster than one for all."""
_NARROW = 16
"""Outputs up to which a product is made of what is transposed: MKL takes 50 us for 2 columns, and 7 us for 2 rows."""


def shortened(*given: Tensor) -> list[Tensor]:
    """Give what is multiplied: under autocast, shorter numbers, in both directions.

    >>> [each.dtype for each in shortened(torch.zeros(1))]
    [torch.float32]
    """
    device = given[0].device.type
    low = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
    return [each if low is None else each.to(low) for each in given]


def affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Give ``x W + b`` for each member, with ``bias`` [member, 1, output].

    >>> affine(torch.ones(1, 2, 3), torch.ones(1, 3, 1), torch.ones(1, 1, 1)).flatten().tolist()
    [4.0, 4.0]
    """
    if weight.shape[2] <= _NARROW:
        return torch.baddbmm(bias.mT, weight.mT, x.mT).mT
    if not _apart(x, weight):
        return torch.baddbmm(bias, x, weight)
    triples = zip(_dense(x), _dense(weight.mT), bias.squeeze(1).unbind(), strict=True)
    return _stacked([onednn.times(*triple) for triple in triples])


def of_inputs(slope: Tensor, weight: Tensor) -> Tensor:
    """Give ``slope W'``, the gradient of the inputs.

    >>> of_inputs(torch.ones(1, 2, 1), torch.ones(1, 3, 1)).tolist()
    [[[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]]
    """
    if slope.shape[2] == 1:
        # Nothing is summed: to MKL, for which this is a product like others, it takes ten times as long.
        return slope * weight.mT
    if not _apart(slope, weight.mT):
        return torch.bmm(slope, weight.mT)
    return _stacked([onednn.times(*pair) for pair in zip(_dense(slope), _dense(weight), strict=True)])


def of_weights(x: Tensor, slope: Tensor) -> Tensor:
    """Give ``x' slope``, the gradient of the weights.

    >>> of_weights(torch.ones(1, 2, 3), torch.ones(1, 2, 1)).flatten().tolist()
    [2.0, 2.0, 2.0]
    """
    if slope.shape[2] <= _NARROW:
        return torch.bmm(slope.mT, x).mT
    if not _apart(x.mT, slope):
        # Of one member torch multiplies matrices, not a batch of one: of short numbers it takes half the time.
        return torch.bmm(x.mT, slope) if len(x) > 1 else torch.mm(x[0].mT, slope[0]).unsqueeze(0)
    return _stacked([onednn.times(*pair) for pair in zip(_dense(x.mT), _dense(slope.mT), strict=True)])


def _dense(matrices: Tensor) -> list[Tensor]:
    """Give the members' matrices without gaps, in rows or in columns: with gaps oneDNN takes 500 times as long."""
    parts = matrices.unbind()
    return [each if each.is_contiguous() or each.mT.is_contiguous() else each.contiguous() for each in parts]


def _stacked(parts: list[Tensor]) -> Tensor:
    return parts[0].unsqueeze(0) if len(parts) == 1 else torch.stack(parts)


def _apart(a: Tensor, b: Tensor) -> bool:
    """Whether each member's product is made by itself, which processor and shapes alone decide."""
    if a.dtype != torch.float32 or a.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
        return False
    large = a.shape[1] * a.shape[2] * b.shape[2] >= _LEAST
    return large and onednn.is_faster() and not torch.compiler.is_compiling()
