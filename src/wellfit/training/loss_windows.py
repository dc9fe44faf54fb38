"""The loss over windows of steps: what happened within an epoch, at a cost that does not grow with the run."""

from __future__ import annotations

import math
from typing import Any

from wellfit.history import History

__all__ = ["LossWindows"]

_WINDOWS = 100
"""Windows of a run whose length is known: enough to see a rate overshoot in the first hundredth of it."""


class LossWindows:
    """Mean and largest loss of a batch over windows of steps, as ``batch_loss`` and ``batch_loss_max``."""

    def __init__(self, total_steps: int | None) -> None:
        self.size = max(1, (total_steps or 0) // _WINDOWS)
        self._known = total_steps is not None
        self._step, self._count, self._sum, self._weight, self._largest = 0, 0, 0.0, 0.0, -math.inf

    def add(self, total: float, weight: float, history: History, epoch: int) -> None:
        """Take in a step's sum of losses and of weights; a full window is written down."""
        self._step += 1
        if not self._known or not weight:
            return
        self._count += 1
        self._sum += total
        self._weight += weight
        self._largest = max(self._largest, total / weight)
        if self._count == self.size:
            self.flush(history, epoch)

    def flush(self, history: History, epoch: int) -> None:
        """Write down the steps of an open window, if there are any."""
        if not self._count:
            return
        for name, value in (("batch_loss", self._sum / self._weight), ("batch_loss_max", self._largest)):
            history.add(step=self._step, epoch=epoch, name=name, value=value)
        self._count, self._sum, self._weight, self._largest = 0, 0.0, 0.0, -math.inf

    def state(self) -> dict[str, Any]:
        """Give what a checkpoint keeps."""
        return {
            "step": self._step,
            "count": self._count,
            "sum": self._sum,
            "weight": self._weight,
            "largest": self._largest if self._count else None,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self._step, self._count = state["step"], state["count"]
        self._sum, self._weight = state["sum"], state["weight"]
        self._largest = -math.inf if state["largest"] is None else state["largest"]
