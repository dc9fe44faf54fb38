"""Problems named while a training still goes on: each once, as soon as the checks are sure."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from wellfit.diagnosis import diagnose
from wellfit.findings import Finding
from wellfit.history import History
from wellfit.training import Callback, Trainer
from wellfit.training.progress import LiveProgress, live_progress

__all__ = ["Alarm", "alarm_line", "live_display", "to_standard_error"]

_EVERY = 2.0
"""Seconds between two looks: sooner than a person reacts."""

_SHARE = 0.005
"""The largest share of a training's time that looks may take: a look is the rarer the longer it took."""

_PLACES = 3
"""Places at which one problem is named; more layers of the same tell nothing new, and the report has all."""

Say = Callable[[Finding, int], None]
Key = tuple[str, str, str]
"""Code, severity and place of a finding."""


class Alarm(Callback):
    """Looks at what a training records and names every new warning or error once, with its layer and epoch.

    What is wrong before the first update and what is an error is named at once; another warning when a second look
    finds it again, since what a training looks like in one epoch may be gone in the next.

    Args:
        say: is given a finding and the number of the epoch that ended, 0 before the first.

    It reads the history alone. A fault of its own is said once and ends the looking, never the training.

    >>> history = History({"non_finite": {"step": 7, "where": "0.weight", "lr": 1.0, "message": "A gradient is NaN."}})
    >>> alarm = Alarm(lambda finding, epoch: print(epoch, finding.code))
    >>> alarm.look(history, 1), alarm.look(history, 1)
    1 non_finite
    (None, None)
    """

    def __init__(self, say: Say) -> None:
        self._say = say
        self._said: set[Key] = set()
        self._doubtful: set[Key] = set()
        self._places: Counter[str] = Counter()
        self._next = time.monotonic() + _EVERY
        self._broken = False

    def on_start(self, trainer: Trainer) -> None:
        """Look at what is known before the first update."""
        if trainer.recipe.watch:
            self.look(trainer.history, trainer.position.epoch, sure=trainer.position.step == 0)
        self._next = time.monotonic() + _EVERY

    def on_epoch(self, trainer: Trainer) -> None:
        """Look, unless the doctor is off or looked a moment ago."""
        if trainer.recipe.watch:
            self.look_if_due(lambda: trainer.history, trainer.position.epoch)

    def look_if_due(self, history: Callable[[], History], epoch: int) -> None:
        """Look at a history, which may cost something to get, where the last look is long enough ago for its cost."""
        began = time.monotonic()
        if began < self._next:
            return
        self.look(history(), epoch)
        self._next = began + max(_EVERY, (time.monotonic() - began) / _SHARE)

    def look(self, history: History, epoch: int, *, sure: bool = False, live: bool = True) -> None:
        """Look at a history now.

        ``sure`` names warnings at the first sight of them; ``live`` tells whether the training goes on.
        """
        if self._broken:
            return
        try:
            found = diagnose(history, live=live)
        except Exception as error:
            self._broken = True
            sys.stderr.write(f"note: the doctor failed and looks no more ({type(error).__name__}: {error})\n")
            return
        grave = {_key(finding): finding for finding in found if finding.severity != "info"}
        for key, finding in grave.items():
            if sure or finding.severity == "error" or key in self._doubtful:
                self._name(key, finding, epoch)
        self._doubtful = set(grave)

    def _name(self, key: Key, finding: Finding, epoch: int) -> None:
        if key not in self._said and self._places[finding.code] < _PLACES:
            self._said.add(key)
            self._places[finding.code] += 1
            self._say(finding, epoch)


def _key(finding: Finding) -> Key:
    return finding.code, finding.severity, finding.where


def alarm_line(finding: Finding, epoch: int) -> str:
    """Give a finding in one line, its place named where the message does not.

    >>> alarm_line(Finding(code="dead_units", severity="warning", where="body.2", message="Half of it is dead."), 3)
    "warning: epoch 3: Half of it is dead. At 'body.2'. [dead_units]"
    """
    place = f" At '{finding.where}'." if finding.where and finding.where not in finding.message else ""
    when = f"epoch {epoch}" if epoch else "before training"
    return f"{finding.severity}: {when}: {' '.join(finding.message.split())}{place} [{finding.code}]"


def to_standard_error(finding: Finding, epoch: int) -> None:
    """Say a finding in one plain line."""
    sys.stderr.write(alarm_line(finding, epoch) + "\n")
    sys.stderr.flush()


@contextmanager
def live_display(*, quiet: bool = False) -> Iterator[list[Callback]]:
    """Give what shows a training: its progress in a terminal, and everywhere the problems it runs into.

    ``quiet`` shows nothing.
    """
    with live_progress(quiet=quiet) as shown:
        yield [] if quiet else [*shown, Alarm(_above(shown))]


def _above(shown: list[Callback]) -> Say:
    """Say it above the progress bar, where there is one."""
    bar = next((callback for callback in shown if isinstance(callback, LiveProgress)), None)
    if bar is None:
        return to_standard_error
    return lambda finding, epoch: bar.say(alarm_line(finding, epoch), grave=finding.severity == "error")
