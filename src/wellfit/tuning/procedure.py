"""`tune_run`: search, proof, final training; each step is on disk before the next, so that a study goes on."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

from wellfit.config import Config, with_values
from wellfit.errors import Interrupted, RunFailed
from wellfit.recording import resume_run, train_run
from wellfit.run import Run
from wellfit.training import Callback
from wellfit.tuning.bench import Bench, Job, Measured
from wellfit.tuning.clock import Clock
from wellfit.tuning.dimensions import Dimension
from wellfit.tuning.folder import StudyFolder, is_study
from wellfit.tuning.folds import rungs_of_folds
from wellfit.tuning.images import augmentations
from wellfit.tuning.proof import CANDIDATES, FRESH, Candidate, Proof, candidates, proof_jobs
from wellfit.tuning.record import Record, trial_line
from wellfit.tuning.room import cores, worker_count
from wellfit.tuning.runners import Here, Processes, Runner
from wellfit.tuning.settings import setting_at
from wellfit.tuning.space import default_space, given_space, portfolio
from wellfit.tuning.study import Study, expect_optuna, rungs_of
from wellfit.tuning.subject import Subject

__all__ = ["resume_study", "tune_run"]

Tell = Callable[[str], None]
Telling = Callable[[], AbstractContextManager[Tell]]
Display = Callable[[], AbstractContextManager[Sequence[Callback]]]

_SEEDS = 2
"""Fresh seeds of the proof; one where each of several folds is trained on by it."""

_PROOF = 0.25
"""The largest share of a time limit that the proof may take."""


@contextmanager
def _silent() -> Iterator[Tell]:
    yield lambda line: None


@contextmanager
def _nothing_shown() -> Iterator[Sequence[Callback]]:
    yield ()


def tune_run(
    config: Config,
    data: Any = None,
    *,
    force: bool = False,
    telling: Telling = _silent,
    display: Display = _nothing_shown,
    started: float | None = None,
) -> Run:
    """Search for better settings, prove the best, and train it into a run folder; see `wellfit.tune`.

    Args:
        config: what is tuned, with its section ``tune``.
        data: its rows, where they are in memory.
        force: whether an existing run is overwritten.
        telling: gives, while it searches, what is told in a line what each training gave.
        display: gives, while it trains what was chosen, what watches that.
        started: when time began to count, on `time.monotonic`'s clock.

    Raises:
        BadInput: settings or data that can't be used; nothing is written.
        RunFailed: no trial could be trained, or the final training could not be finished.
    """
    started = time.monotonic() if started is None else started
    expect_optuna()
    subject = Subject(config, data)
    given = given_space(subject.config)
    folder = StudyFolder.of(config, data, force=force)
    bench = Bench(subject, data, settled=folder.settled())
    resolved = bench.resolved()
    tried = augmentations(bench.prepared, resolved)
    dimensions = given or default_space(subject.config, resolved, bench.prepared.rows["train"], augmentations=tried)
    folder.begin(config)
    folder.settle(bench.settled.values)
    study = _study(folder, bench, dimensions, resolved)
    clock = Clock(config.tune.time, started, several=subject.of_ensemble)
    with _stoppable(folder, study, config), _runner(folder, bench, resolved, data) as runner, telling() as tell:
        for note in bench.settled.notes:
            tell(note)
        tuning = _Tuning(bench, study, clock, runner, tell)
        tuning.search()
        proofs, chosen = tuning.prove()
    record = Record(bench, study, dimensions, proofs, chosen, seconds=clock.elapsed)
    found = {} if chosen is None else chosen.values
    final = subject.with_found(found, bench.prepared, bench.settled.values)
    with display() as callbacks:
        run = _final(folder, final, data, study, clock, callbacks)
    return record.written(run, folder, seconds=clock.elapsed)


def resume_study(
    path: str | os.PathLike[str],
    *,
    telling: Telling = _silent,
    display: Display = _nothing_shown,
    started: float | None = None,
) -> Run:
    """Go on with a study that was stopped; see `tune_run`."""
    return tune_run(StudyFolder(path).read(), telling=telling, display=display, started=started)


def _study(folder: StudyFolder, bench: Bench, dimensions: Sequence[Dimension], resolved: Config) -> Study:
    study = Study(
        folder.journal,
        dimensions=dimensions,
        trials=bench.config.tune.trials,
        greater_is_better=bench.greater_is_better,
        seed=bench.config.train.seed,
        default={dimension.key: setting_at(resolved, dimension.key) for dimension in dimensions},
        rungs=rungs_of(resolved.train.epochs) if bench.folds == 1 else rungs_of_folds(bench.folds),
        of_folds=bench.folds > 1,
        first=portfolio(resolved, dimensions),
    )
    content = bench.prepared.content("train") + bench.prepared.content("valid")
    folder.expect_rows(study.kept("rows"), content)
    study.keep("rows", content)
    return study


@contextmanager
def _runner(folder: StudyFolder, bench: Bench, resolved: Config, data: Any) -> Iterator[Runner]:
    wanted = resolved.tune.workers
    count = (
        int(wanted)
        if wanted != "auto"
        else worker_count(cells=bench.cells, rows=bench.prepared.rows["train"], trials=resolved.tune.trials)
    )
    if count == 1 or data is not None or resolved.train.device != "cpu":
        # Rows in memory are in this process alone, and so is an accelerator.
        yield Here(bench)
        return
    with Processes(folder.run.path, count=count, threads=max(1, cores() // count)).opened() as processes:
        yield processes


@contextmanager
def _stoppable(folder: StudyFolder, study: Study, config: Config) -> Iterator[None]:
    """Say how a study that is stopped goes on."""
    try:
        yield
    except (Interrupted, KeyboardInterrupt):
        done = len(study.records())
        rule = f"Tuning was stopped after {done:,} of {study.trials:,} trials."
        path = shlex.quote(str(folder.run.path))
        here = "Call wellfit.tune with the same rows and settings." if config.data.source is None else ""
        raise Interrupted(rule, do=here or f"Go on with: wellfit resume {path}") from None


class _Tuning:
    """The search and the proof."""

    def __init__(self, bench: Bench, study: Study, clock: Clock, runner: Runner, tell: Tell) -> None:
        self.bench, self.study, self.clock, self.runner, self.tell = bench, study, clock, runner, tell
        self.greater = bench.greater_is_better

    def search(self) -> None:
        """Make the trials, until there are enough or time is up."""
        self.runner.run(self._following, self.study.report, self._done)
        if not any(trial["value"] is not None for trial in self.study.records()):
            reasons = [trial["reason"] for trial in self.study.records()]
            raise RunFailed("No trial could be trained.", got=reasons[0] if reasons else "none", do="Mend the config.")

    def _following(self) -> Job | None:
        seconds = self.clock.left_for_search(self.longest(), (CANDIDATES + 1) * self._seeds() + 1 / self.bench.folds)
        if seconds is not None and seconds <= 0:
            if self.study.records():
                return None
            seconds = 0.3 * (self.clock.limit or 0.0)
        job = self.study.next()
        return None if job is None else replace(job, seconds=seconds)

    def longest(self) -> float:
        """Give the seconds of the longer of the default's training and the best one's, on all folds."""
        whole = [trial for trial in self.study.records() if trial["state"] == "complete"]
        held = [trial["seconds"] for trial in whole if trial["default"]]
        best = max(whole, key=lambda trial: trial["value"] * (1 if self.greater else -1), default=None)
        return max([*held, *([best["seconds"]] if best else [])], default=0.0)

    def _seeds(self) -> int:
        most = _SEEDS if self.bench.folds == 1 else 1
        if self.clock.limit is None or not self.longest():
            return most
        return max(1, min(most, int(_PROOF * self.clock.limit / ((CANDIDATES + 1) * self.longest()))))

    def _done(self, job: Job, measured: Measured) -> None:
        self.study.tell(job, measured)
        self.tell(trial_line(job.key, measured, self.study.records(), self.bench.metric, greater=self.greater))

    def prove(self) -> tuple[list[Proof], Candidate | None]:
        """Put the best trials to the proof; give the one that gains most over the default, if any does."""
        trials = self.study.records()
        held = candidates(trials, greater_is_better=self.greater)
        default = next((its["value"] for its in trials if its["default"] and its["state"] == "complete"), None)
        proofs = [self._proof(candidate, default) for candidate in held]
        proved = [(proof.gain, candidate) for proof, candidate in zip(proofs, held, strict=True) if proof.holds]
        return proofs, max(proved, key=lambda pair: pair[0])[1] if proved else None

    def _proof(self, candidate: Candidate, default: float | None) -> Proof:
        first = self.bench.config.train.seed + FRESH
        seeds = range(first, first + self._seeds())
        known: dict[str, float | None] = dict(self.study.kept("proof") or {})
        waiting = iter([job for job in proof_jobs(candidate, seeds) if job.key not in known])

        def following() -> Job | None:
            seconds = self.clock.left_for_proof(self.longest() / self.bench.folds)
            return None if seconds is not None and seconds <= self.longest() else next(waiting, None)

        def done(job: Job, measured: Measured) -> None:
            known[job.key] = measured.value if measured.state == "complete" else None
            self.study.keep("proof", known)
            self.tell(trial_line(job.key, measured, [], self.bench.metric, greater=self.greater))

        self.runner.run(following, lambda job, epoch, value: False, done)
        searched = (candidate.value, default)
        proof = Proof(number=candidate.number, searched=searched, greater_is_better=self.greater)
        for seed in seeds:
            own, usual = f"proof {candidate.number} {seed}", f"proof default {seed}"
            if own in known and usual in known:
                proof.seeds.append(seed)
                proof.default.append(known[usual])
                proof.candidate.append(known[own])
        return proof


def _final(
    folder: StudyFolder,
    config: Config,
    data: Any,
    study: Study,
    clock: Clock,
    callbacks: Sequence[Callback],
) -> Run:
    """Train what was chosen into the folder, or go on with that training."""
    if folder.run.finished and is_study(folder.run.path) and study.kept("final"):
        return Run(folder.run)
    if study.kept("final") and data is None and folder.run.checkpoints.is_dir():
        return resume_run(folder.run.path, callbacks=callbacks)
    limit, own = clock.for_final(), config.train.time
    settled = with_values(
        config,
        {
            "output.run": str(folder.run.path),
            "train.time": own if limit is None else limit if own is None else min(own + clock.elapsed, limit),
        },
    )
    study.keep("final", True)
    started = clock.started if limit is not None else time.monotonic()
    return train_run(settled, data, force=True, callbacks=callbacks, started=started)
