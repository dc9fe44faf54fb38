"""Training into a run folder: what is written, in which order, and how a killed run goes on."""

from __future__ import annotations

import os
import re
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wellfit.artifact import RunFolder, next_run_path
from wellfit.bagging import EnsembleExperiment, paced
from wellfit.config import Config, as_mapping, load_config, to_yaml, with_values
from wellfit.data.sources.lasting import name_of
from wellfit.errors import Interrupted, RunFolderError
from wellfit.experiment import Experiment, Outcome
from wellfit.image_sheet import worst_images
from wellfit.image_trials import decided
from wellfit.prepared import Prepared, PreparedTable
from wellfit.prepared_images import PreparedImages
from wellfit.report import ReportFacts, render_card, render_page, summarize_predictions
from wellfit.run import Run
from wellfit.source_preparation import prepare_source
from wellfit.training import Callback
from wellfit.training.checkpoint import Checkpoints
from wellfit.training.terms import as_text

__all__ = ["resume_run", "train_run"]


def train_run(
    config: Config,
    data: Any = None,
    *,
    force: bool = False,
    callbacks: Sequence[Callback] = (),
    started: float | None = None,
) -> Run:
    """Train as a config says, and leave a run folder; nothing is written before everything was checked.

    Raises:
        BadInput: settings or data that can't be used; no folder is made.
        RunFailed: training or writing could not be finished; the folder can be resumed.
    """
    started = time.monotonic() if started is None else started
    folder = RunFolder(config.output.run or next_run_path(_data_name(config, data)))
    folder.refuse_existing(force=force)
    prepared = prepare_source(config, data)
    if isinstance(prepared, PreparedImages):
        prepared = decided(prepared, started)
    elif prepared.config.model["type"] != "ensemble":
        prepared = paced(prepared, config, started)
    experiment = _experiment(folder, prepared, callbacks, started)
    settled = with_values(experiment.config, {"output.run": str(folder.path)})
    folder.clear()
    folder.write_text("config.yaml", to_yaml(settled))
    return _finish(folder, experiment)


def resume_run(path: str | Path, *, callbacks: Sequence[Callback] = ()) -> Run:
    """Go on with a run that was stopped; a finished one is left as it is.

    Raises:
        RunFolderError: no run was begun there, or its rows were in memory and are gone.
    """
    started = time.monotonic()
    folder = RunFolder(path)
    if folder.finished:
        _tidy(folder)
        return Run(folder)
    folder.read_config()
    config = load_config(folder.path / "config.yaml").config
    if config.data.source is None:
        raise RunFolderError(
            "A run is resumed from its source, and the rows of this one were in memory.",
            got=str(folder.path),
            do="Train it anew with the same rows and seed.",
        )
    prepared = prepare_source(config)
    experiment = _experiment(folder, prepared, callbacks, started)
    experiment.resume()
    return _finish(folder, experiment)


def _experiment(
    folder: RunFolder, prepared: Prepared, callbacks: Sequence[Callback], started: float
) -> Experiment | EnsembleExperiment:
    checkpoints = None if prepared.config.train.checkpoint_every is None else Checkpoints(folder.checkpoints)
    experiment: Experiment | EnsembleExperiment
    if isinstance(prepared, PreparedTable) and prepared.config.model["type"] == "ensemble":
        kept = None if checkpoints is None else checkpoints.folder
        experiment = EnsembleExperiment(prepared, folder=kept, callbacks=callbacks, started=started)
    else:
        experiment = Experiment(prepared, checkpoints=checkpoints, callbacks=callbacks, started=started)
    experiment.add_terms(_terms(experiment.config, prepared))
    return experiment


_FREE = re.compile(
    r"version|output\..*|tune\..*|data\.(source|test|cache)|train\.(steps|time|checkpoint_every|workers|doctor|threshold)"
)
"""Keys that need not be the same on resume: they change no weight, or say only when training stops. A source may have
been moved, if its content is the same."""


def _terms(config: Config, prepared: Prepared) -> dict[str, str]:
    """Give what decides a run's training, by the key of its config."""
    settings = as_mapping(config)
    if isinstance(settings["model"].get("members"), list):
        settings["model"]["members"] = [_unended(member) for member in settings["model"]["members"]]
    terms = {key: as_text(value) for key, value in _leaves("", settings) if not _FREE.fullmatch(key)}
    terms["the content of data.source"] = prepared.source.checksum[:16]
    if config.data.test is not None:
        terms["the content of data.test"] = prepared.content("test")[:16]
    return terms


def _unended(member: Mapping[str, Any]) -> dict[str, Any]:
    """Give a member of an ensemble without the updates after which time ended it, which are saved at the end."""
    return {**member, "train": {key: value for key, value in member.get("train", {}).items() if key != "steps"}}


def _leaves(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        yield key, value
        return
    for name, item in value.items():
        yield from _leaves(f"{key}.{name}" if key else name, item)


def _finish(folder: RunFolder, experiment: Experiment | EnsembleExperiment) -> Run:
    try:
        _write(folder, experiment.run())
    except (Interrupted, KeyboardInterrupt):
        raise _interrupted(folder, experiment) from None
    _tidy(folder)
    return Run(folder)


def _interrupted(folder: RunFolder, experiment: Experiment | EnsembleExperiment) -> Interrupted:
    rule = f"Training was stopped after {experiment.steps:,} update{'' if experiment.steps == 1 else 's'}."
    if experiment.config.data.source is None:
        return Interrupted(rule, do="Its rows were in memory: train it anew.")
    return Interrupted(rule, do=f"Go on with: wellfit resume {shlex.quote(str(folder.path))}")


def _tidy(folder: RunFolder) -> None:
    """Remove what only an unfinished run needs, and what a killed process left."""
    for stage in filter(Path.is_dir, folder.checkpoints.glob("[0-9]*")):
        Checkpoints(stage).clear()
    Checkpoints(folder.checkpoints).clear()
    folder.tidy()


def _write(folder: RunFolder, outcome: Outcome) -> None:
    """Write every file; ``metrics.json`` is the last, so that a folder with it is whole."""
    config = with_values(outcome.config, {"output.run": str(folder.path)})
    plan = outcome.prepared.plan()
    evaluation = _evaluation(outcome)
    folder.write_text("config.yaml", to_yaml(config))
    folder.write_versioned("plan.json", plan)
    folder.write_versioned("model.json", outcome.model)
    folder.write_weights(outcome.predictor.module.state_dict())
    folder.write_history(outcome.history)
    folder.write_findings(outcome.findings)
    folder.write_json("evaluation.json", evaluation)
    if outcome.prepared.set_aside.height:
        folder.write_text("set_aside.csv", outcome.prepared.set_aside.write_csv())
    folder.write_text("log.txt", "\n".join(_log(outcome)) + "\n")
    facts = ReportFacts(
        name=folder.name,
        config=as_mapping(config),
        plan=plan,
        model=outcome.model,
        metrics=outcome.metrics,
        evaluation=evaluation,
        history=outcome.history,
        findings=outcome.findings,
        defaults=as_mapping(Config()),
    )
    folder.write_text("MODEL_CARD.md", render_card(facts))
    if config.output.report:
        folder.write_text("report.html", render_page([facts]))
    folder.write_json("metrics.json", outcome.metrics)


def _log(outcome: Outcome) -> list[str]:
    """Say in order what was done and noticed; the source's address has its secrets masked already."""
    source, rows, history = outcome.prepared.source, outcome.prepared.rows, outcome.history
    dealt = ", ".join(f"{rows[split]:,} {split}" for split in ("train", "valid", "test"))
    noticed = [f"{finding.severity}: {finding.message}" for finding in outcome.findings]
    return [
        f"{source.read_at} read {source.rows:,} rows of {source.columns:,} columns from {source.uri}",
        f"rows dealt: {dealt}",
        *outcome.notes,
        *noticed,
        f"trained: {outcome.model['steps']:,} updates, {len(history['train_loss']):,} epochs, "
        f"kept epoch {outcome.model['best_epoch'] or 'the last'}",
        f"{datetime.now(UTC).isoformat(timespec='seconds')} scored",
    ]


def _evaluation(outcome: Outcome) -> dict[str, Any]:
    """Say how the predictions of the test rows (of the validation rows, where there are none) are distributed."""
    split = "test" if "test" in outcome.scores else "valid"
    scores, target = outcome.scores[split], outcome.prepared.target
    threshold = outcome.model.get("threshold")
    summary = summarize_predictions(
        target.task, list(target.classes), scores.target, scores.predicted, threshold=threshold
    )
    prepared = outcome.prepared
    worst = worst_images(prepared, split, scores) if isinstance(prepared, PreparedImages) else None
    return {"split": split, **summary, **({} if worst is None else {"worst_images": worst})}


_LONGEST_NAME = 60
"""Letters of the data's name that a run's folder takes over."""


def _data_name(config: Config, data: Any) -> str:
    source = config.data.source if data is None else data
    if not isinstance(source, (str, Path, tuple)):
        return "table"
    return name_of(source if isinstance(source, tuple) else os.fspath(source))[:_LONGEST_NAME] or "table"
