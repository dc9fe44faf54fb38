"""Clipping of the gradient by its norm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from wellfit.registry import Entry, Option

__all__ = ["ENTRY", "ClipNorm"]


@dataclass(frozen=True)
class ClipNorm:
    """Scale all gradients alike so that their common 2-norm is at most ``limit``; the direction stays.

    >>> weight = torch.zeros(2)
    >>> weight.grad = torch.tensor([3.0, 4.0])
    >>> ClipNorm(1.0).apply([weight])
    tensor(5.)
    >>> weight.grad
    tensor([0.6000, 0.8000])
    """

    limit: float

    @torch.no_grad()
    def apply(self, params: Sequence[Tensor], total_norm: Tensor | None = None) -> Tensor:
        """Clip ``.grad`` in place and give the norm before; ``total_norm`` spares computing it again.

        Call it on unscaled gradients, once for each update and not for each micro-batch. Nothing here waits for the
        device: a norm that is not finite is for the caller to refuse.
        """
        if total_norm is None:
            total_norm = get_total_norm([param.grad for param in params if param.grad is not None])
        clip_grads_with_norm_(params, self.limit, total_norm)
        return total_norm


ENTRY = Entry(
    name="clip_norm",
    summary="shortens a gradient that is too long; its direction stays",
    make=ClipNorm,
    options=(
        Option(
            name="limit",
            default=1.0,
            low=0.0,
            low_open=True,
            search=(0.1, 10.0),
            log=True,
            help="the greatest 2-norm of all gradients together",
        ),
    ),
    formula="g <- g min(1, limit / (|g| + 1e-6))",
    reference="Pascanu et al., On the difficulty of training recurrent neural networks, 2013; "
    "torch.nn.utils.clip_grad_norm_",
)
