"""Treating a run of wellfit's own: its config changed, in paired trainings on the same split; `treat_run`."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wellfit.artifact import next_run_path
from wellfit.config import Config, load_config, with_values
from wellfit.data.sources.secrets import without_secrets
from wellfit.diagnosis import diagnose
from wellfit.errors import ConfigError, Interrupted, RunFolderError
from wellfit.findings import Finding, Remedy
from wellfit.recording import train_run
from wellfit.run import Run
from wellfit.training import Callback
from wellfit.treatment.advice import UNPROVABLE, advice_for
from wellfit.treatment.course import Course
from wellfit.treatment.differences import differing
from wellfit.treatment.outcome import Treatment
from wellfit.treatment.procedure import BUDGET, Conclusion, Procedure, Report, joined, mean_metric, serious_of
from wellfit.treatment.run_bench import EnsembleBench, RunBench, bench_for
from wellfit.treatment.run_practice import practice_for

__all__ = ["train_and_treat", "treat_config", "treat_run"]

OF_ENSEMBLES = 20
"""Trainings of small ensembles, unless told otherwise: each is several networks, and there are fewer remedies."""


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

    Where nothing serious was found, or nothing whose cure these rows can prove, nothing is trained. An ensemble's
    trials are small ensembles, see `EnsembleBench`; what is applied is trained as the run was.

    Args:
        path: the run's folder.
        data: its rows, where they were in memory.
        apply: whether the cured config is trained into a new run folder, the treatment's ``result``.
        out: that folder; None: beside the run, named after it.
        seeds: seeds that choose, and as many fresh ones that prove; 2 or more.
        budget: trainings of search and proof; None: 30, of ensembles 20; a close proof makes a few more.
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
    untried = _untried(known)
    if untried is not None:
        return untried
    treatment = treat_config(config, data, known=known, seeds=seeds, budget=budget, report=report)
    if config.model["type"] == "ensemble" and not treatment.cured:
        treatment.advice.append(_of_one_network(config))
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
            f"A treatment makes about {BUDGET} trainings and keeps no time limit.",
            got=f"train.time {config.train.time:g} s with train.doctor treat",
            do="Leave the limit out, or train first and treat later: wellfit treat RUN.",
        )
    run = train_run(config, data, force=force, callbacks=callbacks, started=started)
    if config.train.doctor != "treat" or not serious_of(diagnose(run.history)):
        return run
    treatment = treat_config(load_config(run.path / "config.yaml").config, data, known=_known(run))
    if treatment.cured:
        cured = with_values(config, {**treatment.options, "output.run": str(run.path)})
        run = train_run(cured, data, force=True, callbacks=callbacks)
    run.folder.write_json("treatment.json", treatment.as_dict())
    return run


def _known(run: Run) -> list[Finding]:
    """Give what was found in a run when it was trained, and what its history tells now."""
    return joined(run.findings, diagnose(run.history))


def _untried(known: Sequence[Finding]) -> Treatment | None:
    """Give the treatment that trains nothing, where there is nothing to prove."""
    serious = serious_of(known)
    codes = {finding.code for finding in serious}
    if "shuffled_labels" not in codes and codes - UNPROVABLE:
        return None
    why = f"What was found, {', '.join(sorted(codes))}, can't be mended by a setting that these rows prove."
    none = "Nothing serious was found in the rows, the training and the fit of this run."
    return Treatment(
        findings=list(known),
        trials=[],
        metric="",
        advice=[f"{why if codes else none} So nothing was tried.", *advice_for(serious, [])],
    )


def _of_one_network(config: Config) -> str:
    """Say how settings that only a single network has are tried."""
    source = without_secrets(config.data.source)[0] if isinstance(config.data.source, str) else "DATA"
    command = f"wellfit train {shlex.quote(source)} --target {shlex.quote(str(config.data.target))} -o model=mlp"
    return (
        f"Activations, norms, residual connections and first weights are those of one network, to be treated: {command}"
    )


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
    started = time.monotonic()
    bench = bench_for(config, data)
    allowed = (OF_ENSEMBLES if isinstance(bench, EnsembleBench) else BUDGET) if budget is None else budget
    first = config.train.seed
    procedure = Procedure(practice_for(bench), range(first, first + seeds), allowed, _expecting(bench, allowed, report))
    try:
        conclusion = procedure.run(known, settled=isinstance(bench, EnsembleBench))
    except Interrupted:
        rule = f"The treatment was stopped after {bench.trainings} trainings, of which nothing is kept."
        raise Interrupted(rule, do="Begin it anew.") from None
    treatment = _treatment(bench, conclusion)
    treatment.seconds = time.monotonic() - started
    return treatment


def _expecting(bench: RunBench, allowed: int, report: Report | None) -> Report:
    """Give a report that says at the beginning how long it may take, and again once a training was made."""
    told = False

    def say(text: str) -> None:
        nonlocal told
        if report is None:
            return
        if not bench.trainings:
            text = f"{text}, the first of {allowed} trainings at the most or a few more"
        elif not told:
            told, seconds = True, bench.seconds / bench.trainings
            report(f"as given, a training takes about {seconds:.1f} s, and {allowed} take {allowed * seconds:,.0f} s")
        report(text)

    return say


def _treatment(bench: RunBench, conclusion: Conclusion) -> Treatment:
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
        given, treated = (trials[0].result.config for trials in (conclusion.before, conclusion.after))
        treatment.options = differing(bench.settings(course), given, treated)
        # Of changes that set the same the last one counts.
        whys = {path: change.why for change in course.changes for path in bench.settings(Course((change,)))}
        treatment.accepted = [
            Remedy(path=path, value=value, why=whys[path]) for path, value in treatment.options.items()
        ]
    return treatment
