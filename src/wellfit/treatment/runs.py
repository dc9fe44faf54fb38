"""Treating a run of wellfit's own: its config changed, in paired trainings on the same split; `treat_run`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from wellfit.artifact import next_run_path
from wellfit.config import Config, load_config, with_values
from wellfit.diagnosis import diagnose
from wellfit.errors import ConfigError, RunFolderError
from wellfit.experiment import Experiment, Outcome
from wellfit.findings import Finding, Remedy
from wellfit.preparation import prepare
from wellfit.prepared import PreparedRows
from wellfit.recording import train_run
from wellfit.run import Run
from wellfit.training import Callback
from wellfit.treatment.advice import advice_for
from wellfit.treatment.bench import Bench, GivingUp
from wellfit.treatment.course import Change, Course
from wellfit.treatment.outcome import Treatment
from wellfit.treatment.procedure import Conclusion, Procedure, Report, mean_metric
from wellfit.treatment.settings import further_settings, settings_for, standard_settings
from wellfit.treatment.yardstick import Figures, figures_of_classes, figures_of_values

__all__ = ["train_and_treat", "treat_config", "treat_run"]

_PREPARED_ANEW = ("features.", "clean.")
"""Keys that change what the network reads; all others leave the prepared rows as they are."""


def treat_run(
    path: str | os.PathLike[str],
    *,
    data: Any = None,
    apply: bool = False,
    out: str | os.PathLike[str] | None = None,
    seeds: int = 3,
    budget: int | None = None,
    report: Report | None = None,
) -> Treatment:
    """Try the remedies for what was found in a run, and prove the best on fresh seeds; the test rows are not read.

    Args:
        path: the run's folder.
        data: its rows, where they were in memory.
        apply: whether the cured config is trained into a new run folder, the treatment's ``result``.
        out: that folder; None: beside the run, named after it.
        seeds: seeds that choose, and as many fresh ones that prove; 2 or more.
        budget: trainings at the most; None: 28.
        report: is told in a few words what is being tried.

    Returns:
        The treatment; its ``options`` are settings by dotted key.

    Raises:
        RunFolderError: there is no finished run, or its rows were in memory and were not given.
    """
    run = Run.load(path)
    config = load_config(run.path / "config.yaml").config
    if config.data.source is None and data is None:
        raise RunFolderError(
            "A run is treated with the rows it was trained on, and those of this one were in memory.",
            got=str(run.path),
            do="Give them as data=.",
        )
    known = _known(run)
    treatment = treat_config(config, data, known=known, seeds=seeds, budget=budget, report=report)
    if apply and treatment.cured:
        folder = str(out) if out is not None else _beside(run.path)
        settled = with_values(config, {**treatment.options, "output.run": folder})
        treatment.result = train_run(settled, data)
    return treatment


def train_and_treat(
    config: Config,
    data: Any = None,
    *,
    force: bool = False,
    callbacks: Sequence[Callback] = (),
    started: float | None = None,
) -> Run:
    """Train into a run folder, and under ``train.doctor: treat`` train the cure there, if there is one.

    ``treatment.json`` in the folder tells what was tried.

    Raises:
        BadInput: settings or data that can't be used, or a time limit, which many trainings can't keep.
        RunFailed: training or writing could not be finished.
    """
    if config.train.doctor == "treat" and config.train.time is not None:
        raise ConfigError(
            "A treatment makes up to 28 trainings and keeps no time limit.",
            got=f"train.time {config.train.time:g} s with train.doctor treat",
            do="Leave the limit out, or train first and treat later: wellfit treat RUN.",
        )
    run = train_run(config, data, force=force, callbacks=callbacks, started=started)
    if config.train.doctor != "treat" or all(finding.severity == "info" for finding in diagnose(run.history)):
        return run
    treatment = treat_config(load_config(run.path / "config.yaml").config, data, known=_known(run))
    if treatment.cured:
        cured = with_values(config, {**treatment.options, "output.run": str(run.path)})
        run = train_run(cured, data, force=True, callbacks=callbacks)
    run.folder.write_json("treatment.json", treatment.as_dict())
    return run


def _known(run: Run) -> list[Finding]:
    """Give what was found in a run when it was trained, and what its history tells now."""
    found = list(run.findings)
    codes = {finding.code for finding in found}
    return [*found, *(finding for finding in diagnose(run.history) if finding.code not in codes)]


def _beside(path: Path) -> str:
    """Give a folder that is not there yet, named after the run."""
    place = path.resolve().parent / f"{path.resolve().name}-treated"
    return str(place if not place.exists() else next_run_path(place.name, place.parent))


def treat_config(
    config: Config,
    data: Any = None,
    *,
    known: Sequence[Finding] = (),
    seeds: int = 3,
    budget: int | None = None,
    report: Report | None = None,
) -> Treatment:
    """Treat the training that a config describes; see `treat_run`.

    ``known`` is what was found before; what a watched training shows comes beside it.
    """
    if config.model["type"] == "ensemble":
        raise ConfigError(
            "A treatment changes one network, and an ensemble is many, each judged on rows it did not learn.",
            got="model.type ensemble",
            do="Train one and treat that: wellfit train ... -o model.type=mlp.",
        )
    started = time.monotonic()
    bench = _RunBench(config, data)
    first = config.train.seed
    conclusion = Procedure(_RunPractice(bench), range(first, first + seeds), budget, report).run(known)
    treatment = _treatment(bench, conclusion)
    treatment.seconds = time.monotonic() - started
    return treatment


class _RunBench(Bench):
    """Trains courses of a config on one split."""

    def __init__(self, config: Config, data: Any) -> None:
        super().__init__()
        # How long a training may take decided the run's updates; trials are compared by epochs.
        self.config, self.data = with_values(config, {"train.time": None, "train.checkpoint_every": None}), data
        self.prepared = prepare(self.config, data)
        self._rows: dict[str, PreparedRows] = {}

    def train(self, course: Course, seed: int, *, watch: bool, hopeful: bool) -> tuple[Outcome, bool]:
        """Train a course under a seed; give the outcome, not scored, and whether it was given up half-way."""
        prepared = self._prepared(course)
        doctor = {"train.seed": seed, "train.doctor": "watch" if watch else "off"}
        prepared = replace(prepared, config=with_values(prepared.config, {**_values(course), **doctor}))
        made: list[Experiment] = []
        giving_up = GivingUp(lambda trainer: self.figures(course, made[0].outcome()))
        made.append(Experiment(prepared, callbacks=[] if hopeful else [giving_up]))
        made[0].trainer.run()
        return made[0].outcome(), giving_up.stopped

    def _prepared(self, course: Course) -> PreparedRows:
        values = {key: value for key, value in _values(course).items() if key.startswith(_PREPARED_ANEW)}
        if not values:
            return self.prepared
        key = repr(sorted(values.items()))
        if key not in self._rows:
            self._rows[key] = prepare(with_values(self.config, values), self.data)
        return self._rows[key]

    def figures(self, course: Course, result: Outcome) -> Figures:
        """Score the validation rows; labels that training rows do not have are left out."""
        scores = result.prepared.score(result.predictor, "valid")
        if result.prepared.target.task == "regression":
            return figures_of_values(np.asarray(scores.predicted), np.asarray(scores.target))
        known = np.asarray(scores.target) >= 0
        chances, truth = np.asarray(scores.predicted)[known], np.asarray(scores.target)[known].astype(np.int64)
        guess = np.where(np.isfinite(chances).all(1), chances.argmax(1), -1)
        return figures_of_classes(np.nan_to_num(chances), guess, truth, balanced=self.balanced)

    @property
    def metric(self) -> str:
        """The figure's name."""
        if self.prepared.target.task == "regression":
            return "r2"
        return "balanced_accuracy" if self.balanced else "accuracy"


class _RunPractice:
    """Proposes changes of a run's config."""

    def __init__(self, bench: _RunBench) -> None:
        self.bench: Bench = bench
        self._config = bench.config

    def single(self, findings: Sequence[Finding]) -> Iterator[Change]:
        """Propose what the findings' remedies are."""
        return settings_for(findings)

    def standard(self, findings: Sequence[Finding]) -> Iterator[Change]:
        """Propose the settings of a new run."""
        return standard_settings()

    def further(self, course: Course, findings: Sequence[Finding]) -> Iterator[Change]:
        """Propose other rates."""
        optimizer = with_values(self._config, _values(course)).train.optimizer
        rate = optimizer.get("lr")
        return further_settings(rate if isinstance(rate, float) else None)

    def changed(self, course: Course) -> dict[str, Any]:
        """Give the settings that a course changes."""
        return _values(course)


def _values(course: Course) -> dict[str, Any]:
    return {key: value for change in course.changes for key, value in change.options.items()}


def _treatment(bench: _RunBench, conclusion: Conclusion) -> Treatment:
    course = conclusion.course
    treatment = Treatment(
        findings=conclusion.findings,
        trials=conclusion.rows,
        metric=bench.metric,
        before=mean_metric(conclusion.before),
        advice=advice_for(conclusion.serious, conclusion.refused),
        trainings=bench.trainings,
    )
    if course is not None:
        treatment.after = mean_metric(conclusion.after)
        treatment.options = _values(course)
        treatment.accepted = [
            Remedy(path=path, value=value, why=change.why)
            for change in course.changes
            for path, value in change.options.items()
        ]
    return treatment
