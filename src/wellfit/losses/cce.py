"""Categorical cross-entropy, for class ids and for shares of classes."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional

from wellfit.errors import ConfigError
from wellfit.losses.loss import CLASS_WEIGHT, EPSILON, FROM_PROBABILITIES, Loss, LossEntry, Reduction, reduce, widened
from wellfit.losses.targets import class_ids, class_shares
from wellfit.registry import Option

__all__ = ["ENTRY", "CategoricalCrossEntropy", "check_columns"]


class CategoricalCrossEntropy(Loss):
    """``-sum_c t_c log p_c`` with ``p = softmax(output)``, smoothed to ``t (1 - s) + s / C``.

    The target is class ids, int64 [row], or one-hot or soft shares, float [row, class].
    """

    name = "cce"

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
        check_columns(output, target, self.name)
        output = widened(output)
        if target.is_floating_point():
            target = target.to(output.dtype)
        if self.from_probabilities:
            return reduce(self._of_probabilities(output, target), reduction)
        return functional.cross_entropy(output, target, reduction=reduction, label_smoothing=self.label_smoothing)

    def _of_probabilities(self, output: Tensor, target: Tensor) -> Tensor:
        inside = (output / output.sum(1, keepdim=True)).clamp(EPSILON, 1 - EPSILON)
        costs = -inside.log()
        losses = (target * costs).sum(1) if target.ndim == 2 else costs.gather(1, target[:, None]).squeeze(1)
        if not self.label_smoothing:
            return losses
        return losses * (1 - self.label_smoothing) + costs.mean(1) * self.label_smoothing

    def prepare(self, target: Tensor, n_outputs: int) -> Tensor:
        """Check class ids, or shares that sum to 1; give int64 [row], or floats [row, class]."""
        if n_outputs < 2:
            do = "Give the last layer two outputs or more, or use bce."
            raise ConfigError(f"{self.name} takes one output column a class.", got=n_outputs, do=do)
        self.check_class_weight(n_outputs)
        if target.ndim == 2 and target.shape[1] > 1:
            return class_shares(target, n_outputs, self.name)
        return class_ids(target, n_outputs, self.name)

    def activate(self, output: Tensor) -> Tensor:
        """Give the probabilities, [row, class]."""
        return output if self.from_probabilities else output.softmax(1)


def check_columns(output: Tensor, target: Tensor, owner: str) -> None:
    """Raise `ConfigError` unless the output is [row, class] beside ids [row] or shares [row, class]."""
    # the commonest case asks torch the fewest questions: this is in every step
    fits = output.ndim == 2 and len(output) == len(target) and (target.ndim == 1 or target.shape == output.shape)
    if not fits:
        raise ConfigError(
            f"The output for {owner} must be (row, class) beside {len(target)} rows of target.",
            got=tuple(output.shape),
            do="Give the last layer one output for each class.",
        )


ENTRY = LossEntry(
    name="cce",
    summary="categorical cross-entropy: one output a class",
    make=CategoricalCrossEntropy,
    options=(
        Option(
            name="label_smoothing",
            default=0.0,
            low=0.0,
            high=1.0,
            high_open=True,
            search=(0.0, 0.2),
            help="the share of each target that is spread over all classes",
        ),
        CLASS_WEIGHT,
        FROM_PROBABILITIES,
    ),
    formula="-sum_c t_c log p_c, p = softmax(output), t = target (1 - s) + s / C",
    reference="Bridle 1990; Szegedy et al., Rethinking the Inception architecture, 2016 (smoothing); "
    "torch.nn.functional.cross_entropy",
    tasks=frozenset({"binary", "multiclass"}),
    space="logits",
    per_class=frozenset({"binary", "multiclass"}),
)
