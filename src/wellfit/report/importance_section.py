"""The part of a run's page that shows which columns its predictions hang on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wellfit.report import search_charts
from wellfit.report.document import chart_figure
from wellfit.report.facts import number
from wellfit.report.html import Markup, fold, join, table, tag
from wellfit.report.scores import METRICS, figure

__all__ = ["importance_section"]

_DRAWN = 30
"""Columns that are drawn, the most important ones; the table has all."""


def importance_section(record: Mapping[str, Any] | None) -> Markup | None:
    """Show the importance of each column; None where it was not measured."""
    if not record:
        return None
    columns = [column for column in record.get("columns") or () if isinstance(column, Mapping)]
    metric = str(record.get("metric"))
    title = METRICS[metric].label if metric in METRICS else metric
    told = (
        f"Measured on {int(number(record.get('rows')) or 0):,} rows ({record.get('of')}), each column dealt anew "
        f"{int(number(record.get('repeats')) or 0):,} times. As they are, they score {title} "
        f"{figure(record.get('score'))}. Of two columns that say the same, each looks unimportant."
    )
    return join([tag("p", told), _chart(columns, title), _listing(columns, title)])


def _chart(columns: list[Mapping[str, Any]], title: str) -> Markup | None:
    rows = []
    for column in columns[:_DRAWN]:
        value, spread = number(column.get("permuted")), number(column.get("spread")) or 0.0
        if value is not None:
            row = {"name": str(column.get("column")), "value": value, "low": value - spread, "high": value + spread}
            rows.append(row)
    if not rows:
        return None
    return chart_figure(
        search_charts.bars(rows, title=f"what {title} loses"),
        title="What is lost without a column",
        label=f"What {title} loses where the cells of one column are dealt anew among the rows.",
        caption="The line over a bar is one standard deviation of the repeats to each side.",
    )


def _listing(columns: list[Mapping[str, Any]], title: str) -> Markup:
    rows = [
        [
            str(column.get("column")),
            f"{figure(column.get('permuted'))} ± {figure(column.get('spread'))}",
            figure(column.get("gradient")),
        ]
        for column in columns
    ]
    head = ["Column", f"{title} lost", "Output moved"]
    note = tag("p", "Output moved: how far the output goes when the column moves by its own spread.", class_="note")
    made = table(head, rows, caption="Importance of each column", numeric=True)
    return fold("The figures as a table", made, note)
