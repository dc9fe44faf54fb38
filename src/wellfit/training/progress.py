"""Progress that a person likes to watch, on standard error, and nothing where that is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.status import Status
from rich.table import Column
from rich.text import Text

from wellfit.training.loop import Trainer
from wellfit.training.watching import Callback

__all__ = ["LiveProgress", "live_progress"]

_REDRAWN_EVERY = 0.2
"""Seconds: a drawing takes 2 ms, and a training that is shorter than this needs none."""

_WIDE = 110
"""Columns of a terminal from which on the updates are counted too."""


class LiveProgress(Callback):
    """What goes on: a line while rows are prepared, a bar while training, a line while results are written."""

    def __init__(self, console: Console) -> None:
        self._status = Status("Reading and preparing the rows", console=console)
        # The bar gives way first, then the count of updates: 80 columns are enough for all else.
        count = [MofNCompleteColumn(table_column=Column(no_wrap=True))] if console.width >= _WIDE else []
        self._progress = Progress(
            TextColumn("[bold]epoch {task.fields[epoch]}", table_column=Column(no_wrap=True)),
            BarColumn(bar_width=None, table_column=Column(min_width=4, ratio=1)),
            *count,
            TextColumn("{task.fields[rate]}", table_column=Column(no_wrap=True)),
            TimeRemainingColumn(compact=True, table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[losses]}", table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=console,
            transient=True,
            auto_refresh=False,
            expand=True,
        )
        self._task: TaskID | None = None
        self._drawn = 0.0
        self._begun = 0.0
        self._first_step = 0

    def open(self) -> None:
        """Say that the rows are read."""
        self._status.start()

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._progress.stop()
        self._status.stop()

    def say(self, line: str, *, grave: bool = False) -> None:
        """Say something above what moves; it stays."""
        text = Text(line, style="bold red" if grave else "yellow")
        self._progress.console.print(text, soft_wrap=True)

    def on_start(self, trainer: Trainer) -> None:
        """Make the bar, which is shown when it is first drawn."""
        self._begun = self._drawn = time.monotonic()
        self._first_step = trainer.position.step
        self._task = self._progress.add_task(
            "",
            total=trainer.total_steps,
            completed=trainer.position.step,
            epoch=_epoch(trainer),
            rate="",
            losses="",
        )

    def on_step(self, trainer: Trainer) -> None:
        """Redraw at most five times a second."""
        now = time.monotonic()
        if now - self._drawn >= _REDRAWN_EVERY:
            self._drawn = now
            self._draw(trainer)

    def on_epoch(self, trainer: Trainer) -> None:
        """Redraw with the losses of the epoch, no oftener: many short epochs would spend their time on it."""
        self.on_step(trainer)

    def on_end(self, trainer: Trainer) -> None:
        """Take the bar away, and say that the results are written; the summary follows."""
        self._progress.stop()
        self._status.update("Scoring, and writing the report")
        self._status.start()

    def _draw(self, trainer: Trainer) -> None:
        if self._task is None:
            return
        self._status.stop()
        self._progress.start()
        seconds = max(time.monotonic() - self._begun, 1e-9)
        rate = (trainer.position.step - self._first_step) / seconds
        self._progress.update(
            self._task,
            completed=trainer.position.step,
            epoch=_epoch(trainer),
            rate=f"{rate:,.0f} steps/s",
            losses=_losses(trainer),
        )
        self._progress.refresh()


def _epoch(trainer: Trainer) -> str:
    return f"{min(trainer.position.epoch + 1, trainer.recipe.epochs)}/{trainer.recipe.epochs}"


def _losses(trainer: Trainer) -> str:
    """Give the losses of the last epoch, and which was the best: first what matters most, the line may be cut."""
    shown = []
    for name, label in (("train_loss", "train"), ("valid_loss", "valid")):
        last = trainer.latest.get(name)
        if last is not None:
            shown.append(f"{label} {last:.4f}")
    if trainer.stopping.best is not None:
        shown.append(f"best epoch {trainer.stopping.best_epoch}")
    return "  ".join(shown)


@contextmanager
def live_progress(*, quiet: bool = False) -> Iterator[list[Callback]]:
    """Give what shows progress: nothing where it should be quiet, or standard error is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield []
        return
    shown = LiveProgress(Console(stderr=True))
    shown.open()
    try:
        yield [shown]
    finally:
        shown.close()
