"""Commands that use a run: predict, evaluate, report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wellfit.cli.console import noted, print_json, print_lines, print_table, said
from wellfit.errors import BadInput, RunFailed, did_you_mean

if TYPE_CHECKING:
    import polars as pl

__all__ = ["evaluate", "predict", "report"]

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")]
Rows = Annotated[str, typer.Argument(metavar="DATA", help="Raw rows: CSV, TSV, Parquet, Arrow or JSON.")]

_WRITERS = {
    ".parquet": "write_parquet",
    ".csv": "write_csv",
    ".ndjson": "write_ndjson",
    ".jsonl": "write_ndjson",
    ".arrow": "write_ipc",
    ".feather": "write_ipc",
}


def predict(
    run: RunPath,
    data: Rows,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Parquet, CSV, NDJSON or Arrow.")],
    json: Json = False,
) -> None:
    """Predict every row of a table, in order."""
    from wellfit.run import Run

    _check_output(output)
    predictor = Run.load(run).predictor
    with noted():
        prediction = predictor.predict(data, "error" if predictor.policy == "error" else "coerce")
    _write(prediction.to_frame(predictor.classes), output)
    report = prediction.report
    if json:
        print_json({"output": str(output), "rows": len(prediction.values), "report": report.as_dict()})
        return
    if predictor.policy != "coerce":
        for line in report.sentences():
            said(f"note: {line}")
    print_lines([f"{len(prediction.values):,} rows predicted: {output}"])


def _check_output(path: Path) -> None:
    if path.suffix.lower() not in _WRITERS:
        known = ", ".join(_WRITERS)
        raise BadInput(
            f"Predictions are written as one of {known}.", got=str(path), do=did_you_mean(path.suffix, _WRITERS)
        )
    if path.is_dir() or not path.resolve().parent.is_dir():
        raise BadInput(
            "Predictions are written into a file of a folder that is there.", got=str(path), do="Make it first."
        )


def _write(frame: pl.DataFrame, path: Path) -> None:
    """Write under a temporary name and rename, so that no half file is left."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        getattr(frame, _WRITERS[path.suffix.lower()])(temporary)
        os.replace(temporary, path)
    except OSError as error:
        raise RunFailed("Predictions could not be written.", got=f"{error.strerror}: {path}", do="Make room.") from None
    finally:
        temporary.unlink(missing_ok=True)


def evaluate(run: RunPath, data: Rows, json: Json = False) -> None:
    """Score rows that have the target."""
    from wellfit.run import Run

    loaded = Run.load(run)
    with noted():
        scores = loaded.evaluate(data)
    if json:
        counts = {"rows": len(scores.target), "without_target": scores.without_target}
        report = {} if scores.report is None else scores.report.as_dict()
        print_json({**counts, "metrics": scores.metrics, "notes": list(scores.notes), "report": report})
        return
    for note in scores.notes:
        said(f"note: {note}")
    if scores.without_target:
        said(f"note: {scores.without_target:,} rows have no usable target and were not scored.")
    figures = ((name, "-" if value is None else f"{value:.6g}") for name, value in scores.metrics.items())
    print_table(f"{len(scores.target):,} rows", ["metric", "value"], figures)


def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN...", help="Run folders; several are compared.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="The page to write.")] = None,
    json: Json = False,
) -> None:
    """Write the page that explains a run, or compares several."""
    from wellfit.artifact import RunFolder
    from wellfit.report import render_page
    from wellfit.run import facts_of

    folders = [RunFolder(path) for path in runs]
    page = render_page([facts_of(folder) for folder in folders])
    target = output or (runs[0] / "report.html" if len(runs) == 1 else Path("comparison.html"))
    if not target.resolve().parent.is_dir():
        raise BadInput("The page is written into a folder that is there.", got=str(target), do="Make it first.")
    RunFolder(target.resolve().parent).write_text(target.name, page)
    if json:
        print_json({"report": str(target)})
    else:
        print_lines([f"Report: {target}"])
