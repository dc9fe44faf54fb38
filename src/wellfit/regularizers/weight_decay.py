"""Weight decay apart from the gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import Optimizer

from wellfit.registry import Entry, Option

__all__ = ["ENTRY", "WeightDecay"]


@dataclass(frozen=True)
class WeightDecay:
    """``W <- W (1 - lr strength)`` before the optimizer's step, as AdamW does; the gradient is left alone.

    >>> weights = [torch.tensor([[10.0]])]
    >>> WeightDecay(0.5).apply(weights, lr=0.1)
    >>> weights
    [tensor([[9.5000]])]
    """

    strength: float
    factors: Sequence[float] | None = None
    """What the strength of each weight is multiplied by; None: all decay alike."""

    @torch.no_grad()
    def apply(self, params: Sequence[Tensor], lr: float, optimizer: Optimizer | None = None) -> None:
        """Shrink the weights in place; ``lr`` is the rate of this step, its schedule's factor included.

        Most optimizers keep the weights in the parameters. Those that keep them elsewhere would undo a change of the
        parameters in their next step, and have ``shrink(params, share)`` for this.
        """
        shrink = getattr(optimizer, "shrink", None)
        if self.factors is not None:
            self._apply_each(params, lr, shrink)
        elif shrink is not None:
            shrink(list(params), lr * self.strength)
        elif params:
            torch._foreach_mul_(list(params), 1 - lr * self.strength)

    def _apply_each(self, params: Sequence[Tensor], lr: float, shrink: Callable[..., None] | None) -> None:
        assert self.factors is not None
        shares = [lr * self.strength * factor for factor in self.factors]
        if shrink is None:
            torch._foreach_mul_(list(params), [1 - share for share in shares])
            return
        for weight, share in zip(params, shares, strict=True):
            shrink([weight], share)


ENTRY = Entry(
    name="weight_decay",
    summary="shrinks weights by a share at each step, apart from the gradient",
    make=WeightDecay,
    options=(
        Option(
            name="strength",
            default=0.01,
            low=0.0,
            search=(1e-5, 1e-1),
            log=True,
            help="share of a weight that a step of rate 1 takes away",
        ),
    ),
    formula="W <- W (1 - lr lambda)",
    reference="Loshchilov & Hutter, Decoupled weight decay regularization, 2019; torch.optim.AdamW",
)
