"""The quantile (pinball) loss."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from wellfit.losses.loss import LossEntry, Reduction, ValueLoss, reduce
from wellfit.registry import Option

__all__ = ["ENTRY", "Quantile"]


class Quantile(ValueLoss):
    """``max(q r, (q - 1) r)`` with ``r = target - output``: too low costs q a unit, too high 1 - q."""

    name = "quantile"

    def __init__(self, *, q: float = 0.5) -> None:
        super().__init__()
        self.q = q

    def error(self, output: Tensor, target: Tensor, reduction: Reduction) -> Tensor:
        """Give the pinball losses."""
        residual = target - output
        return reduce(self.q * residual + functional.relu(-residual), reduction)


ENTRY = LossEntry(
    name="quantile",
    summary="predicts the q-quantile of the target, the median by default",
    make=Quantile,
    options=(
        Option(
            name="q",
            default=0.5,
            low=0.0,
            high=1.0,
            low_open=True,
            high_open=True,
            help="the share of targets that should lie below the prediction",
        ),
    ),
    formula="max(q r, (q - 1) r), r = target - output",
    reference="Koenker & Bassett, Regression quantiles, 1978; sklearn.metrics.mean_pinball_loss",
    tasks=frozenset({"regression"}),
    space="values",
)
