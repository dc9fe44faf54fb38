"""Binary cross-entropy."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from wellfit.errors import ConfigError
from wellfit.losses.loss import (
    CLASS_WEIGHT,
    EPSILON,
    FROM_PROBABILITIES,
    Loss,
    LossEntry,
    Reduction,
    column,
    paired,
    reduce,
)
from wellfit.losses.targets import binary
from wellfit.registry import Option

__all__ = ["ENTRY", "BinaryCrossEntropy", "two_columns"]


class BinaryCrossEntropy(Loss):
    """``-t log p - (1 - t) log(1 - p)`` with ``p = sigmoid(output)``, smoothed to ``t (1 - s) + s / 2``."""

    name = "bce"

    def __init__(
        self,
        *,
        label_smoothing: float = 0.0,
        class_weight: Sequence[float] | None = None,
        from_probabilities: bool = False,
    ) -> None:
        super().__init__(class_weight)
        self.label_smoothing = label_smoothing
        self.from_probabilities = from_probabilities

    def reduced(self, output: Tensor, target: Tensor, reduction: Reduction) -> Tensor:
        """Give the unweighted loss: of each row, [row], or the sum or the mean over the rows."""
        output, target = paired(output, target, self.name)
        if self.label_smoothing:
            target = target * (1 - self.label_smoothing) + self.label_smoothing / 2
        if not self.from_probabilities:
            return functional.binary_cross_entropy_with_logits(output, target, reduction=reduction)
        inside = output.clamp(EPSILON, 1 - EPSILON)
        return reduce(-(target * inside.log() + (1 - target) * (1 - inside).log()), reduction)

    def prepare(self, target: Tensor, n_outputs: int) -> Tensor:
        """Check that every value is 0, 1 or between; give floats, [row]."""
        if n_outputs != 1:
            do = "For one of several classes use cce; for several answers a row, torch.nn.BCEWithLogitsLoss()."
            raise ConfigError(f"{self.name} takes one output column.", got=n_outputs, do=do)
        self.check_class_weight(2)
        return binary(target, self.name)

    def activate(self, output: Tensor) -> Tensor:
        """Give the probabilities of the classes 0 and 1, [row, 2]."""
        return two_columns(output, from_probabilities=self.from_probabilities)


def two_columns(output: Tensor, *, from_probabilities: bool) -> Tensor:
    """Give the probabilities of the classes 0 and 1, [row, 2], from logits or probabilities of class 1."""
    output = column(output)
    if from_probabilities:
        return torch.stack([1 - output, output], 1)
    # sigmoid of the negative, not 1 - p: small probabilities of class 0 keep their digits
    return torch.stack([-output, output], 1).sigmoid()


ENTRY = LossEntry(
    name="bce",
    summary="binary cross-entropy: two classes from one output",
    make=BinaryCrossEntropy,
    options=(
        Option(
            name="label_smoothing",
            default=0.0,
            low=0.0,
            high=1.0,
            high_open=True,
            search=(0.0, 0.2),
            help="how far targets are moved from 0 and 1 towards 1/2",
        ),
        CLASS_WEIGHT,
        FROM_PROBABILITIES,
    ),
    formula="-t log p - (1 - t) log(1 - p), p = sigmoid(output), t = target (1 - s) + s / 2",
    reference="Cox, The regression analysis of binary sequences, 1958; "
    "torch.nn.functional.binary_cross_entropy_with_logits",
    tasks=frozenset({"binary"}),
    space="logits",
)
