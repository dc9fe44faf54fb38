"""Charts of a search and of importances, as Vega-Lite specifications; names stand in data values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wellfit.report.charts import PALETTE, SCHEMA

__all__ = ["bars", "parallel", "progress"]

Spec = dict[str, Any]
Rows = Sequence[Mapping[str, Any]]

_BAR = 26
"""Pixels of a bar with its space."""

_STATES = {"complete": PALETTE[0], "given up early": "var(--soft)"}


def _drawn(rows: Rows, height: int, layers: Sequence[Spec]) -> Spec:
    return {
        "$schema": SCHEMA,
        "width": "container",
        "height": height,
        "autosize": {"type": "fit", "contains": "padding"},
        "data": {"values": list(rows)},
        "layer": list(layers),
    }


def progress(rows: Rows, *, title: str) -> Spec:
    """Draw what each trial gave, and the best so far as a line; ``rows`` hold trial, value, best and state."""
    x = {"field": "trial", "type": "quantitative", "title": "trial", "axis": {"format": "d", "tickMinStep": 1}}
    y = {"type": "quantitative", "title": title, "scale": {"zero": False}}
    told = [
        {"field": "trial", "title": "trial"},
        {"field": "value", "title": title, "format": ".4~g"},
        {"field": "state", "title": "state"},
    ]
    color = {
        "field": "state",
        "type": "nominal",
        "legend": {"symbolType": "circle", "symbolStrokeWidth": 0},
        "scale": {"domain": list(_STATES), "range": list(_STATES.values())},
    }
    line = {"type": "line", "interpolate": "step-after", "strokeWidth": 2, "color": PALETTE[1]}
    dots = {"type": "point", "filled": True, "size": 60, "opacity": 0.85}
    return _drawn(
        rows,
        260,
        [
            {"mark": line, "encoding": {"x": x, "y": {**y, "field": "best"}}},
            {"mark": dots, "encoding": {"x": x, "y": {**y, "field": "value"}, "color": color, "tooltip": told}},
        ],
    )


def bars(rows: Rows, *, title: str) -> Spec:
    """Draw a figure for each name, the greatest at the top; ``rows`` hold name and value, and low and high or None."""
    names = [str(row["name"]) for row in rows]
    y = {"field": "name", "type": "nominal", "title": None, "sort": names, "axis": {"labelLimit": 220, "ticks": False}}
    x = {"field": "value", "type": "quantitative", "title": title}
    told = [{"field": "name", "title": "name"}, {"field": "value", "title": title, "format": ".4~g"}]
    bar = {"mark": {"type": "bar", "color": PALETTE[0]}, "encoding": {"x": x, "y": y, "tooltip": told}}
    layers = [bar]
    if any(row.get("low") is not None for row in rows):
        ends = {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y}
        layers.append({"mark": {"type": "rule", "color": "var(--text)", "strokeWidth": 1.5}, "encoding": ends})
    return _drawn(rows, 50 + _BAR * len(names), layers)


def parallel(rows: Rows, ends: Rows, *, axes: Sequence[str], title: str) -> Spec:
    """Draw each trial as a line over the settings, the darker the better.

    ``rows`` hold trial, axis, position in [0, 1], told (the setting's value) and rank in [0, 1], 1 the best; ``ends``
    hold axis, position and told, for the labels.
    """
    x = {"field": "axis", "type": "nominal", "title": None, "sort": list(axes), "axis": {"labelAngle": 0}}
    x["axis"] = {"labelAngle": -20, "labelLimit": 160, "grid": True, "ticks": False}
    y = {"field": "position", "type": "quantitative", "title": None, "axis": None, "scale": {"domain": [-0.06, 1.06]}}
    strength = {
        "field": "rank",
        "type": "quantitative",
        "scale": {"domain": [0, 1], "range": [0.08, 0.95]},
        "legend": None,
    }
    told = [
        {"field": "trial", "title": "trial"},
        {"field": "axis", "title": "setting"},
        {"field": "told", "title": "value"},
        {"field": "value", "title": title, "format": ".4~g"},
    ]
    lines = {
        "mark": {"type": "line", "strokeWidth": 2, "color": PALETTE[0]},
        "encoding": {"x": x, "y": y, "opacity": strength, "detail": {"field": "trial"}},
    }
    dots = {
        "mark": {"type": "point", "filled": True, "size": 40, "color": PALETTE[0]},
        "encoding": {"x": x, "y": y, "opacity": strength, "tooltip": told},
    }
    labels = {
        "data": {"values": list(ends)},
        "mark": {"type": "text", "dx": 6, "align": "left", "fontSize": 10, "color": "var(--soft)"},
        "encoding": {"x": x, "y": y, "text": {"field": "told"}},
    }
    return _drawn(rows, 300, [lines, dots, labels])
