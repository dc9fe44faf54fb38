"""Clipping of the gradient element by element."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor
from torch.nn.utils import clip_grad_value_

from wellfit.registry import Entry, Option

__all__ = ["ENTRY", "ClipValue"]


@dataclass(frozen=True)
class ClipValue:
    """Hold every element of the gradients within ``[-limit, limit]``; the direction may change.

    >>> import torch
    >>> weight = torch.zeros(2)
    >>> weight.grad = torch.tensor([3.0, -0.5])
    >>> ClipValue(1.0).apply([weight])
    >>> weight.grad
    tensor([ 1.0000, -0.5000])
    """

    limit: float

    def apply(self, params: Sequence[Tensor]) -> None:
        """Clip ``.grad`` in place; call it on unscaled gradients, once for each update."""
        clip_grad_value_(params, self.limit)


ENTRY = Entry(
    name="clip_value",
    summary="holds every element of the gradient within a range",
    make=ClipValue,
    options=(
        Option(
            name="limit",
            default=0.5,
            low=0.0,
            low_open=True,
            search=(0.01, 10.0),
            log=True,
            help="the greatest size of an element",
        ),
    ),
    formula="g <- min(max(g, -limit), limit)",
    reference="Mikolov, Statistical language models based on neural networks, 2012; torch.nn.utils.clip_grad_value_",
)
