"""The L1 penalty (lasso)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from wellfit.registry import Entry, Option
from wellfit.regularizers.penalty import Penalty

__all__ = ["ENTRY", "L1"]


class L1(Penalty):
    """``strength * sum |W|``; its gradient is ``strength * sign(W)``, 0 at 0.

    >>> float(L1(0.1).value([torch.tensor([[1.0, -2.0]])]))
    0.30000001192092896
    """

    def gradients(self, params: list[Tensor]) -> tuple[list[Tensor], float]:
        """Give the signs and the strength."""
        return list(torch._foreach_sign(params)), self.strength

    @torch.no_grad()
    def value(self, params: Sequence[Tensor]) -> Tensor:
        """Give ``strength * sum |W|``."""
        if not params:
            return torch.zeros(())
        return self.strength * torch.stack(torch._foreach_norm(list(params), 1)).sum()


ENTRY = Entry(
    name="l1",
    summary="pulls weights towards 0 by equal amounts, so that many end there",
    make=L1,
    options=(Option(name="strength", default=1e-5, low=0.0, search=(1e-7, 1e-2), log=True, help="lambda in the loss"),),
    formula="loss + lambda sum |W|",
    reference="Tibshirani, Regression shrinkage and selection via the lasso, 1996",
)
