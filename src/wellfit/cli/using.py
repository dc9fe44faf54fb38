"""Commands that use a run: predict, evaluate, report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from wellfit.cli.answers import KINDS, AnswerFile
from wellfit.cli.console import noted, print_json, print_lines, print_table, said
from wellfit.errors import BadInput, ContractWarning, did_you_mean

__all__ = ["evaluate", "predict", "report"]

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")]
OnSchema = Annotated[
    str | None,
    typer.Option("--on-schema", metavar="POLICY", help="Rows that don't fit: warn, error or coerce; else the run's."),
]
Rows = Annotated[str, typer.Argument(metavar="DATA", help="Raw rows: CSV, TSV, Parquet, Arrow or JSON.")]


def predict(
    run: RunPath,
    data: Rows,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Parquet, CSV, NDJSON or Arrow.")],
    on_schema: OnSchema = None,
    json: Json = False,
) -> None:
    """Predict every row of a table, in order."""
    from wellfit.run import Run

    _check_output(output)
    predictor = Run.load(run).predictor
    policy = on_schema or predictor.policy
    with noted(silent=ContractWarning), AnswerFile(output) as answers:
        report, count = _predicted(predictor, data, answers, policy)
    if json:
        print_json({"output": str(output), "rows": count, "report": report.as_dict()})
        return
    if policy != "coerce":
        for line in report.sentences():
            said(f"note: {line}")
    print_lines([f"{count:,} rows predicted: {output}"])


def _predicted(predictor: Any, data: str, answers: AnswerFile, policy: str) -> tuple[Any, int]:
    """Write the answers; give the report and the number of rows. A table that outgrows memory passes by in batches."""
    from wellfit.streamed_prediction import arrived_rows, is_streamed, predict_batches

    with arrived_rows(predictor, data) as rows:
        if is_streamed(predictor, rows):
            report = predict_batches(predictor, rows, answers.add, policy)
            return report, report.rows
        prediction = predictor.predict(rows, policy)
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


def evaluate(run: RunPath, data: Rows, on_schema: OnSchema = None, json: Json = False) -> None:
    """Score rows that have the target."""
    from wellfit.run import Run

    loaded = Run.load(run)
    with noted(silent=ContractWarning):
        scores = _scored(loaded, data, on_schema or loaded.predictor.policy)
    if json:
        counts = {"rows": len(scores.target), "without_target": scores.without_target}
        report = {} if scores.report is None else scores.report.as_dict()
        print_json({**counts, "metrics": scores.metrics, "notes": list(scores.notes), "report": report})
        return
    for note in scores.notes:
        said(f"note: {note}")
    figures = ((name, "-" if value is None else f"{value:.6g}") for name, value in scores.metrics.items())
    print_table(f"{len(scores.target):,} rows", ["metric", "value"], figures)


def _scored(run: Any, data: str, policy: str) -> Any:
    from wellfit.streamed_prediction import arrived_rows, is_streamed, score_batches

    with arrived_rows(run.predictor, data) as rows:
        if is_streamed(run.predictor, rows):
            return score_batches(run.predictor, rows, policy)
        return run.evaluate(rows, policy=policy)


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
