"""Progress that a person likes to watch, on standard error, and nothing where that is no terminal."""

from __future__ import annotations

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from wellfit.training.loop import Callback, Trainer

__all__ = ["LiveProgress", "progress_for"]

_REDRAWN_EVERY = 0.1


class LiveProgress(Callback):
    """A bar over the updates, their rate, the time left, and the losses of the last epoch."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("[bold]epoch {task.fields[epoch]}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[losses]}"),
            console=console,
            transient=True,
            auto_refresh=False,
        )
        self._task: TaskID | None = None
        self._drawn = 0.0
        self._begun = 0.0
        self._first_step = 0

    def on_start(self, trainer: Trainer) -> None:
        """Show the bar."""
        self._begun, self._first_step = time.monotonic(), trainer.position.step
        self._task = self._progress.add_task(
            "",
            total=trainer.total_steps,
            completed=trainer.position.step,
            epoch=self._epoch(trainer),
            rate="",
            losses="",
        )
        self._progress.start()

    def on_step(self, trainer: Trainer) -> None:
        """Redraw at most ten times a second."""
        now = time.monotonic()
        if now - self._drawn >= _REDRAWN_EVERY:
            self._drawn = now
            self._draw(trainer)

    def on_epoch(self, trainer: Trainer) -> None:
        """Redraw with the losses of the epoch."""
        self._draw(trainer)

    def on_end(self, trainer: Trainer) -> None:
        """Take the bar away; the summary follows."""
        self._progress.stop()

    def _draw(self, trainer: Trainer) -> None:
        if self._task is None:
            return
        seconds = max(time.monotonic() - self._begun, 1e-9)
        rate = (trainer.position.step - self._first_step) / seconds
        self._progress.update(
            self._task,
            completed=trainer.position.step,
            epoch=self._epoch(trainer),
            rate=f"{rate:,.0f} steps/s",
            losses=_losses(trainer),
        )
        self._progress.refresh()

    @staticmethod
    def _epoch(trainer: Trainer) -> str:
        return f"{min(trainer.position.epoch + 1, trainer.recipe.epochs)}/{trainer.recipe.epochs}"


def _losses(trainer: Trainer) -> str:
    shown = []
    for name, label in (("train_loss", "train"), ("valid_loss", "valid")):
        last = trainer.latest.get(name)
        if last is not None:
            shown.append(f"{label} {last:.4f}")
    if trainer.stopping.best is not None:
        shown.append(f"best epoch {trainer.stopping.best_epoch}")
    return "  ".join(shown)


def progress_for() -> list[Callback]:
    """Give what shows progress: nothing unless standard error is a terminal."""
    if not sys.stderr.isatty():
        return []
    return [LiveProgress(Console(stderr=True))]
