"""The L2 penalty (ridge)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from wellfit.registry import Entry, Option
from wellfit.regularizers.penalty import Penalty

__all__ = ["ENTRY", "L2"]


class L2(Penalty):
    """``strength * sum W^2``; its gradient is ``2 strength W``.

    >>> float(L2(0.5).value([torch.tensor([[1.0, -2.0]])]))
    2.5
    """

    def gradients(self, params: list[Tensor]) -> tuple[list[Tensor], float]:
        """Give the weights and twice the strength."""
        return params, 2 * self.strength

    @torch.no_grad()
    def value(self, params: Sequence[Tensor]) -> Tensor:
        """Give ``strength * sum W^2``."""
        if not params:
            return torch.zeros(())
        return self.strength * torch.stack(torch._foreach_norm(list(params), 2)).square().sum()


ENTRY = Entry(
    name="l2",
    summary="pulls weights towards 0 in proportion to their size, through the gradient",
    make=L2,
    options=(Option(name="strength", default=1e-4, low=0.0, search=(1e-6, 1e-1), log=True, help="lambda in the loss"),),
    formula="loss + lambda sum W^2",
    reference="Hoerl & Kennard, Ridge regression, 1970; Krogh & Hertz 1991",
)
