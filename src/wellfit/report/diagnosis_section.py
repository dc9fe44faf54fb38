"""The part of a run's page that diagnoses it: the verdict on the fit, the findings, layers over time, more rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from wellfit.diagnosis import Verdict, judge
from wellfit.diagnosis.fit_evidence import Figure
from wellfit.history import History
from wellfit.report import charts
from wellfit.report.document import chart_figure
from wellfit.report.facts import ReportFacts, number
from wellfit.report.html import Markup, fold, join, table, tag
from wellfit.report.scores import UNKNOWN, figure
from wellfit.report.sections import findings_section

__all__ = ["diagnosis_section"]

_COLUMNS = 60
"""Epochs of a heat map: more are narrower than a person can tell apart."""

_LAYERS = 40
"""Layers of a heat map, evenly chosen, the first and the last among them."""

_FEW = 0.01
"""Share of a layer's units that could not be seen in a heat map."""


def diagnosis_section(facts: ReportFacts) -> Markup:
    """Show the verdict and its reasons, what the checks found, and what the layers did over the epochs."""
    return join(
        [
            _fit(judge(facts.history)),
            tag("h3", "Findings"),
            findings_section(facts.findings),
            _maps(facts.history),
            _more_rows(facts.learning_curve),
        ]
    )


_VERDICTS = {
    "good_fit": "Good fit",
    "overfitting": "Overfitting",
    "underfitting": "Underfitting",
    "not_learning": "Not learning",
}


def _fit(verdict: Verdict | None) -> Markup:
    if verdict is None:
        return tag("p", "The fit was not judged: the run recorded too little of its training.")
    named = tag("strong", _VERDICTS.get(verdict.verdict, verdict.verdict))
    best = verdict.best_epoch
    least = None if best is None else tag("p", f"The validation loss was least in epoch {best:,}.", class_="note")
    return join([tag("p", named, ": ", " ".join(verdict.reasons)), _figures(verdict), least])


_SIDES = {"constant": "Constant guess", "linear": "Linear model", "reference": "Quick learner"}


def _figures(verdict: Verdict) -> Markup | None:
    """Show training and validation figures with intervals, their gap, and the baselines."""
    sides = {"Training": verdict.train, "Validation": verdict.valid, "Gap": verdict.gap}
    sides |= {title: verdict.baselines[kind] for kind, title in _SIDES.items() if kind in verdict.baselines}
    held = {title: figures for title, figures in sides.items() if figures}
    names = sorted(verdict.train, key=lambda name: (name != verdict.main, name))
    if not names:
        return None
    rows = [[_worded(name), *[_interval(figures.get(name)) for figures in held.values()]] for name in names]
    scored = "validation" if verdict.valid else "training"
    caption = f"What the verdict rests on, with 95 % intervals; the baselines on the same {scored} rows"
    return table(["Figure", *held], rows, caption=caption, numeric=True)


def _worded(name: str) -> str:
    # Seen in training, where the target is scaled: the run's scores are in its own unit.
    scaled = {"rmse": "RMSE of the scaled target", "mae": "MAE of the scaled target"}
    return {"r2": "R²", **scaled}.get(name, name.replace("_", " ").capitalize())


def _interval(held: Figure | None) -> Markup:
    if held is None:
        return tag("td", UNKNOWN)
    ends = tag("span", f"{figure(held.low, 3)} to {figure(held.high, 3)}", class_="unit")
    return tag("td", figure(held.value, 3), ends if held.low != held.high else None)


class _Map(NamedTuple):
    """One figure of layers over epochs."""

    name: str
    title: str
    color: str
    log: bool
    caption: str


_MAPS = (
    _Map(
        "grad_norm",
        "Gradients",
        "var(--s1)",
        True,
        "The norm of each layer's gradient. Rows that fade towards the top of the network: it vanishes on its way "
        "back. Columns that get stronger: it explodes.",
    ),
    _Map(
        "update_ratio",
        "Updates",
        "var(--s3)",
        True,
        "How far one update moves a layer's weights, as a share of their size. About 0.001 is usual; 0.1 tears at "
        "them, 0.000001 leaves them where they are.",
    ),
    _Map("silent_share", "Silent units", "var(--s2)", False, "Units that are zero for every row of a sample."),
    _Map(
        "saturated_share",
        "Saturated units",
        "var(--s4)",
        False,
        "Units of a bounded activation that sit at its ends, where it hands on next to no gradient.",
    ),
)


def _maps(history: History) -> Markup | None:
    drawn, told, listed = [], [], []
    for kind in _MAPS:
        cells = _cells(history, kind.name)
        if not cells:
            continue
        listed.append(_listing(kind, cells))
        if kind.log or not all(cell["value"] < _FEW for cell in cells):
            drawn.append(_drawn(kind, cells))
        else:
            told.append(f"{kind.title}: less than {_FEW:.0%} in every layer.")
    if not listed:
        return None
    return join(
        [
            tag("h3", "Layers over the epochs"),
            tag("div", *drawn, class_="charts") if drawn else None,
            tag("p", " ".join(told)) if told else None,
            fold("The layers as tables", *listed),
        ]
    )


Cells = Sequence[Mapping[str, Any]]


def _cells(history: History, name: str) -> Cells:
    """Give a figure by layer and epoch: biases left out beside their weights, not more than can be seen."""
    held = {(where, epoch): value for _, epoch, its_name, where, value in history.rows() if its_name == name and where}
    layers = dict(_spread(list(_named([where for where, _ in held]).items()), _LAYERS))
    epochs = set(_spread(sorted({epoch for _, epoch in held}), _COLUMNS))
    return [
        {"layer": layers[where], "epoch": epoch, "value": value}
        for (where, epoch), value in held.items()
        if where in layers and epoch in epochs
    ]


def _named(places: Sequence[str]) -> dict[str, str]:
    """Name each place by its layer: ``0.weight`` is 0, and its ``0.bias`` says the same a second time.

    >>> _named(["0.weight", "0.bias", "scale"])
    {'0.weight': '0', 'scale': 'scale'}
    """
    weights = {place.removesuffix(".weight") for place in places if place.endswith(".weight")}
    kept = [place for place in dict.fromkeys(places) if place.removesuffix(".bias") not in weights or place in weights]
    return {place: place.removesuffix(".weight") for place in kept}


Item = TypeVar("Item")


def _spread(items: Sequence[Item], count: int) -> Sequence[Item]:
    """Give at most so many items, evenly chosen, the first and the last among them."""
    if len(items) <= count:
        return items
    return [items[round(place * (len(items) - 1) / (count - 1))] for place in range(count)]


def _drawn(kind: _Map, cells: Cells) -> Markup | None:
    known = [cell for cell in cells if number(cell["value"]) is not None]
    most = max(known, key=lambda cell: cell["value"], default=None)
    said = "" if most is None else f"; the largest is {figure(most['value'])} of {most['layer']}, epoch {most['epoch']}"
    return chart_figure(
        charts.heat(cells, title=kind.title.lower(), color=kind.color, log=kind.log),
        title=kind.title,
        label=f"{kind.title} of each layer over the epochs{said}",
        caption=kind.caption,
    )


def _listing(kind: _Map, cells: Cells) -> Markup:
    """List each layer's first, least, largest and last figure."""
    by_layer: dict[str, list[float]] = {}
    for cell in cells:
        by_layer.setdefault(str(cell["layer"]), []).append(float(cell["value"]))
    rows = [[tag("code", layer), *[figure(value) for value in _course(held)]] for layer, held in by_layer.items()]
    return table(["Layer", "First", "Least", "Largest", "Last"], rows, caption=kind.title, numeric=True)


def _course(values: Sequence[float]) -> list[float | None]:
    finite = [value for value in values if number(value) is not None]
    return [values[0], min(finite, default=None), max(finite, default=None), values[-1]]


def _more_rows(record: Mapping[str, Any] | None) -> Markup | None:
    """Show what trainings on parts of the rows said of more rows."""
    if not record:
        return None
    reasons = record.get("reasons")
    told = " ".join(map(str, reasons)) if isinstance(reasons, Sequence) else ""
    drawn = chart_figure(
        charts.learning_curve(record),
        title="What more rows would bring",
        label=f"Validation loss by number of training rows. {told}",
        caption="Dots: trainings on parts of the rows. Dashed: a power law through them. "
        "At the right: what it says of twice the rows, with its 95 % interval.",
    )
    return join([drawn, tag("p", told) if told else None])
