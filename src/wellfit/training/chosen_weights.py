"""Which of a training's weights are evaluated and kept: the last ones, their moving average, or the best epoch's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from wellfit.training.evaluation import evaluating

__all__ = ["ChosenWeights"]


class ChosenWeights:
    """The weights of a module in training, and beside them the ones that are evaluated in their place.

    ``decay`` is that of the moving average, None where there is none. An optimizer that trains at other points than
    the weights it is after, such as a schedule-free one, says so by its ``eval`` and ``train``.
    """

    def __init__(self, module: nn.Module, optimizer: Optimizer, decay: float | None) -> None:
        self._module, self._optimizer, self._decay = module, optimizer, decay
        self._trained: list[Tensor] = [weight for weight in module.parameters() if weight.requires_grad]
        self._averages = None if decay is None else [weight.detach().clone() for weight in self._trained]
        self.best: dict[str, Tensor] | None = None
        """What the module held after the best epoch; None where the last weights are kept."""

    @torch.no_grad()
    def average(self) -> None:
        """Move the average by one update."""
        if self._averages is not None and self._decay is not None:
            torch._foreach_lerp_(self._averages, self._trained, 1.0 - self._decay)

    def keep_best(self) -> None:
        """Keep what the module holds now."""
        state = self._module.state_dict()
        if self.best is None:
            self.best = {name: value.detach().clone() for name, value in state.items()}
            return
        for name, value in state.items():
            self.best[name].copy_(value)

    @contextmanager
    def evaluated(self) -> Iterator[None]:
        """Put the weights that are evaluated into the module, and the ones that are trained back after."""
        trained = None
        self._told("eval")
        if self._averages is not None:
            trained = [weight.detach().clone() for weight in self._trained]
            self._put(self._averages)
        try:
            with evaluating(self._module):
                yield
        finally:
            if trained is not None:
                self._put(trained)
            self._told("train")

    def settle(self) -> None:
        """Leave in the module the weights that the run keeps."""
        self._told("eval")
        if self._averages is not None:
            self._put(self._averages)
        if self.best is not None:
            self._module.load_state_dict(self.best)

    def _told(self, place: str) -> None:
        """Have the optimizer put the weights of a place into the module, where it knows of any."""
        move = getattr(self._optimizer, place, None)
        if move is not None:
            move()

    @torch.no_grad()
    def _put(self, values: list[Tensor]) -> None:
        torch._foreach_copy_(self._trained, values)

    def state(self) -> dict[str, Any]:
        """Give what a checkpoint holds of them."""
        return {"averages": self._averages, "best": self.best}

    @torch.no_grad()
    def restore(self, state: dict[str, Any]) -> None:
        """Take back what `state` gave."""
        if self._averages is not None:
            torch._foreach_copy_(self._averages, state["averages"])
        self.best = state["best"]
