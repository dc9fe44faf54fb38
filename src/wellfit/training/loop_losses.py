"""The losses and rates of a loop that someone else wrote, a number or two a step."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from wellfit.training.merged_windows import MergedWindows

__all__ = ["LoopLosses"]


class LoopLosses:
    """Losses over windows of steps; what is on another device stays there until it is read, all at once.

    >>> losses = LoopLosses()
    >>> losses.add(torch.tensor([0.5]))
    0.5
    >>> losses.read(rate=0.1)
    >>> list(losses.rows())
    [(1, 'batch_loss', 0.5), (1, 'batch_loss_max', 0.5), (1, 'lr', 0.1)]
    """

    def __init__(self) -> None:
        self._windows, self._rates = MergedWindows(), MergedWindows()
        self._waiting: list[Tensor | float] = []

    def add(self, loss: Tensor | float) -> Tensor | float:
        """Take in a step's loss, and give it as it is kept: a number, or a tensor of no dimensions elsewhere."""
        if not isinstance(loss, Tensor):
            kept: Tensor | float = float(loss)
        elif loss.is_cpu:
            kept = loss.item()
        else:
            kept = loss.detach().reshape(())
        self._waiting.append(kept)
        return kept

    def __len__(self) -> int:
        """Give how many losses wait to be read."""
        return len(self._waiting)

    def read(self, *, rate: float | None) -> None:
        """Read the losses that wait, and note the rate that they had; None where it is not known."""
        waiting, self._waiting = self._waiting, []
        elsewhere = [loss for loss in waiting if isinstance(loss, Tensor)]
        numbers = iter(torch.stack(elsewhere).double().tolist() if elsewhere else ())
        self._windows.add([next(numbers) if isinstance(loss, Tensor) else loss for loss in waiting])
        if rate is not None:
            self._rates.add([rate] * len(waiting))

    def rows(self) -> Iterator[tuple[int, str, float]]:
        """Give steps, names and values of the windows, as `History.replace` takes them."""
        for step, mean, most in self._windows.ends():
            yield step, "batch_loss", mean
            yield step, "batch_loss_max", most
        for step, mean, _ in self._rates.ends():
            yield step, "lr", mean
