"""Where trials are made: one training of a course under a seed, measured, and stopped where it is hopeless."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from wellfit.training.fit import FitResult, fit
from wellfit.training.loop import Trainer
from wellfit.training.watching import Callback
from wellfit.treatment.course import Course
from wellfit.treatment.subject import Subject
from wellfit.treatment.yardstick import Figures, Yardstick

__all__ = ["Bench", "Trial"]

_HOPELESS_SKILL = 0.05
_GOOD_SKILL = 0.3


@dataclass(frozen=True)
class Trial:
    """What one training gave."""

    figures: Figures
    seconds: float
    result: FitResult
    stopped: bool = False
    """Whether it was given up half-way."""


class _GivingUp(Callback):
    """Ends a training that is no better than a constant guess half-way, as a time limit would end it."""

    def __init__(self, yardstick: Yardstick, outputs: str, epochs: int) -> None:
        self.yardstick, self.outputs, self.half = yardstick, outputs, -(-epochs // 2)
        self.stopped = False

    def on_epoch(self, trainer: Trainer) -> None:
        """Look at the figures once."""
        if trainer.position.epoch == self.half and trainer.position.epoch < trainer.recipe.epochs:
            found = self.yardstick.measure(trainer.module, self.outputs)
            if found.skill <= _HOPELESS_SKILL:
                self.stopped = True
                trainer.deadline = time.monotonic()


class Bench:
    """Trains courses of one subject, and counts what that costs."""

    def __init__(self, subject: Subject, yardstick: Yardstick) -> None:
        self.subject, self.yardstick = subject, yardstick
        self.trainings = 0
        self.seconds = 0.0
        self._done: dict[tuple[Course, int], Trial] = {}

    def measure(self, course: Course, seed: int, *, watch: bool = False, best: float = 0.0) -> Trial:
        """Train a course under a seed and measure it.

        Args:
            course: what is changed.
            seed: decides first weights, order and dropout; the same for all courses, so that trials are pairs.
            watch: whether layers are watched, for a diagnosis.
            best: the skill that another course has reached; where that is good, hopeless trainings are cut short.

        Raises:
            BadInput: the course can't be trained: an edit or an option does not fit.
        """
        key = (course, seed)
        done = self._done.get(key)
        if done is not None and not (watch and "settings" not in done.result.history.meta):
            return done
        started = time.monotonic()
        trial = self._trained(course, seed, watch, best, started)
        self.trainings += 1
        self.seconds += trial.seconds
        self._done[key] = trial
        return trial

    def _trained(self, course: Course, seed: int, watch: bool, best: float, started: float) -> Trial:
        subject = self.subject
        module = course.module(subject, seed)
        options = {**course.options(subject), "seed": seed, "doctor": "watch" if watch else "off"}
        outputs = course.outputs(subject)
        giving_up = _GivingUp(self.yardstick, outputs, int(options.get("epochs", subject.epochs)))
        callbacks: list[Any] = [giving_up] if best > _GOOD_SKILL else []
        result = fit(module, subject.train, valid=subject.valid, callbacks=callbacks, **options)
        figures = self.yardstick.measure(result.module, outputs)
        return Trial(figures, time.monotonic() - started, result, giving_up.stopped)
