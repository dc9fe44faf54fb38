"""Piecewise-linear embeddings of numbers: bins learned from rows, and what a number says of each, by few passes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

__all__ = ["edges_of", "embedded", "set_bins"]


def embedded(module: Any, numeric: Tensor) -> Tensor:
    """Give what a package's `PiecewiseLinearEmbeddings` of version B makes of numbers, in a third of its time.

    A column's bins lie in memory as its product wants them, and are cut where they stand; the package puts three parts
    together and turns them.

    Args:
        module: the package's module, without an activation.
        numeric: ``[row, number]``.

    Returns:
        ``[row, number * width]``.
    """
    impl = module.impl
    if torch.compiler.is_compiling() or (torch.is_grad_enabled() and numeric.requires_grad):
        whole: Tensor = module(numeric)
        return whole.flatten(1)
    columns = numeric.mT.contiguous().unsqueeze(2)
    bins = (columns * impl.weight.unsqueeze(1)).add_(impl.bias.unsqueeze(1))
    last = torch.where(impl.single_bin_mask[:, None], bins[..., -1], bins[..., -1].clamp_min(0.0))
    bins[..., 1:].clamp_min_(0.0)
    bins[..., :-1].clamp_max_(1.0)
    bins[..., -1] = last
    straight = columns * module.linear0.weight.unsqueeze(1) + module.linear0.bias.unsqueeze(1)
    return torch.baddbmm(straight, bins, module.linear.weight).transpose(0, 1).flatten(1)


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
