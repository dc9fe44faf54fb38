"""What every loss is: a figure for each row, its weighted mean, the target it wants and what its output means.

Shapes: ``output`` is [row], [row, 1] or [row, column]; ``target`` and ``weight`` are [row] (soft targets [row, class]).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from wellfit.errors import ConfigError
from wellfit.losses.targets import values
from wellfit.registry import Entry, Option

__all__ = ["CLASS_WEIGHT", "EPSILON", "FROM_PROBABILITIES", "Loss", "LossEntry", "Reduction", "ValueLoss"]

Reduction = Literal["none", "sum", "mean"]

_HALF = frozenset({torch.bfloat16, torch.float16})

EPSILON = 1e-7
"""Probabilities are held this far from 0 and 1 before their logarithm is taken, as Keras does."""

CLASS_WEIGHT = Option(
    name="class_weight",
    default=None,
    kind="floats",
    low=0.0,
    low_open=True,
    example=[1.0, 2.0],
    help="how much a row of each class counts, one number a class",
)
FROM_PROBABILITIES = Option(
    name="from_probabilities",
    default=False,
    kind="bool",
    help=f"whether the output is probabilities already; they are held within [{EPSILON:g}, 1 - {EPSILON:g}]",
)


class Loss(nn.Module, ABC):
    """A loss without parameters: call it for the weighted mean over the rows, ``sum(w l) / sum(w)``.

    The weight ``w`` of a row is its own weight times the weight of its class; label smoothing does not change it.

    >>> from wellfit.losses import LOSSES
    >>> loss = LOSSES["mse"].make()
    >>> float(loss(torch.tensor([[1.0], [2.0]]), torch.tensor([1.0, 4.0]), weight=torch.tensor([3.0, 1.0])))
    1.0
    """

    name: str
    class_weight: Tensor | None

    def __init__(self, class_weight: Sequence[float] | None = None) -> None:
        super().__init__()
        tensor = None if class_weight is None else torch.tensor(list(class_weight), dtype=torch.float32)
        self.register_buffer("class_weight", tensor, persistent=False)
        # a plain attribute: looking a buffer up costs a share of a small step
        self.weighs_classes = tensor is not None

    @abstractmethod
    def reduced(self, output: Tensor, target: Tensor, reduction: Reduction) -> Tensor:
        """Give the unweighted loss: of each row, [row], or the sum or the mean over the rows."""

    @abstractmethod
    def prepare(self, target: Tensor, n_outputs: int) -> Tensor:
        """Check a whole target once and give it in the dtype and shape the loss wants, or raise `DataError`."""

    @abstractmethod
    def activate(self, output: Tensor) -> Tensor:
        """Give what the output means: probabilities [row, class] (two columns for binary), or values [row]."""

    def per_row(self, output: Tensor, target: Tensor) -> Tensor:
        """Give the unweighted loss of each row, [row]."""
        return self.reduced(output, target, "none")

    def forward(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
        """Give the weighted mean over the rows; 0 where every weight is 0."""
        if weight is None and not self.weighs_classes:
            return self.reduced(output, target, "mean")
        total, count = self.total(output, target, weight)
        assert isinstance(count, Tensor)
        return total / count.clamp_min(torch.finfo(count.dtype).tiny)

    def total(self, output: Tensor, target: Tensor, weight: Tensor | None = None) -> tuple[Tensor, Tensor | float]:
        """Give ``sum(w l)`` and ``sum(w)``: add both over batches, and the mean depends on no batch's size."""
        weights = self.row_weights(target, weight)
        if weights is None:
            # a plain number: making a tensor of it costs a share of a small step
            return self.reduced(output, target, "sum"), float(len(target))
        losses = self.per_row(output, target)
        if weights.shape != losses.shape:
            raise ConfigError(
                "Row weights must be one number a row.", got=tuple(weights.shape), do=f"Give {len(losses)} numbers."
            )
        weights = weights.to(losses.dtype)
        return (weights * losses).sum(), weights.sum()

    def row_weights(self, target: Tensor, weight: Tensor | None = None) -> Tensor | None:
        """Give the weight of each row, [row], or None where all count alike."""
        if self.class_weight is None:
            return weight
        target = column(target)
        own = self.class_weight.to(target.device)
        if target.is_floating_point():
            own = own.to(target.dtype)
            rows = target @ own if target.ndim == 2 else own[0] + (own[1] - own[0]) * target
        else:
            rows = own[target]
        return rows if weight is None else rows * weight

    def check_class_weight(self, n_classes: int) -> None:
        """Raise `ConfigError` unless there is one weight for each class."""
        if self.class_weight is not None and len(self.class_weight) != n_classes:
            raise ConfigError(
                f"'class_weight' of {self.name} must be one number for each of the {n_classes} classes.",
                got=self.class_weight.tolist(),
                do=f"Give {n_classes} numbers.",
            )


class ValueLoss(Loss, ABC):
    """A loss of values against values; of several columns, a row's loss is the mean over them."""

    @abstractmethod
    def error(self, output: Tensor, target: Tensor, reduction: Reduction) -> Tensor:
        """Give the loss of each value, or its sum or mean; both arguments are of one shape and dtype."""

    def reduced(self, output: Tensor, target: Tensor, reduction: Reduction) -> Tensor:
        """Give the unweighted loss: of each row, [row], or the sum or the mean over the rows."""
        output, target = paired(output, target, self.name)
        if output.ndim == 1 or reduction == "mean":
            return self.error(output, target, reduction)
        return reduce(self.error(output, target, "none").flatten(1).mean(1), reduction)

    def prepare(self, target: Tensor, n_outputs: int) -> Tensor:
        """Check that every value is a finite number; give floats, [row], or [row, column] for several outputs."""
        return values(target, n_outputs, self.name)

    def activate(self, output: Tensor) -> Tensor:
        """Give the values, [row], or [row, column] for several outputs."""
        return column(output)


@dataclass(frozen=True, kw_only=True)
class LossEntry(Entry):
    """A loss as data: ``make(**options)`` gives a `Loss`."""

    tasks: frozenset[str]
    """Which of binary, multiclass and regression it fits."""
    space: Literal["logits", "values"]
    """What the network's output is by default."""
    per_class: frozenset[str] = frozenset()
    """The tasks for which the output has one column a class; one column for the others."""

    def outputs(self, task: str, n_classes: int) -> int:
        """Give the number of output columns; a task that the loss does not fit is a `ConfigError`.

        >>> from wellfit.losses import LOSSES
        >>> LOSSES["bce"].outputs("binary", 2), LOSSES["cce"].outputs("multiclass", 5)
        (1, 5)
        """
        if task not in self.tasks:
            fits = " and ".join(sorted(self.tasks))
            raise ConfigError(f"{self.name} is a loss for {fits} targets.", got=task, do="Try auto.")
        return n_classes if task in self.per_class else 1

    def kind(self, outputs: int) -> Literal["value", "logit", "logits"]:
        """Say what so many output columns are: values, the logit of class 1, or logits of all classes."""
        if self.space == "values":
            return "value"
        return "logit" if outputs == 1 else "logits"


def column(tensor: Tensor) -> Tensor:
    """Give [row, 1] as [row], and anything else as it is."""
    return tensor if tensor.ndim < 2 or tensor.shape[-1] != 1 else tensor.squeeze(-1)


def widened(output: Tensor) -> Tensor:
    """Give half-precision numbers as float32: losses are summed in no less."""
    return output.float() if output.dtype in _HALF else output


def paired(output: Tensor, target: Tensor, owner: str) -> tuple[Tensor, Tensor]:
    """Give output and target in one shape and dtype; shapes that would only broadcast are a `ConfigError`."""
    output, target = widened(column(output)), column(target)
    if output.dtype != target.dtype:
        target = target.to(output.dtype)
    if output.shape != target.shape:
        raise ConfigError(
            f"The output for {owner} must have the target's shape, {tuple(target.shape)}.",
            got=tuple(output.shape),
            do="Give the last layer one column for each column of the target.",
        )
    return output, target


def reduce(losses: Tensor, reduction: Reduction) -> Tensor:
    """Give the losses of rows, or their sum or mean."""
    if reduction == "none":
        return losses
    return losses.sum() if reduction == "sum" else losses.mean()
