"""Commands up to a trained run: init, check, train, resume."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wellfit.cli.cleaning import cleaning_record, is_action, print_cleaning
from wellfit.cli.console import noted, print_json, print_lines, print_table
from wellfit.cli.images import print_images
from wellfit.cli.summary import finding_lines, print_run, rows_line

if TYPE_CHECKING:
    from wellfit.config import Config
    from wellfit.experiment import Experiment
    from wellfit.prepared import PreparedRows
    from wellfit.rehearsal import Rehearsal

__all__ = ["check", "config_of", "init", "resume", "train"]

MOST_LISTED = 100
"""Columns that are listed one by one; of more, those with a remark."""

Data = Annotated[str | None, typer.Argument(metavar="DATA", help="A table: a file, a pattern, sql:... or https://...")]
Target = Annotated[
    str | None, typer.Option("--target", "-t", metavar="COL", help="The column to learn: name or index, -1 the last.")
]
ConfigFile = Annotated[Path | None, typer.Option("-c", "--config", metavar="FILE", help="A YAML config.")]
Overrides = Annotated[
    list[str] | None, typer.Option("-o", metavar="KEY=VALUE", help="Override a setting, such as train.epochs=50.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")]


def init(
    data: Annotated[str, typer.Argument(metavar="DATA", help="A table.")],
    target: Annotated[str, typer.Option("--target", "-t", metavar="COL", help="The column to learn.")],
    json: Json = False,
) -> None:
    """Print a short commented config for a table."""
    from wellfit.config import from_mapping, starter_yaml
    from wellfit.data.sources.secrets import without_secrets
    from wellfit.preparation import prepare

    prepared = prepare(from_mapping({"data": {"source": data, "target": target}}))
    columns = [column.name for column in prepared.cleaning.used]
    text = starter_yaml(without_secrets(data)[0], prepared.target.name, prepared.target.task, columns)
    if json:
        print_json({"config": text})
    else:
        print_lines([text.rstrip("\n")])


def check(
    data: Data = None,
    target: Target = None,
    config: ConfigFile = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Small trainings too: one batch by heart, labels shuffled.")
    ] = False,
    o: Overrides = None,
    json: Json = False,
) -> None:
    """Look at types, dirt, config and memory; try one batch, train nothing (with --deep, small copies)."""
    from wellfit.bagging import of_one_network
    from wellfit.experiment import Experiment
    from wellfit.preparation import ImagesGiven, prepare

    settled = config_of(data, target, config, o or [])
    try:
        prepared = prepare(settled)
    except ImagesGiven as given:
        print_images(settled, given.table, json=json)
        return
    experiment = Experiment(of_one_network(prepared))
    weights = sum(weight.numel() for weight in experiment.module.parameters())
    rows_mb = prepared.held_bytes / 1e6
    # Weights, gradients, two moments of the optimizer and the best epoch's copy, four bytes each.
    memory = rows_mb + 5 * 4 * weights / 1e6
    rehearsal = _rehearsed(experiment) if deep else None
    findings = [*prepared.findings, *(rehearsal.findings if rehearsal else ())]
    if json:
        print_json(
            {
                "task": prepared.target.task,
                "target": prepared.target.name,
                "rows": dict(prepared.rows),
                "columns": [_column(column) for column in prepared.cleaning.columns],
                "parameters": weights,
                "memory_mb": round(memory, 1),
                "cleaning": cleaning_record(prepared),
                "findings": [finding.as_dict() for finding in findings],
                "notes": list(prepared.notes),
                **({"deep": rehearsal.facts} if rehearsal else {}),
            }
        )
        return
    _print_prepared(prepared)
    print_cleaning(findings)
    print_lines(rehearsal.said if rehearsal else ())
    print_lines(finding_lines(finding for finding in findings if not is_action(finding)))
    print_lines([f"Network: {weights:,} weights; about {memory:,.0f} MB of memory for rows and weights."])


def _rehearsed(experiment: Experiment) -> Rehearsal:
    from wellfit.rehearsal import rehearse

    return rehearse(experiment)


def _column(column: Any) -> dict[str, str]:
    return {"name": column.name, "kind": column.kind, "reason": column.reason}


def _print_prepared(prepared: PreparedRows) -> None:
    rows, target = prepared.rows, prepared.target
    kinds = f", {len(target.classes)} classes" if target.classes else ""
    print_lines([f"Target: {target.name} ({target.task}{kinds})", *prepared.notes])
    print_lines([f"Rows: {rows['read']:,} read; {rows_line(rows)}"])
    columns = prepared.cleaning.columns
    few = len(columns) <= MOST_LISTED
    listing = ((column.name, column.kind, column.reason) for column in columns if few or column.reason)
    print_table("Columns", ["column", "kind", "remark"], itertools.islice(listing, MOST_LISTED), right_from=9)
    if not few:
        print_lines([_summed_up(columns)])


def _summed_up(columns: Sequence[Any]) -> str:
    """Count the columns that are not listed, by kind."""
    others = [column for column in columns if not column.reason]
    others += [column for column in columns if column.reason][MOST_LISTED:]
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in Counter(column.kind for column in others).most_common())
    return f"{len(others):,} columns are not listed: {kinds}; --json lists all."


def train(
    data: Data = None,
    target: Target = None,
    config: ConfigFile = None,
    out: Annotated[str | None, typer.Option("--out", metavar="RUN", help="The run folder to write.")] = None,
    time: Annotated[str | None, typer.Option("--time", metavar="5m", help="The longest it may take, in all.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Seed of the training.")] = None,
    workers: Annotated[int | None, typer.Option("--workers", metavar="N", help="Processes that read rows.")] = None,
    o: Overrides = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing run.")] = False,
    json: Json = False,
) -> None:
    """Train on a table and leave a run folder that predicts."""
    import wellfit.cli as command
    from wellfit.alarm import live_display
    from wellfit.treatment import train_and_treat

    given = {"output.run": out, "train.time": time, "train.seed": seed, "train.workers": workers}
    settled = config_of(data, target, config, o or [], given)
    with noted(), live_display(quiet=json) as callbacks:
        run = train_and_treat(settled, force=force, callbacks=callbacks, started=command.STARTED)
    print_run(run, json=json)


def resume(run: RunPath, json: Json = False) -> None:
    """Go on with a run that was stopped; a finished one is left as it is."""
    from wellfit.alarm import live_display
    from wellfit.recording import resume_run
    from wellfit.tuning import is_study

    if is_study(run):
        from wellfit.cli.tuning import resume_tuning

        resume_tuning(run, json=json)
        return
    with noted(), live_display(quiet=json) as callbacks:
        finished = resume_run(run, callbacks=callbacks)
    print_run(finished, json=json)


def config_of(
    data: str | None,
    target: str | None,
    file: Path | None,
    overrides: list[str],
    given: dict[str, Any] | None = None,
) -> Config:
    """Put a config together: the file, then -o, then the options, each over the one before."""
    from wellfit.config import apply_overrides, from_mapping, load_config

    document = apply_overrides({}, overrides) if file is None else load_config(file, overrides).document
    values = {"data.source": data, "data.target": target, **(given or {})}
    for key, value in values.items():
        if value is not None:
            document = document.with_value(tuple(key.split(".")), value, f"option {_OPTIONS[key]}")
    return from_mapping(document)


_OPTIONS = {
    "data.source": "DATA",
    "data.target": "--target",
    "output.run": "--out",
    "train.time": "--time",
    "train.seed": "--seed",
    "train.workers": "--workers",
    "tune.trials": "--trials",
    "tune.time": "--time",
    "tune.workers": "--workers",
}
