"""Piecewise-linear embeddings of numbers: bins learned from rows, and what a number says of each, by few passes."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

__all__ = ["BinnedNumbers", "edges_of", "set_bins"]


class BinnedNumbers:
    """What a package's `PiecewiseLinearEmbeddings` of version B makes of numbers, in a part of its time.

    A column's bins lie in memory as its product wants them and are cut where they stand, where the package puts three
    parts together and turns them; bins that no column has are left out, and a column of one bin is a straight line.

    Args:
        module: the package's module, without an activation.
    """

    def __init__(self, module: Any) -> None:
        self.module = module
        self._held: tuple[Tensor, int, _Columns] | None = None

    def __call__(self, numeric: Tensor) -> Tensor:
        """Map numbers ``[row, number]`` to ``[row, number * width]``."""
        if torch.compiler.is_compiling() or (torch.is_grad_enabled() and numeric.requires_grad):
            whole: Tensor = self.module(numeric)
            return whole.flatten(1)
        numbers, linear, slopes = numeric.mT.contiguous().unsqueeze(2), self.module.linear0, self.module.linear.weight
        made = numbers * linear.weight.unsqueeze(1) + linear.bias.unsqueeze(1)
        columns = self._columns()
        if len(columns.many) < len(numbers):
            lines = (numbers * columns.line).add_(columns.start)
            made = torch.addcmul(made, lines, slopes[:, -1:])
        if len(columns.many):
            bins = _cut((numbers[columns.many] * columns.weight).add_(columns.bias))
            inner = bins.shape[2] - 1
            own = torch.cat([slopes[:, :inner], slopes[:, -1:]], 1)[columns.many]
            made = made.index_add(0, columns.many, torch.bmm(bins, own).to(made.dtype))
        joined: Tensor = made.transpose(0, 1).flatten(1)
        return joined

    def _columns(self) -> _Columns:
        """Give what is said of the columns' bins, found again where other bins were learned or loaded."""
        weight = self.module.impl.weight
        if self._held is None or self._held[0] is not weight or self._held[1] != weight._version:
            # What inference mode makes could not be trained with later.
            with torch.inference_mode(False), torch.no_grad():
                self._held = (weight, weight._version, _columns_of(self.module.impl))
        return self._held[2]


class _Columns(NamedTuple):
    many: Tensor
    """Numbers of the columns that have more than one bin."""
    weight: Tensor
    """Of their bins, ``[column, 1, bin]``: as many as one of them has."""
    bias: Tensor
    line: Tensor
    """Of the only bin of each other column, ``[number, 1, 1]``; 0 for columns of more."""
    start: Tensor


def _columns_of(impl: Any) -> _Columns:
    weight, bias, single = impl.weight, impl.bias, impl.single_bin_mask
    many = (~single).nonzero().squeeze(1)
    inner = int((weight[many, :-1] != 0).sum(1).max()) if len(many) else 0
    kept = [torch.cat([each[:, :inner], each[:, -1:]], 1)[many].unsqueeze(1) for each in (weight, bias)]
    only = [torch.where(single, each[:, -1], 0.0)[:, None, None] for each in (weight, bias)]
    return _Columns(many, *kept, *only)


def _cut(bins: Tensor) -> Tensor:
    """Hold bins between 0 and 1 in place, but the first below and the last above."""
    bins[..., 1:].clamp_min_(0.0)
    bins[..., :-1].clamp_max_(1.0)
    return bins


def set_bins(encoding: Any, numeric: Tensor, bins: int) -> None:
    """Put the quantiles of training rows into an encoding, whose middle bins stay empty where a column has fewer."""
    from rtdl_num_embeddings import _PiecewiseLinearEncodingImpl

    edges = [edges_of(column, bins) for column in numeric.T]
    made = _PiecewiseLinearEncodingImpl(edges)
    encoding.weight.zero_()
    encoding.bias.zero_()
    for name in ("weight", "bias"):
        held, learned = getattr(encoding, name), getattr(made, name)
        held[:, : learned.shape[1] - 1] = learned[:, :-1]
        held[:, -1] = learned[:, -1]
    encoding.single_bin_mask.copy_(torch.tensor([len(edge) == 2 for edge in edges]))


def edges_of(column: Tensor, bins: int) -> Tensor:
    """Give the ends of a column's bins: half of them quantiles of the rows, half quantiles of the different values.

    Where most rows have one value, such as a gain of 0, the published quantiles of rows leave hardly a bin for all
    others. A column of few values gets a bin for each, one whose values all differ half as many as there might be.

    >>> edges_of(torch.tensor([0.0, 0.0, 1.0]), 8).tolist()
    [0.0, 1.0]
    """
    values = column.unique()
    if len(values) <= bins + 1:
        ends = values
    else:
        shares = torch.linspace(0.0, 1.0, bins // 2 + 1)
        ends = torch.cat([torch.quantile(column, shares), torch.quantile(values, shares)]).unique()
    return ends if len(ends) > 1 else torch.stack([ends[0], ends[0] + 1.0])
