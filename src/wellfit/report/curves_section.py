"""The part of a page that shows how learning went, for one run or several over each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from wellfit.report import charts
from wellfit.report.document import chart_figure
from wellfit.report.facts import ReportFacts, best_epoch, inside, number
from wellfit.report.html import Markup, fold, join, table, tag
from wellfit.report.scores import METRICS, figure

__all__ = ["curves_section", "overlay_section"]

PLOTTED_EPOCHS = 500
LISTED_EPOCHS = 50

_LOSSES = {"train_loss": "training", "valid_loss": "validation"}
Epochs = Sequence[Mapping[str, float]]


def curves_section(facts: ReportFacts) -> Markup:
    """Show losses, metric and learning rate over epochs, and the epoch that was kept."""
    epochs = facts.epochs
    if not epochs:
        return tag("p", "No training was recorded.")
    best = best_epoch(facts)
    shown = thinned(epochs, PLOTTED_EPOCHS, best)
    metric = _plotted_metric(facts)
    title = "Loss" if metric is None else _label(metric)
    figures = [
        _lines(shown, _LOSSES, "Loss", best, "The loss that training lowers, over training and validation rows."),
        None if metric is None else _lines(shown, _both(metric), title, best, f"{title} of the validation rows."),
        _rate(shown),
    ]
    drawn = [made for made in figures if made is not None]
    return join(
        [tag("p", _story(epochs, best)), tag("div", *drawn, class_="charts") if drawn else None, _listing(epochs, best)]
    )


def overlay_section(runs: Mapping[str, ReportFacts]) -> Markup | None:
    """Show the validation loss, and the metric they share, of several runs over each other."""
    names = ["valid_loss", *_shared_metrics(runs.values())]
    figures = [_overlay(runs, name) for name in names]
    drawn = [made for made in figures if made is not None]
    return tag("div", *drawn, class_="charts") if drawn else None


def thinned(epochs: Epochs, count: int, best: int | None) -> Epochs:
    """Give at most ``count`` epochs evenly spread, the first, the last and the best among them."""
    if len(epochs) <= count:
        return epochs
    kept = set(np.linspace(0, len(epochs) - 1, count - 1).round().astype(int).tolist())
    kept |= {row for row, record in enumerate(epochs) if record["epoch"] == best}
    return [epochs[row] for row in sorted(kept)]


def _rows(epochs: Epochs, series: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"epoch": int(record["epoch"]), "series": title, "value": value}
        for name, title in series.items()
        for record in epochs
        if (value := number(record.get(name))) is not None
    ]


def _lines(epochs: Epochs, series: Mapping[str, str], title: str, best: int | None, caption: str) -> Markup | None:
    rows = _rows(epochs, series)
    if not rows:
        return None
    label = f"{title} over {len(epochs)} epochs; " + _ends(rows)
    return chart_figure(
        charts.curves(rows, title=title.lower() if title == "Loss" else title, best=best),
        title=title,
        label=label,
        caption=caption,
    )


def _ends(rows: Sequence[Mapping[str, Any]]) -> str:
    """Say where each line begins and ends."""
    by_series: dict[str, list[float]] = {}
    for row in rows:
        by_series.setdefault(row["series"], []).append(row["value"])
    return ", ".join(f"{name} from {figure(held[0], 3)} to {figure(held[-1], 3)}" for name, held in by_series.items())


def _rate(epochs: Epochs) -> Markup | None:
    rows = _rows(epochs, {"lr": "learning rate"})
    if len({row["value"] for row in rows}) < 2:
        return None
    spec = charts.curves(rows, title="learning rate", height=160)
    return chart_figure(spec, title="Learning rate", label="Learning rate over epochs; " + _ends(rows))


def _overlay(runs: Mapping[str, ReportFacts], name: str) -> Markup | None:
    rows = [
        row
        for title, facts in runs.items()
        for row in _rows(thinned(facts.epochs, PLOTTED_EPOCHS, best_epoch(facts)), {name: title})
    ]
    if not rows:
        return None
    title = "Loss, validation rows" if name == "valid_loss" else f"{_label(name)}, validation rows"
    return chart_figure(charts.curves(rows, title=title), title=title, label=f"{title} over epochs; " + _ends(rows))


def _story(epochs: Epochs, best: int | None) -> str:
    last = int(epochs[-1]["epoch"])
    said = f"Trained for {last:,} epoch{'s' if last != 1 else ''}."
    kept = next((record for record in epochs if record["epoch"] == best), None)
    if kept is not None:
        said += f" The weights of epoch {best:,} were kept:"
        losses = [
            f"{title} loss {figure(kept.get(name))}"
            for name, title in _LOSSES.items()
            if number(kept.get(name)) is not None
        ]
        said = said + " " + ", ".join(losses) + "." if losses else said.removesuffix(":") + "."
    rates = {known for record in epochs if (known := number(record.get("lr"))) is not None}
    return said + (f" The learning rate was {figure(rates.pop())} throughout." if len(rates) == 1 else "")


def _plotted_metric(facts: ReportFacts) -> str | None:
    """Give the metric that training watched, else the first one recorded."""
    names = [name.removeprefix("valid_") for name in facts.history.names() if name.startswith("valid_")]
    held = [name for name in names if name != "loss"]
    asked = inside(facts.config, "train", "metric")
    order = [asked, "accuracy", "rmse", *held]
    return next((name for name in order if name in held), None)


def _shared_metrics(runs: Iterable[ReportFacts]) -> list[str]:
    held = [_plotted_metric(facts) for facts in runs]
    return [f"valid_{held[0]}"] if held and held[0] is not None and len(set(held)) == 1 else []


def _both(metric: str) -> dict[str, str]:
    return {f"train_{metric}": "training", f"valid_{metric}": "validation"}


def _label(metric: str) -> str:
    name = metric.removeprefix("valid_")
    return METRICS[name].label if name in METRICS else name.replace("_", " ").capitalize()


def _listing(epochs: Epochs, best: int | None) -> Markup:
    shown = thinned(epochs, LISTED_EPOCHS, best)
    names = list(dict.fromkeys(name for record in shown for name in record if name not in ("epoch", "step")))
    marked = {best: " (kept)"}
    rows = [
        [
            f"{int(record['epoch']):,}{marked.get(int(record['epoch']), '')}",
            *[figure(record.get(name)) for name in names],
        ]
        for record in shown
    ]
    head = ["Epoch", *[name.replace("_", " ") for name in names]]
    caption = "Figures by epoch" + ("" if len(shown) == len(epochs) else f", {len(shown)} of {len(epochs):,} epochs")
    return fold("The figures as a table", table(head, rows, caption=caption, numeric=True))
