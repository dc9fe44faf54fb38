"""Where a training stands, and what may watch it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wellfit.training.loop import Trainer

__all__ = ["Callback", "Position"]


@dataclass
class Position:
    """Where a training stands; all of it is in a checkpoint."""

    step: int = 0
    """Updates made."""
    epoch: int = 0
    """Epochs finished."""
    batch: int = 0
    """Batches of the present epoch that were read."""
    loss_sum: float = 0.0
    loss_weight: float = 0.0
    seconds: float = 0.0
    finished: bool = False


class Callback:
    """Something that watches a training; override what is of interest. It must not change what it watches."""

    def on_start(self, trainer: Trainer) -> None:
        """Before the first update."""

    def on_step(self, trainer: Trainer) -> None:
        """After every update: return quickly."""

    def on_epoch(self, trainer: Trainer) -> None:
        """After an epoch's evaluation; ``trainer.history`` holds its figures."""

    def on_end(self, trainer: Trainer) -> None:
        """After the last update, however it came to that."""
