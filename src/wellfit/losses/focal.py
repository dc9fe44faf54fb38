"""The focal loss: cross-entropy that turns to the rows still wrong."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional

from wellfit.errors import ConfigError
from wellfit.losses.bce import two_columns
from wellfit.losses.cce import check_columns
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
    widened,
)
from wellfit.losses.targets import class_ids
from wellfit.registry import Option

__all__ = ["ENTRY", "Focal"]


class Focal(Loss):
    """``-a (1 - p)^gamma log p`` with ``p`` the probability of the row's own class.

    One output column is a binary loss with ``a = alpha`` for class 1 and ``1 - alpha`` for class 0; more columns are
    one a class, and ``a = 1``. Powers are taken in logarithms, so that no gradient is NaN at ``p = 1``.
    """

    name = "focal"

    def __init__(
        self,
        *,
        gamma: float = 2.0,
        alpha: float | None = None,
        class_weight: Sequence[float] | None = None,
        from_probabilities: bool = False,
    ) -> None:
        super().__init__(class_weight)
        self.gamma = gamma
        self.alpha = alpha
        self.from_probabilities = from_probabilities

    def reduced(self, output: Tensor, target: Tensor, reduction: Reduction) -> Tensor:
        """Give the unweighted loss: of each row, [row], or the sum or the mean over the rows."""
        if column(output).ndim == 1:
            return reduce(self._binary(output, target), reduction)
        check_columns(output, target, self.name)
        right, wrong = self._of_classes(widened(output), target[:, None])
        return reduce(-(self.gamma * wrong).exp() * right, reduction)

    def _binary(self, output: Tensor, target: Tensor) -> Tensor:
        output, target = paired(output, target, self.name)
        if self.from_probabilities:
            own = (target * output + (1 - target) * (1 - output)).clamp(EPSILON, 1 - EPSILON)
            right, wrong = own.log(), (1 - own).log()
        else:
            margin = output * (2 * target - 1)
            right, wrong = functional.logsigmoid(margin), functional.logsigmoid(-margin)
        losses = -(self.gamma * wrong).exp() * right
        if self.alpha is None:
            return losses
        return losses * (target * self.alpha + (1 - target) * (1 - self.alpha))

    def _of_classes(self, output: Tensor, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Give the logarithms of the probability of the row's class and of all others together, [row] each."""
        if self.from_probabilities:
            shares = output / output.sum(1, keepdim=True)
            own = shares.gather(1, ids).squeeze(1).clamp(EPSILON, 1 - EPSILON)
            return own.log(), (1 - own).log()
        whole = output.logsumexp(1)
        others = output.scatter(1, ids, float("-inf")).logsumexp(1)
        return output.gather(1, ids).squeeze(1) - whole, others - whole

    def prepare(self, target: Tensor, n_outputs: int) -> Tensor:
        """Check class ids; give floats [row] for one output, int64 [row] for one a class."""
        n_classes = max(n_outputs, 2)
        self.check_class_weight(n_classes)
        if n_outputs > 1 and self.alpha is not None:
            do = "Leave it out and use class_weight."
            raise ConfigError("'alpha' of focal is for one output column.", got=self.alpha, do=do)
        ids = class_ids(target, n_classes, self.name)
        return ids.float() if n_outputs == 1 else ids

    def activate(self, output: Tensor) -> Tensor:
        """Give the probabilities, [row, class] (two columns for one output)."""
        if column(output).ndim == 1:
            return two_columns(output, from_probabilities=self.from_probabilities)
        return output if self.from_probabilities else output.softmax(1)


ENTRY = LossEntry(
    name="focal",
    summary="cross-entropy that turns to the rows still wrong: for rare classes",
    make=Focal,
    options=(
        Option(name="gamma", default=2.0, low=0.0, search=(0.5, 5.0), help="how little rows already right count"),
        Option(
            name="alpha",
            default=None,
            low=0.0,
            high=1.0,
            low_open=True,
            high_open=True,
            optional=True,
            example=0.25,
            help="weight of class 1, with 1 - alpha for class 0; for one output only",
        ),
        CLASS_WEIGHT,
        FROM_PROBABILITIES,
    ),
    formula="-a (1 - p)^gamma log p, p the probability of the row's own class",
    reference="Lin et al., Focal loss for dense object detection, 2017",
    tasks=frozenset({"binary", "multiclass"}),
    space="logits",
    per_class=frozenset({"multiclass"}),
)
