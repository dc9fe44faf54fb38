"""Which of a network's known rows is a row itself: what it would learn by heart if it saw it."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["SameRows"]

_MIX = 0x9E3779B97F4A7C15 - 2**64
"""The odd number nearest to 2^64 over the golden ratio: its multiples are spread evenly."""


class SameRows:
    """Known rows by a checksum of what they hold. Of rows alike the first stands for all.

    >>> SameRows(torch.tensor([[[0.0], [1.0], [2.0]]])).places(torch.tensor([[[2.0], [5.0]]]), torch.tensor([2, 0]))
    tensor([[ 0, -1]])
    """

    def __init__(self, *parts: Tensor) -> None:
        """Take the parts that known rows consist of, numbers or ids, each ``[member, row, column]``."""
        sums = _checksums(parts)
        self._sums, self._order = sums.sort(dim=1, stable=True)

    def places(self, *given: Tensor) -> Tensor:
        """Give where rows are among the chosen known ones, int64 ``[member, row]``; -1 for those that are not there.

        Args:
            given: The parts of the rows, as those of the known ones are, and last the numbers of the chosen ones.
        """
        *parts, chosen = given
        sums = _checksums(parts).expand(len(self._sums), -1).contiguous()
        found = torch.searchsorted(self._sums, sums).clamp_max_(self._sums.shape[1] - 1)
        known = self._sums.gather(1, found) == sums
        places = torch.full((self._sums.shape[1],), -1, device=chosen.device)
        places[chosen] = torch.arange(len(chosen), device=chosen.device)
        return torch.where(known, places[self._order.gather(1, found)], -1)


def _checksums(parts: tuple[Tensor, ...] | list[Tensor]) -> Tensor:
    """Give int64 ``[member, row]``: whether rows are alike is told by their bits, on any processor."""
    whole = [part.contiguous().view(torch.int32) if part.is_floating_point() else part for part in parts]
    bits = torch.cat([part.long() for part in whole], 2)
    factors = torch.arange(1, bits.shape[2] + 1, device=bits.device) * _MIX | 1
    mixed = (bits ^ (bits >> 17)) * factors
    mixed = (mixed ^ (mixed >> 29)) * (factors + 2)
    return (mixed ^ (mixed >> 32)).sum(2)
