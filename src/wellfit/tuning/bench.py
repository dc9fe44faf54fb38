"""Where trials are trained: rows are prepared once for each set of data, cleaning and feature settings."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch

from wellfit.config import Config, as_mapping, with_recipe, with_values
from wellfit.errors import ConfigError, DataError, Interrupted, WellfitError
from wellfit.experiment import Experiment
from wellfit.metrics import METRICS, default_metric
from wellfit.prepared import Prepared
from wellfit.source_preparation import prepare_source
from wellfit.training import Callback, Trainer
from wellfit.tuning.folds import fold_count, of_fold
from wellfit.tuning.images import Settled, cells_of, settled_once
from wellfit.tuning.settings import with_settings
from wellfit.tuning.subject import Subject

__all__ = ["Bench", "Job", "Measured", "Report", "State"]

State = Literal["complete", "pruned", "failed"]
Report = Callable[[int, float], bool]
"""``report(rung, value)`` tells whether the training is given up."""

_KEPT = 4
"""Sets of prepared rows that are held of each fold: as many as there are scalers worth trying, and the config's own."""

_ABOUT_A_TRIAL = {
    "train.checkpoint_every": None,
    "train.doctor": "off",
    "train.time": None,
}
"""A trial is not resumed from within, not diagnosed, and compared by epochs and not by the clock."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A training to be made."""

    key: str
    """What the job is called by: ``trial 3`` or ``proof default 1001``."""
    values: Mapping[str, Any]
    """Settings over the config's own, by dotted key."""
    seed: int | None = None
    """The training's seed; None: the config's own."""
    rungs: tuple[int, ...] = ()
    """Epochs, or folds where there are several, after which it is asked whether the training is given up."""
    seconds: float | None = None
    """The longest it may take; it is cut short then."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What a training gave on the validation rows, or trainings on each of several folds in the mean."""

    state: State
    value: float | None = None
    """The metric of the validation rows, in its own direction; None where there is none."""
    seconds: float = 0.0
    epochs: int = 0
    reason: str = ""
    """Why the training has failed or was given up."""


class Bench:
    """Trains a config with a job's settings on the training rows, and measures it on the validation rows.

    Test rows are never scored.

    Args:
        subject: what is tuned.
        data: its rows, where they are in memory.
        settled: what was settled for all trainings, by dotted key, where that was done before; None settles it.
    """

    def __init__(self, subject: Subject, data: Any = None, *, settled: Mapping[str, Any] | None = None) -> None:
        self.subject, self.data = subject, data
        config = subject.config
        untimed = with_values(config, _ABOUT_A_TRIAL)
        self.prepared: Prepared = prepare_source(untimed, data)
        self.settled = self._settled(config) if settled is None else Settled(values=dict(settled))
        self.config = with_values(untimed, self.settled.values)
        recipe = with_recipe(self.config, task=self.prepared.target.task, rows=self.prepared.rows["train"])
        self._rows: dict[str, Prepared] = {_rows_key(recipe): self.prepared}
        self.folds = fold_count(self.config, self.prepared)
        """On how many parts of the rows a training is judged."""
        self._expect_folds()
        self.metric = self._metric()
        self.greater_is_better = METRICS[self.metric].greater_is_better

    def _settled(self, config: Config) -> Settled:
        found = settled_once(self.prepared, config)
        return replace(found, values={**found.values, **self.subject.settled(self.prepared)})

    def _expect_folds(self) -> None:
        if self.folds == 1:
            return
        try:
            self.ready(of_fold(self.config, 0, self.folds))
        except DataError:
            # Too few groups for so many.
            if self.config.tune.folds != "auto":
                raise
            self.folds = 1

    def resolved(self) -> Config:
        """Give the config with every auto as a training takes it."""
        return Experiment(self.ready(self.config)).config

    @property
    def cells(self) -> int:
        """Training rows times columns or pixels."""
        return cells_of(self.prepared)

    def _metric(self) -> str:
        named = self.config.train.metric
        name = default_metric(self.prepared.target.task) if named == "auto" else named
        if self.prepared.target.task not in METRICS[name].tasks:
            rule = f"'{name}' is no metric for a {self.prepared.target.task} target."
            raise ConfigError(rule, do="Leave train.metric at auto.")
        return name

    def ready(self, config: Config) -> Prepared:
        """Give the rows prepared as a config says, with its model and training."""
        config = with_recipe(config, task=self.prepared.target.task, rows=self.prepared.rows["train"])
        key = _rows_key(config)
        if key not in self._rows:
            if len(self._rows) >= _KEPT * self.folds:
                # The config's own rows stay: the default and most others read them.
                self._rows.pop(list(self._rows)[1])
            self._rows[key] = prepare_source(config, self.data)
        prepared = self._rows[key]
        read = as_mapping(prepared.config)
        return replace(prepared, config=with_values(config, {name: read[name] for name in _OF_ROWS}))

    def measure(self, job: Job, report: Report = lambda epoch, value: False) -> Measured:
        """Make a training and measure it; one that can't be made is a failed one with its reason.

        Raises:
            Interrupted: the person asked to stop.
        """
        started = time.monotonic()
        try:
            measured = self._measure(job, report, started)
        except Interrupted:
            raise
        except (MemoryError, torch.OutOfMemoryError):
            measured = Measured(state="failed", reason="There was not enough memory.")
        except (WellfitError, RuntimeError, ArithmeticError, ValueError) as error:
            measured = Measured(state="failed", reason=_reason(error))
        return replace(measured, seconds=time.monotonic() - started)

    def _measure(self, job: Job, report: Report, started: float) -> Measured:
        seed = {} if job.seed is None else {"train.seed": job.seed}
        config = with_settings(self.config, {**job.values, **seed})
        until = None if job.seconds is None else started + job.seconds
        if self.folds == 1:
            return self._trained(config, _Watch(job.rungs, report, until))
        return self._over_folds(config, job.rungs, report, until)

    def _over_folds(self, config: Config, rungs: Sequence[int], report: Report, until: float | None) -> Measured:
        """Train on each fold in turn; a training that the clock ended counts only if none was finished before it."""
        done: list[Measured] = []
        for fold in range(self.folds):
            given = _Watch((), report, until)
            measured = self._trained(of_fold(config, fold, self.folds), given)
            if measured.value is None or (measured.state == "pruned" and not done):
                return measured
            if measured.state == "pruned":
                return _mean(done, "pruned", measured.reason)
            done.append(measured)
            count = len(done)
            if count in rungs and count < self.folds and report(count, _mean(done, "complete").value or 0.0):
                return _mean(done, "pruned", f"Others were better on {count} of {self.folds} folds.")
        return _mean(done, "complete")

    def _trained(self, config: Config, watch: _Watch) -> Measured:
        experiment = Experiment(self.ready(config), callbacks=[watch])
        experiment.trainer.run()
        trainer = experiment.trainer
        broken = trainer.history.meta.get("non_finite")
        if broken:
            return Measured(state="failed", epochs=trainer.position.epoch, reason=f"It diverged: {broken['message']}")
        outcome = experiment.outcome()
        value = outcome.prepared.score(outcome.predictor, "valid").metrics.get(self.metric)
        if value is None or not math.isfinite(value):
            reason = f"The {self.metric} of the validation rows is not a number."
            return Measured(state="failed", epochs=trainer.position.epoch, reason=reason)
        state: State = "pruned" if watch.reason else "complete"
        return Measured(state=state, value=value, epochs=trainer.position.epoch, reason=watch.reason)


def _mean(done: Sequence[Measured], state: State, reason: str = "") -> Measured:
    values = [measured.value for measured in done if measured.value is not None]
    epochs = round(statistics.fmean(measured.epochs for measured in done))
    return Measured(state=state, value=statistics.fmean(values), epochs=epochs, reason=reason)


_OF_ROWS = ("data", "split", "clean", "features")
"""Sections that say what the network reads."""


def _rows_key(config: Config) -> str:
    sections = as_mapping(config)
    return repr([sections[name] for name in _OF_ROWS])


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    if "can't allocate memory" in str(error) or "out of memory" in str(error).lower():
        return "There was not enough memory."
    return lines[0] if lines else type(error).__name__


class _Watch(Callback):
    """Reports the best figure so far at the rungs, and ends a training that is given up, as a time limit would."""

    def __init__(self, rungs: Sequence[int], report: Report, until: float | None) -> None:
        self.rungs, self.report, self.until = rungs, report, until
        self.reason = ""

    def on_step(self, trainer: Trainer) -> None:
        """Look at the clock."""
        if self.until is not None and time.monotonic() >= self.until and not self.reason:
            self.reason = "Time was up."
            trainer.deadline = self.until

    def on_epoch(self, trainer: Trainer) -> None:
        """Ask at a rung whether to go on."""
        epoch, best = trainer.position.epoch, trainer.stopping.best
        if epoch not in self.rungs or epoch >= trainer.recipe.epochs or best is None or self.reason:
            return
        if self.report(epoch, best):
            self.reason = f"Others were better after {epoch} epochs."
            trainer.deadline = time.monotonic()
