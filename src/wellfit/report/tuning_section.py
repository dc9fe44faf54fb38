"""The part of a run's page that shows how its settings were searched for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wellfit.report import search_charts
from wellfit.report.document import chart_figure
from wellfit.report.facts import inside, number, section
from wellfit.report.html import Markup, fold, join, table, tag
from wellfit.report.scores import METRICS, figure
from wellfit.report.sections import setting

__all__ = ["tuning_section"]

_STATES = {"complete": "complete", "pruned": "given up early", "failed": "failed"}

_DRAWN = 300
"""Trials that are drawn as lines, the best ones."""

Trial = Mapping[str, Any]


def tuning_section(record: Mapping[str, Any] | None) -> Markup | None:
    """Show what was kept and why, the course of the search, what mattered, and all trials; None where none was made."""
    if not record:
        return None
    trials = [trial for trial in record.get("trials") or () if isinstance(trial, Mapping)]
    metric = str(record.get("metric"))
    title = METRICS[metric].label if metric in METRICS else metric
    greater = bool(record.get("greater_is_better"))
    drawn = [
        _course(trials, title, greater),
        _importances(section(record, "importances")),
        _parallel(trials, title, greater),
    ]
    figures = [made for made in drawn if made is not None]
    return join(
        [
            tag("p", _story(record, trials)),
            _proofs(record),
            tag("div", *figures, class_="charts") if figures else None,
            _listing(trials, title),
        ]
    )


def _story(record: Mapping[str, Any], trials: Sequence[Trial]) -> str:
    count = {state: sum(trial.get("state") == state for trial in trials) for state in _STATES}
    said = f"{len(trials):,} trials in {figure(record.get('search_seconds'), 3)} s, judged on {_judges(record)}"
    said += f": {count['pruned']:,} given up early, {count['failed']:,} failed."
    if record.get("kept") == "tuned":
        number_ = inside(record, "best", "number")
        return f"{said} Trial {number_} was better than the default by fresh seeds and half of its lead, and was kept."
    if record.get("proofs") and not any(inside(proof, "seeds") for proof in record["proofs"]):
        return f"{said} There was no time to prove on fresh seeds that the best is better: the default was kept."
    if record.get("proofs"):
        return f"{said} By fresh seeds and half of its lead, nothing was better than the default, which was kept."
    return f"{said} Nothing was better than the default, which was kept."


def _judges(record: Mapping[str, Any]) -> str:
    folds = number(record.get("folds")) or 1
    return f"{folds:.0f} parts of the rows, each by what it did not learn" if folds > 1 else "the validation rows"


def _proofs(record: Mapping[str, Any]) -> Markup | None:
    rows = [
        [f"trial {inside(proof, 'number')}", seed, figure(tuned), figure(default)]
        for proof in record.get("proofs") or ()
        for seed, tuned, default in zip(
            inside(proof, "seeds") or (), inside(proof, "tuned") or (), inside(proof, "default") or (), strict=False
        )
    ]
    if not rows:
        return None
    return table(["Put to the proof", "Seed", "Tuned", "Default"], rows, caption="On fresh seeds", numeric=True)


def _course(trials: Sequence[Trial], title: str, greater: bool) -> Markup | None:
    rows: list[dict[str, Any]] = []
    best: float | None = None
    for trial in trials:
        value = number(trial.get("value"))
        if value is None:
            continue
        if trial.get("state") == "complete" and (best is None or (value > best) == greater):
            best = value
        state = _STATES.get(str(trial.get("state")), "")
        rows.append({"trial": trial.get("number"), "value": value, "best": best, "state": state})
    if len(rows) < 2:
        return None
    return chart_figure(
        search_charts.progress(rows, title=title),
        title="The course of the search",
        label=f"{title} of held-out rows by trial, and the best so far as a line.",
        caption="Trial 0 is the config as it was. The line is the best of the trainings that were finished.",
    )


def _importances(shares: Mapping[str, Any]) -> Markup | None:
    rows = [{"name": name, "value": share} for name, value in shares.items() if (share := number(value)) is not None]
    if not rows:
        return None
    return chart_figure(
        search_charts.bars(sorted(rows, key=lambda row: -row["value"]), title="share"),
        title="Which settings mattered",
        label="The importance of each setting: " + ", ".join(f"{row['name']} {row['value']:.2f}" for row in rows),
        caption="The share of each setting in what tells the best trials from the others (PED-ANOVA).",
    )


def _parallel(trials: Sequence[Trial], title: str, greater: bool) -> Markup | None:
    held = [trial for trial in trials if number(trial.get("value")) is not None and trial.get("values")]
    held = sorted(held, key=lambda trial: float(trial["value"]), reverse=greater)[:_DRAWN]
    names = list(dict.fromkeys(name for trial in held for name in trial["values"]))
    if len(held) < 2 or not names:
        return None
    scales = {name: _scale([trial["values"][name] for trial in held if name in trial["values"]]) for name in names}
    rows = [row for place, trial in enumerate(held) for row in _line(trial, 1 - place / (len(held) - 1), scales)]
    ends = [
        {"axis": name, "position": position, "told": told}
        for name, scale in scales.items()
        for told, position in _ends(scale)
    ]
    return chart_figure(
        search_charts.parallel(rows, ends, axes=names, title=title),
        title="All trials over their settings",
        label=f"Each trial as a line over {', '.join(names)}; the darker the better.",
        caption="A line is a trial; the darker, the better.",
    )


def _line(trial: Trial, rank: float, scales: Mapping[str, Mapping[str, float]]) -> Iterator[dict[str, Any]]:
    for name, value in trial["values"].items():
        told = setting(value)
        row = {"trial": trial.get("number"), "value": trial.get("value"), "rank": rank}
        yield {**row, "axis": name, "position": scales[name][told], "told": told}


def _scale(values: Sequence[Any]) -> dict[str, float]:
    """Give the place of each value, by how it is written, in [0, 1]: of numbers by size, of others in their order."""
    known = {setting(value): value for value in values}
    numbers = {told: number(value) for told, value in known.items()}
    if any(value is None for value in numbers.values()):
        return {told: place / max(len(known) - 1, 1) for place, told in enumerate(sorted(known))}
    sizes = {told: float(value) for told, value in numbers.items() if value is not None}
    if min(sizes.values()) > 0 and max(sizes.values()) / min(sizes.values()) > 10:
        sizes = {told: math.log(size) for told, size in sizes.items()}
    low, span = min(sizes.values()), max(sizes.values()) - min(sizes.values())
    return {told: (size - low) / span if span else 0.5 for told, size in sizes.items()}


def _ends(scale: Mapping[str, float]) -> Iterator[tuple[str, float]]:
    """Give the labels of an axis: all of a few values, else both ends."""
    if len(scale) <= 5:
        yield from ((_short(told), position) for told, position in scale.items())
        return
    for chosen in (min(scale, key=scale.__getitem__), max(scale, key=scale.__getitem__)):
        yield _short(chosen), scale[chosen]


def _short(told: str) -> str:
    try:
        return f"{float(told):.3g}"
    except ValueError:
        return told if len(told) <= 18 else told[:17] + "\u2026"


def _listing(trials: Sequence[Trial], title: str) -> Markup:
    rows = [
        [
            f"{trial.get('number')}{' (default)' if trial.get('default') else ''}",
            _STATES.get(str(trial.get("state")), str(trial.get("state"))),
            figure(trial.get("value")),
            figure(trial.get("seconds"), 3),
            ", ".join(f"{name} {_short(setting(value))}" for name, value in section(trial, "values").items()),
            str(trial.get("reason") or ""),
        ]
        for trial in trials
    ]
    head = ["Trial", "State", title, "Seconds", "Settings", "Remark"]
    return fold("All trials as a table", table(head, rows, caption="Trials"))
