"""Where trials are made: one training of a course under a seed, measured, and stopped where it is hopeless."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any

from wellfit.training.loop import Trainer
from wellfit.training.watching import Callback
from wellfit.treatment.course import Course
from wellfit.treatment.yardstick import Figures

__all__ = ["Bench", "GivingUp", "Trial"]

_HOPELESS_SKILL = 0.05
GOOD_SKILL = 0.3
"""The skill that some course must have reached before others are given up."""


@dataclass(frozen=True)
class Trial:
    """What one training gave."""

    figures: Figures
    seconds: float
    result: Any
    """What was trained: it has ``findings`` and ``history``."""
    stopped: bool = False
    """Whether it was given up half-way."""
    watched: bool = False


class Bench(ABC):
    """Trains courses, each once under a seed, and counts what that costs."""

    def __init__(self) -> None:
        self.trainings = 0
        self.seconds = 0.0
        """What all trainings took."""
        self.balanced = False
        """Whether every class counts alike in the figures."""
        self._done: dict[tuple[Course, int], Trial] = {}

    @abstractmethod
    def train(self, course: Course, seed: int, *, watch: bool, hopeful: bool) -> tuple[Any, bool]:
        """Train a course under a seed; give what was trained, and whether it was given up half-way."""

    @abstractmethod
    def figures(self, course: Course, result: Any) -> Figures:
        """Measure what was trained, on the validation rows."""

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
        done = self._done.get((course, seed))
        if done is not None and (done.watched or not watch):
            return done
        started = time.monotonic()
        result, stopped = self.train(course, seed, watch=watch, hopeful=best <= GOOD_SKILL)
        self.trainings += 1
        figures = self.figures(course, result)
        trial = Trial(figures, time.monotonic() - started, result, stopped, watch)
        self.seconds += trial.seconds
        self._done[course, seed] = trial
        return trial

    def rebalanced(self, trial: Trial) -> Trial:
        """Measure a training as given anew, and all others from now on, by the figure in which classes count alike."""
        self.balanced = True
        renewed = replace(trial, figures=self.figures(Course(), trial.result))
        self._done = {key: renewed if held is trial else held for key, held in self._done.items()}
        return renewed


class GivingUp(Callback):
    """Ends a training that is no better than a constant guess half-way, as a time limit would end it."""

    def __init__(self, measure: Any) -> None:
        self.measure = measure
        """``measure(trainer) -> Figures``."""
        self.stopped = False

    def on_epoch(self, trainer: Trainer) -> None:
        """Look at the figures once."""
        epochs, done = trainer.recipe.epochs, trainer.position.epoch
        if done == -(-epochs // 2) and done < epochs and self.measure(trainer).skill <= _HOPELESS_SKILL:
            self.stopped = True
            trainer.deadline = time.monotonic()
