"""Mean squared error."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from wellfit.losses.loss import LossEntry, Reduction, ValueLoss

__all__ = ["ENTRY", "SquaredError"]


class SquaredError(ValueLoss):
    """The squared difference, ``(output - target)^2``."""

    name = "mse"

    def error(self, output: Tensor, target: Tensor, reduction: Reduction) -> Tensor:
        """Give the squared differences."""
        return functional.mse_loss(output, target, reduction=reduction)


ENTRY = LossEntry(
    name="mse",
    summary="mean squared error: its best constant is the mean",
    make=SquaredError,
    formula="(output - target)^2",
    reference="Gauss, Theoria motus, 1809; torch.nn.functional.mse_loss",
    tasks=frozenset({"regression"}),
    space="values",
)
