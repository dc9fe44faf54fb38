"""Commands that use a run: predict, evaluate, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from wellfit.cli.answers import KINDS, AnswerFile
from wellfit.cli.console import noted, print_json, print_lines, print_table, said
from wellfit.errors import BadInput, did_you_mean

__all__ = ["evaluate", "predict", "report"]

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")]
Rows = Annotated[str, typer.Argument(metavar="DATA", help="Raw rows: CSV, TSV, Parquet, Arrow or JSON.")]


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
    with noted(), AnswerFile(output) as answers:
        report, count = _predicted(predictor, data, answers, "error" if predictor.policy == "error" else "coerce")
    if json:
        print_json({"output": str(output), "rows": count, "report": report.as_dict()})
        return
    if predictor.policy != "coerce":
        for line in report.sentences():
            said(f"note: {line}")
    print_lines([f"{count:,} rows predicted: {output}"])


def _predicted(predictor: Any, data: str, answers: AnswerFile, policy: str) -> tuple[Any, int]:
    """Write the answers; give the report and the number of rows. A table that outgrows memory passes by in batches."""
    from wellfit.streamed_prediction import is_streamed, predict_batches

    if is_streamed(predictor, data):
        report = predict_batches(predictor, data, answers.add, policy)
        return report, report.rows
    prediction = predictor.predict(data, policy)
    answers.add(prediction.to_frame(predictor.classes))
    return prediction.report, len(prediction.values)


def _check_output(path: Path) -> None:
    if path.suffix.lower() not in KINDS:
        known = ", ".join(KINDS)
        raise BadInput(
            f"Predictions are written as one of {known}.", got=str(path), do=did_you_mean(path.suffix, KINDS)
        )
    if path.is_dir() or not path.resolve().parent.is_dir():
        raise BadInput(
            "Predictions are written into a file of a folder that is there.", got=str(path), do="Make it first."
        )


def evaluate(run: RunPath, data: Rows, json: Json = False) -> None:
    """Score rows that have the target."""
    from wellfit.run import Run

    loaded = Run.load(run)
    with noted():
        scores = _scored(loaded, data)
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


def _scored(run: Any, data: str) -> Any:
    from wellfit.streamed_prediction import is_streamed, score_batches

    return score_batches(run.predictor, data) if is_streamed(run.predictor, data) else run.evaluate(data)


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
