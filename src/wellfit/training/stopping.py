"""Early stopping: when to stop, and which epoch to keep."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

__all__ = ["EarlyStopping"]


@dataclass
class EarlyStopping:
    """Watches one figure, epoch by epoch.

    An epoch improves when it beats the best by more than ``min_delta``; a figure that is not finite never does.

    >>> stopping = EarlyStopping(patience=1)
    >>> [stopping.improves(epoch, loss) for epoch, loss in enumerate([3.0, 2.0, 2.5])]
    [True, True, False]
    >>> stopping.exhausted
    True
    """

    patience: int | None = None
    min_delta: float = 0.0
    greater_is_better: bool = False
    best: float | None = None
    best_epoch: int = 0
    waited: int = 0

    def improves(self, epoch: int, value: float) -> bool:
        """Take an epoch's figure, and tell whether it is the best so far."""
        if math.isfinite(value) and (self.best is None or self._gain(value) > self.min_delta):
            self.best, self.best_epoch, self.waited = value, epoch, 0
            return True
        self.waited += 1
        return False

    def _gain(self, value: float) -> float:
        best = 0.0 if self.best is None else self.best
        return value - best if self.greater_is_better else best - value

    @property
    def exhausted(self) -> bool:
        """Whether patience has run out."""
        return self.patience is not None and self.waited >= self.patience

    def state(self) -> dict[str, Any]:
        """Give what a checkpoint keeps."""
        return {"best": self.best, "best_epoch": self.best_epoch, "waited": self.waited}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self.best, self.best_epoch, self.waited = state["best"], state["best_epoch"], state["waited"]
