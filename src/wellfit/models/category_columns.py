"""Columns of ids as numbers inside a network: few levels as fixed columns of flags, many as vectors that are learned.

Ids 0 and 1 of a column are a missing cell and a level that was not seen in training; levels begin at 2.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["CategoryVectors", "Flags"]

FIRST = 2
"""The id of the first level."""
_CLIP = 3.0


class Flags(nn.Module):
    """One column a level, or one column of -1 and 1 for two levels; a missing cell has a column of its own.

    Columns are centred by their median, divided by the distance of their quartiles (half their range where that is 0)
    and drawn in smoothly, as numbers are; one that does not vary in the training rows gives 0, whatever comes later:
    so does a level that is new. All of it is one table with a row for each id, summed over the columns.

    >>> flags = Flags((4, 5))
    >>> flags.fit_to(torch.tensor([[2, 2], [3, 3], [2, 4], [3, 1]]))
    >>> flags(torch.tensor([[2, 2], [1, 0]])).shape
    torch.Size([2, 6])
    """

    def __init__(self, cardinalities: tuple[int, ...]) -> None:
        super().__init__()
        blocks = [_block(cardinality) for cardinality in cardinalities]
        self.width = sum(block.shape[1] for block in blocks)
        offsets = torch.tensor([0, *cardinalities[:-1]]).cumsum(0)
        self.register_buffer("offsets", offsets, persistent=False)
        self.register_buffer("table", torch.block_diag(*blocks))
        self._places = [(int(first), block) for first, block in zip(offsets, blocks, strict=True)]

    table: Tensor
    offsets: Tensor

    def fit_to(self, ids: Tensor) -> None:
        """Learn centres and scales from the ids of training rows, ``[row, column]``."""
        column = 0
        for place, (first, block) in enumerate(self._places):
            counts = torch.bincount(ids[:, place], minlength=len(block)).double()
            part = self.table[first : first + len(block), column : column + block.shape[1]]
            part.copy_(_scaled(block.double(), counts))
            column += block.shape[1]

    def forward(self, ids: Tensor) -> Tensor:
        """Map ids ``[..., column]`` to numbers ``[..., width]``."""
        flat = (ids + self.offsets).reshape(-1, ids.shape[-1])
        return functional.embedding_bag(flat, self.table, mode="sum").view(*ids.shape[:-1], self.width)


def _block(cardinality: int) -> Tensor:
    """Give what each id of a column is before it is scaled, ``[id, column]``."""
    if cardinality == FIRST + 2:
        return torch.tensor([[0.0], [0.0], [1.0], [-1.0]])
    return torch.eye(cardinality)


def _scaled(block: Tensor, counts: Tensor) -> Tensor:
    """Centre, scale and draw in the columns of a block, each as often as its ids stand in the training rows."""
    quartiles = torch.stack([_quantiles(column, counts) for column in block.T], 1)
    present = block[counts > 0]
    low, high = present.min(0).values, present.max(0).values
    spread = quartiles[2] - quartiles[0]
    spread = torch.where(spread > 0, spread, 0.5 * (high - low))
    scaled = (block - quartiles[1]) / torch.where(spread > 0, spread, torch.inf)
    return scaled / (1.0 + (scaled / _CLIP).square()).sqrt()


def _quantiles(values: Tensor, counts: Tensor) -> Tensor:
    """Give the quartiles of values that stand there so often, as NumPy gives them: linear between neighbours."""
    values, order = values.sort()
    ends = counts[order].cumsum(0)
    places = torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64, device=values.device) * (ends[-1] - 1)
    below = values[torch.searchsorted(ends, places.floor(), right=True)]
    above = values[torch.searchsorted(ends, places.ceil(), right=True)]
    return below + (above - below) * (places - places.floor())


class CategoryVectors(nn.Module):
    """A learned vector for each id of each column, for each member; those of ids 0 and 1 start as zeros.

    >>> CategoryVectors((12, 20), members=2, width=8)(torch.zeros(1, 5, 2, dtype=torch.int64)).shape
    torch.Size([2, 5, 16])
    """

    def __init__(self, cardinalities: tuple[int, ...], *, members: int, width: int) -> None:
        super().__init__()
        offsets = torch.tensor([0, *cardinalities[:-1]]).cumsum(0)
        starts = torch.arange(members).view(-1, 1, 1) * sum(cardinalities)
        self.register_buffer("offsets", offsets + starts, persistent=False)
        weight = torch.randn(members, sum(cardinalities), width)
        # Where training rows have no missing or rare level, it should say nothing.
        weight[:, (offsets[:, None] + torch.arange(FIRST)).flatten()] = 0.0
        self.weight = nn.Parameter(weight)
        self.width = len(cardinalities) * width

    offsets: Tensor

    def forward(self, ids: Tensor) -> Tensor:
        """Map ids ``[member or 1, row, column]`` to ``[member, row, width]``."""
        vectors = functional.embedding(ids + self.offsets, self.weight.flatten(0, 1))
        return vectors.flatten(2)
