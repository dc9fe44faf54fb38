"""Penalties: terms of the loss that depend on the weights alone, added straight to the gradients."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Penalty"]


@dataclass(frozen=True)
class Penalty(ABC):
    """A term ``strength * f(weights)`` of the loss, whose gradient is added without building a graph.

    ``params`` are the weights, as `wellfit.regularizers.decayed_parameters` gives them.
    """

    strength: float

    @abstractmethod
    def gradients(self, params: list[Tensor]) -> tuple[list[Tensor], float]:
        """Give tensors and the number that makes them the term's gradients."""

    @abstractmethod
    def value(self, params: Sequence[Tensor]) -> Tensor:
        """Give the term, a scalar without a graph, to be reported beside the loss."""

    @torch.no_grad()
    def add_gradient(self, params: Sequence[Tensor]) -> None:
        """Add the term's gradients to ``.grad``; call it on unscaled gradients, before clipping."""
        plain: list[Tensor] = []
        grads: list[Tensor] = []
        for param in params:
            if param.grad is None or param.grad.layout != torch.strided:
                self._set_gradient(param)
            else:
                plain.append(param)
                grads.append(param.grad)
        if plain:
            directions, scale = self.gradients(plain)
            torch._foreach_add_(grads, directions, alpha=scale)

    def _set_gradient(self, param: Tensor) -> None:
        """Give a gradient to a weight that has none or a sparse one: every element is penalised, used or not."""
        (direction,), scale = self.gradients([param])
        own = direction * scale
        param.grad = own if param.grad is None else own + param.grad
