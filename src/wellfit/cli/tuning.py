"""The command that searches for settings: tune."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from wellfit.cli.console import noted, print_json, print_lines, print_table, working
from wellfit.cli.summary import print_run, run_record
from wellfit.cli.training import ConfigFile, Data, Json, Overrides, Target, config_of

if TYPE_CHECKING:
    from wellfit.run import Run

__all__ = ["resume_tuning", "tune"]

_SHOWN = 5
"""Trials in the terminal, the best ones; the report has all."""


def tune(
    data: Data = None,
    target: Target = None,
    config: ConfigFile = None,
    out: Annotated[str | None, typer.Option("--out", metavar="RUN", help="The run folder to write.")] = None,
    trials: Annotated[int | None, typer.Option("--trials", metavar="N", help="Trainings that search.")] = None,
    time: Annotated[str | None, typer.Option("--time", metavar="10m", help="The longest it may take, in all.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Seed of search and training.")] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", help="Trainings at the same time; 1 repeats exactly.")
    ] = None,
    o: Overrides = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing run.")] = False,
    json: Json = False,
) -> None:
    """Search for better settings on rows that don't test, prove the best, and train it."""
    import wellfit.cli as command
    from wellfit.alarm import live_display
    from wellfit.tuning import tune_run

    given = {
        "output.run": out,
        "tune.trials": trials,
        "tune.time": time,
        "train.seed": seed,
        "tune.workers": workers,
    }
    settled = config_of(data, target, config, o or [], given)
    with noted():
        run = tune_run(
            settled,
            force=force,
            telling=partial(working, "Tuning", quiet=json),
            display=partial(live_display, quiet=json),
            started=command.STARTED,
        )
    _print_tuned(run, json=json)


def resume_tuning(path: Path, *, json: bool) -> None:
    """Go on with a study that was stopped."""
    import wellfit.cli as command
    from wellfit.alarm import live_display
    from wellfit.tuning import resume_study

    with noted():
        run = resume_study(
            path,
            telling=partial(working, "Tuning", quiet=json),
            display=partial(live_display, quiet=json),
            started=command.STARTED,
        )
    _print_tuned(run, json=json)


def _print_tuned(run: Run, *, json: bool) -> None:
    """Print the best trials, what was kept and why, and the run."""
    record = run.tuning or {}
    if json:
        print_json({**run_record(run), "tuning": record})
        return
    sign = -1.0 if record["greater_is_better"] else 1.0
    best = sorted(
        (trial for trial in record["trials"] if trial["value"] is not None),
        key=lambda trial: (trial["state"] != "complete", sign * trial["value"]),
    )
    shown = [*best[:_SHOWN], *(trial for trial in best[_SHOWN:] if trial["default"])]
    columns = ["trial", "settings", record["metric"], "seconds"]
    print_table("", columns, ([_name(trial), _settings(trial), *_figures(trial)] for trial in shown), right_from=2)
    print_lines([*_kept(record), ""])
    print_run(run, json=False)


def _why_not(proofs: list[dict[str, Any]]) -> str:
    if not proofs:
        return "no trial was better"
    if not any(proof["seeds"] for proof in proofs):
        return "there was no time to prove on fresh seeds that what was found is better"
    return "by fresh seeds and half of its lead, what was found is no better"


def _name(trial: dict[str, Any]) -> str:
    state = {"pruned": ", given up early"}.get(trial["state"], "")
    return f"{trial['number']}{' (default)' if trial['default'] else ''}{state}"


def _settings(trial: dict[str, Any]) -> str:
    from wellfit.report.sections import setting

    if trial["default"]:
        return "the config as it is"
    told = {
        key: f"{value:.3g}" if isinstance(value, float) else setting(value) for key, value in trial["values"].items()
    }
    return " ".join(f"{key}={value}" for key, value in told.items())


def _figures(trial: dict[str, Any]) -> list[str]:
    return [
        f"{trial['value']:.4f}" if abs(trial["value"]) < 1000 else f"{trial['value']:,.0f}",
        f"{trial['seconds']:.1f}",
    ]


def _kept(record: dict[str, Any]) -> Iterator[str]:
    """Say what was kept, and how to train it anew."""
    failed = [trial for trial in record["trials"] if trial["state"] == "failed"]
    if failed:
        yield f"Failed:  {len(failed):,} trials; the first: {failed[0]['reason']}"
    if record["best"] is None:
        yield f"Kept:    the default; {_why_not(record['proofs'])}."
        return
    from wellfit.report.sections import setting

    options = " ".join(
        f"-o {shlex.quote(f'{key}={setting(value)}')}" for key, value in record["best"]["values"].items()
    )
    said = "better than the default by fresh seeds and half of its lead"
    yield f"Kept:    trial {record['best']['number']}, {said}: {options}"
