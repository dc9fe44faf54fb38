"""Mean absolute error."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from wellfit.losses.loss import LossEntry, Reduction, ValueLoss

__all__ = ["ENTRY", "AbsoluteError"]


class AbsoluteError(ValueLoss):
    """The absolute difference, ``|output - target|``."""

    name = "mae"

    def error(self, output: Tensor, target: Tensor, reduction: Reduction) -> Tensor:
        """Give the absolute differences."""
        return functional.l1_loss(output, target, reduction=reduction)


ENTRY = LossEntry(
    name="mae",
    summary="mean absolute error: its best constant is the median, outliers pull little",
    make=AbsoluteError,
    formula="|output - target|",
    reference="Laplace 1774; torch.nn.functional.l1_loss",
    tasks=frozenset({"regression"}),
    space="values",
)
