"""The part of a run's page that shows how the model errs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wellfit.report import charts
from wellfit.report.document import chart_figure
from wellfit.report.facts import inside, number
from wellfit.report.html import Markup, join, table, tag
from wellfit.report.scores import figure

__all__ = ["errors_section"]


def errors_section(evaluation: Mapping[str, Any]) -> Markup | None:
    """Show the errors of the evaluated rows; None where there are no such rows."""
    rows = number(evaluation.get("rows"))
    if not rows:
        return None
    left_out = number(evaluation.get("rows_left_out")) or 0
    note = (
        f"{figure(left_out)} rows are left out: no finite prediction, or a label training never saw."
        if left_out
        else None
    )
    figures = [made for made in _figures(evaluation) if made is not None]
    split = {"test": "test", "valid": "validation"}.get(str(evaluation.get("split")), "evaluated")
    return join(
        [
            tag("p", f"The errors on {figure(rows)} {split} rows."),
            confusion(evaluation.get("confusion")),
            tag("div", *figures, class_="charts") if figures else None,
            _class_table(evaluation),
            None if note is None else tag("p", note, class_="note"),
        ]
    )


def _figures(evaluation: Mapping[str, Any]) -> list[Markup | None]:
    draw = {"binary": _binary, "multiclass": _multiclass, "regression": _regression}.get(str(evaluation.get("task")))
    return [] if draw is None else draw(evaluation)


def _binary(evaluation: Mapping[str, Any]) -> list[Markup | None]:
    area = figure(inside(evaluation, "roc", "area"), 3)
    average = figure(inside(evaluation, "precision_recall", "average_precision"), 3)
    return [
        chart_figure(
            charts.roc(evaluation),
            title="ROC curve",
            label=f"ROC curve, area under it {area}",
            caption=f"Area {area}. The dashed line is guessing; the nearer to the upper left corner, the better.",
        ),
        chart_figure(
            charts.precision_recall(evaluation),
            title="Precision and recall",
            label=f"Precision against recall, average precision {average}",
            caption=f"Average precision {average}. How many flagged rows are right, for each share of positives found.",
        ),
        _calibration(evaluation, "share of rows that are of the second class"),
    ]


def _multiclass(evaluation: Mapping[str, Any]) -> list[Markup | None]:
    return [
        chart_figure(
            charts.per_class(evaluation),
            title="Recall and precision by class",
            label="Recall and precision of each class; the figures are in the table of classes",
            caption="Recall: share of a class's rows that are found. Precision: share of such answers that are right.",
        ),
        _calibration(evaluation, "share of answers that were right"),
    ]


def _calibration(evaluation: Mapping[str, Any], observed: str) -> Markup | None:
    return chart_figure(
        charts.calibration(evaluation),
        title="Can its probabilities be trusted?",
        label=f"Calibration: {observed} against the probability stated",
        caption=f"The {observed}, for each probability stated; on the dashed line they agree. Larger dots: more rows.",
    )


def _regression(evaluation: Mapping[str, Any]) -> list[Markup | None]:
    beyond = number(inside(evaluation, "grid", "beyond")) or 0
    cut = f" {figure(beyond)} rows lie outside of the picture." if beyond else ""
    dense = charts.grid(evaluation)
    middle = figure(inside(evaluation, "residuals", "median_absolute"))
    mean = figure(inside(evaluation, "residuals", "mean"))
    far = number(inside(evaluation, "residuals", "beyond")) or 0
    tail = f" {figure(far)} rows have errors outside of the picture." if far else ""
    return [
        chart_figure(
            charts.points(evaluation) if dense is None else dense,
            title="Predicted and actual",
            label="Predicted against actual values, with the line where they are equal",
            caption="On the dashed line the prediction is exact."
            + ("" if dense is None else " Darker: more rows." + cut),
        ),
        chart_figure(
            charts.residuals(evaluation),
            title="Errors",
            label=f"Histogram of predicted minus actual: mean {mean}, median size {middle}",
            caption=f"Half of the predictions are off by less than {middle}; the mean error is {mean}.{tail}",
        ),
        chart_figure(
            charts.deciles(evaluation),
            title="Where the errors are",
            label="Mean absolute error and bias by tenth of the rows, sorted by the actual value",
            caption="Bias: mean of predicted minus actual. Where it falls from left to right, "
            "low values are overestimated and high ones underestimated.",
        ),
    ]


def confusion(record: Any) -> Markup | None:
    """Make the table of truth against answer, shaded by the share of each true class."""
    labels, counts = inside(record, "labels") or [], inside(record, "counts") or []
    if not labels or len(labels) != len(counts):
        return None
    rows = [
        [tag("span", label), *[_cell(count, sum(row), across == down) for across, count in enumerate(row)]]
        for down, (label, row) in enumerate(zip(labels, counts, strict=True))
    ]
    made = table(
        ["True class ↓ / answer →", *labels],
        rows,
        caption="Answers: rows and share of the true class",
    )
    return Markup(made.replace("<table", '<table class="matrix"', 1))


def _cell(count: int, total: int, right: bool) -> Markup:
    share = count / total if total else 0.0
    percent = tag("span", f"{share:.0%}", class_="unit") if count else None
    return tag("td", f"{count:,}", percent, class_="right" if right else None, style=f"--share:{share:.3f}")


def _class_table(evaluation: Mapping[str, Any]) -> Markup | None:
    held = [row for row in evaluation.get("per_class") or () if isinstance(row, Mapping)]
    if not held:
        return None
    rows = [
        [str(row.get("class")), *[figure(row.get(key), 3) for key in ("rows", "recall", "precision")]] for row in held
    ]
    return tag(
        "details",
        tag("summary", "The classes as a table"),
        table(["Class", "Rows", "Recall", "Precision"], rows, caption="Classes", numeric=True),
    )
