"""Huber's loss: squared near the target, absolute far from it."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from wellfit.losses.loss import LossEntry, Reduction, ValueLoss
from wellfit.registry import Option

__all__ = ["ENTRY", "Huber"]


class Huber(ValueLoss):
    """``r^2 / 2`` for ``|r| <= delta``, else ``delta (|r| - delta / 2)``, with ``r = output - target``."""

    name = "huber"

    def __init__(self, *, delta: float = 1.0) -> None:
        super().__init__()
        self.delta = delta

    def error(self, output: Tensor, target: Tensor, reduction: Reduction) -> Tensor:
        """Give Huber's losses."""
        return functional.huber_loss(output, target, reduction=reduction, delta=self.delta)


ENTRY = LossEntry(
    name="huber",
    summary="squared near the target, absolute beyond delta: for targets with outliers",
    make=Huber,
    options=(
        Option(
            name="delta",
            default=1.0,
            low=0.0,
            low_open=True,
            search=(0.1, 10.0),
            log=True,
            help="where it turns from squared to absolute, in the target's (scaled) units",
        ),
    ),
    formula="r^2 / 2 if |r| <= delta else delta (|r| - delta / 2), r = output - target",
    reference="Huber, Robust estimation of a location parameter, 1964; torch.nn.functional.huber_loss",
    tasks=frozenset({"regression"}),
    space="values",
)
