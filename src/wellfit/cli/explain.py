"""The command that says what a run's predictions hang on: explain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wellfit.cli.console import noted, print_json, print_lines, print_table, working

if TYPE_CHECKING:
    from wellfit.explanation import Explanation

__all__ = ["explain"]

_SHOWN = 30
"""Columns in the terminal; the report's table has all."""


def explain(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")],
    data: Annotated[
        str | None, typer.Argument(metavar="DATA", help="Raw rows with the target; left out: the run's test rows.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Seed of the draws.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say which columns the predictions hang on, by permuting each and by the network's gradients."""
    from wellfit.run import Run

    loaded = Run.load(run)
    with noted(), working("Measuring what each column is worth", quiet=json):
        found = loaded.explain(data, seed=seed)
    page = loaded.path / "report.html"
    if json:
        print_json({"run": str(run), **found.as_dict()})
        return
    _print(found)
    if page.is_file():
        print_lines([f"Report: {page}"])


def _print(found: Explanation) -> None:
    print_lines(
        [
            f"Rows:    {found.rows:,}, {found.of}; as they are they score {found.metric} {found.score:.4f}",
            f"Lost:    what {found.metric} loses where a column's cells are dealt anew ({found.repeats} times, "
            "with standard deviation)",
            "Moved:   how far the network's output goes when the column moves by its own spread",
        ]
    )
    shown = found.columns[:_SHOWN]
    rows = ([one.column, f"{one.permuted:.4g} +- {one.spread:.2g}", f"{one.gradient:.4g}"] for one in shown)
    print_table("", ["column", "lost", "moved"], rows)
    if len(found.columns) > _SHOWN:
        print_lines([f"{len(found.columns) - _SHOWN:,} more columns in the report and with --json."])
