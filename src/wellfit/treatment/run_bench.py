"""Where a run's courses are trained: its config changed, on its own split, by one network or by an ensemble."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any

import numpy as np

from wellfit.bagging import EnsembleExperiment
from wellfit.config import Config, with_values
from wellfit.experiment import Experiment, Outcome
from wellfit.prepared import Prepared, PreparedTable
from wellfit.source_preparation import prepare_source
from wellfit.treatment.bench import Bench, GivingUp
from wellfit.treatment.course import Course
from wellfit.treatment.members import as_trial, settings_of
from wellfit.treatment.yardstick import Figures, crossed_guess, figures_of_classes, figures_of_values

__all__ = ["EnsembleBench", "NetworkBench", "RunBench", "bench_for"]

_PREPARED_ANEW = ("features.", "clean.")
"""Keys that change what the network reads; all others leave the prepared rows as they are."""


class RunBench(Bench):
    """Trains courses of a config on one split, and scores the validation rows."""

    def __init__(self, config: Config, prepared: Prepared, data: Any) -> None:
        super().__init__()
        self.config, self.prepared, self.data = config, prepared, data
        self._rows: dict[str, Prepared] = {}

    @abstractmethod
    def train(self, course: Course, seed: int, *, watch: bool, hopeful: bool) -> tuple[Outcome, bool]:
        """Train a course under a seed; give the outcome, and whether it was given up half-way."""

    def settings(self, course: Course) -> dict[str, Any]:
        """Give the settings that a course changes, by dotted key."""
        return settings_of(self.config, course)

    def under(self, course: Course, seed: int, *, watch: bool) -> Prepared:
        """Give the rows, and the config that trains a course under a seed."""
        values = self.settings(course)
        doctor = {"train.seed": seed, "train.doctor": "watch" if watch else "off"}
        prepared = self._prepared(values)
        return replace(prepared, config=with_values(prepared.config, {**values, **doctor}))

    def _prepared(self, values: dict[str, Any]) -> Prepared:
        anew = {key: value for key, value in values.items() if key.startswith(_PREPARED_ANEW)}
        if not anew:
            return self.prepared
        key = repr(sorted(anew.items()))
        if key not in self._rows:
            self._rows[key] = prepare_source(with_values(self.config, anew), self.data)
        return self._rows[key]

    def figures(self, course: Course, result: Outcome) -> Figures:
        """Score the validation rows; labels that training rows do not have are left out."""
        scores = result.scores.get("valid") or result.prepared.score(result.predictor, "valid")
        if result.prepared.target.task == "regression":
            return figures_of_values(np.asarray(scores.predicted), np.asarray(scores.target))
        known = np.asarray(scores.target) >= 0
        chances, truth = np.asarray(scores.predicted)[known], np.asarray(scores.target)[known].astype(np.int64)
        train = result.config.train
        guess = crossed_guess(chances, truth, threshold=train.threshold, metric=train.metric)
        return figures_of_classes(np.nan_to_num(chances), guess, truth, balanced=self.balanced)

    @property
    def metric(self) -> str:
        """The figure's name."""
        if self.prepared.target.task == "regression":
            return "r2"
        return "balanced_accuracy" if self.balanced else "accuracy"


class NetworkBench(RunBench):
    """Trains one network."""

    def train(self, course: Course, seed: int, *, watch: bool, hopeful: bool) -> tuple[Outcome, bool]:
        """Train a course under a seed; give the outcome, not scored, and whether it was given up half-way."""
        prepared = self.under(course, seed, watch=watch)
        made: list[Experiment] = []
        giving_up = GivingUp(lambda trainer: self.figures(course, made[0].outcome()))
        made.append(Experiment(prepared, callbacks=[] if hopeful else [giving_up]))
        made[0].trainer.run()
        return made[0].outcome(), giving_up.stopped


class EnsembleBench(RunBench):
    """Trains a small ensemble in the run's place: one network of each architecture, blended as the run's are.

    The members of a run learn from validation rows too, each judged on those that it did not learn. Here the
    validation rows judge, and nothing is learned from them but how much each network counts and how sure the blend may
    be: the plan of cleaning and features, which a remedy may change, is learned on the training rows, so that only
    other rows tell whether it is better. One network of each costs a fraction of the run.
    """

    def train(self, course: Course, seed: int, *, watch: bool, hopeful: bool) -> tuple[Outcome, bool]:
        """Train a course under a seed; give the outcome with the validation rows scored."""
        prepared = self.under(course, seed, watch=watch)
        assert isinstance(prepared, PreparedTable)
        small = replace(prepared, config=as_trial(prepared.config, prepared.rows["train"]))
        return EnsembleExperiment(small, crossed=False).trained(), False


def bench_for(config: Config, data: Any) -> RunBench:
    """Prepare a run's rows again, and give what trains its courses."""
    # How long a training may take decided the run's updates; trials are compared by epochs.
    untimed = with_values(config, {"train.time": None, "train.checkpoint_every": None})
    prepared = prepare_source(untimed, data)
    several = isinstance(prepared, PreparedTable) and prepared.config.model["type"] == "ensemble"
    return (EnsembleBench if several else NetworkBench)(untimed, prepared, data)
