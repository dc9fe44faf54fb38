"""Charts of learning and of errors, as Vega-Lite specifications.

Column names and labels stand in data values only, never in field names or expressions: those are fixed words, so that
no name of a user's table can mean anything to the chart engine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from wellfit.report.facts import inside, number, section

__all__ = [
    "calibration",
    "curves",
    "deciles",
    "grid",
    "heat",
    "learning_curve",
    "per_class",
    "points",
    "precision_recall",
    "residuals",
    "roc",
]

Spec = dict[str, Any]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
PALETTE = [f"var(--s{index})" for index in range(1, 9)]
_LOG_RANGE = 30.0
_ROW_HEIGHT = 22


def _chart(rows: Sequence[Mapping[str, Any]], *, height: int = 240, **content: Any) -> Spec:
    return {
        "$schema": SCHEMA,
        "width": "container",
        "height": height,
        "autosize": {"type": "fit", "contains": "padding"},
        "data": {"values": list(rows)},
        **content,
    }


def _axis(field: str, title: str | None, *, kind: str = "quantitative", **more: Any) -> Spec:
    return {"field": field, "type": kind, "title": title, **more}


def _told(*pairs: tuple[str, str], form: str = ".4~g") -> list[Spec]:
    return [{"field": field, "title": title, "format": form} for field, title in pairs]


def curves(rows: Sequence[Mapping[str, Any]], *, title: str, best: int | None = None, height: int = 240) -> Spec:
    """Draw figures over epochs, one line a series; ``rows`` hold epoch, value and series."""
    series = list(dict.fromkeys(str(row["series"]) for row in rows))
    values = [known for row in rows if (known := number(row["value"])) is not None]
    wide = bool(values) and min(values) > 0 and max(values) / min(values) > _LOG_RANGE
    color = {
        "field": "series",
        "type": "nominal",
        "scale": {"domain": series, "range": [PALETTE[index % len(PALETTE)] for index in range(len(series))]},
        "legend": {} if len(series) > 1 else None,
    }
    encoding = {
        "x": _axis("epoch", "epoch", axis={"format": "d", "tickMinStep": 1}, scale={"nice": False}),
        "y": _axis("value", title, scale={"type": "log"} if wide else {"zero": False}),
        "color": color,
        "tooltip": [
            {"field": "series", "title": "series"},
            *_told(("epoch", "epoch"), form="d"),
            *_told(("value", "value")),
        ],
    }
    drawn: list[Spec] = [
        {"mark": {"type": "line", "strokeWidth": 2}, "encoding": encoding},
        {
            "mark": {"type": "point", "size": 90, "filled": True, "opacity": 0 if len(rows) > 2 else 1},
            "encoding": encoding,
        },
    ]
    return _chart(
        rows, height=height, layer=drawn + ([] if best is None else _best_rule(best, [row["epoch"] for row in rows]))
    )


def _best_rule(best: int, epochs: Sequence[int]) -> list[Spec]:
    early = best - min(epochs) < max(epochs) - best
    data = {"values": [{"epoch": best, "label": f"epoch {best}, kept"}]}
    x = {"field": "epoch", "type": "quantitative"}
    rule = {"type": "rule", "color": "var(--soft)", "strokeDash": [4, 3]}
    text = {
        "type": "text",
        "y": 6,
        "dx": 5 if early else -5,
        "align": "left" if early else "right",
        "color": "var(--soft)",
        "fontSize": 11,
    }
    return [
        {"data": data, "mark": rule, "encoding": {"x": x}},
        {"data": data, "mark": text, "encoding": {"x": x, "text": {"field": "label"}}},
    ]


def _unit(field: str, title: str) -> Spec:
    return _axis(field, title, scale={"domain": [0, 1]}, axis={"format": ".1f", "tickCount": 5, "grid": True})


def _diagonal(low: float = 0.0, high: float = 1.0) -> Spec:
    ends = [{"x": low, "y": low}, {"x": high, "y": high}]
    mark = {"type": "line", "color": "var(--soft)", "strokeDash": [4, 3], "strokeWidth": 1, "clip": True}
    x, y = {"field": "x", "type": "quantitative"}, {"field": "y", "type": "quantitative"}
    return {"data": {"values": ends}, "mark": mark, "encoding": {"x": x, "y": y}}


def _pairs(record: Any, x: str, y: str) -> list[dict[str, Any]]:
    across, upward = inside(record, x) or [], inside(record, y) or []
    return [{"x": a, "y": b} for a, b in zip(across, upward, strict=False) if None not in (number(a), number(b))]


def _rate_curve(rows: list[dict[str, Any]], x: str, y: str, *, diagonal: bool) -> Spec | None:
    if len(rows) < 2:
        return None
    told = _told(("x", x), ("y", y), form=".3f")
    encoding = {"x": _unit("x", x), "y": _unit("y", y), "tooltip": told, "order": {"field": "place"}}
    numbered = [{**row, "place": place} for place, row in enumerate(rows)]
    line = {"type": "line", "strokeWidth": 2, "color": "var(--s1)", "interpolate": "linear"}
    near = {"type": "point", "size": 80, "opacity": 0, "filled": True}
    drawn = [{"mark": line, "encoding": encoding}, {"mark": near, "encoding": encoding}]
    return _chart(numbered, layer=([_diagonal()] if diagonal else []) + drawn)


def roc(evaluation: Mapping[str, Any]) -> Spec | None:
    """Draw the share of positives found against the share of negatives flagged; None where undefined."""
    rows = _pairs(evaluation.get("roc"), "false_positive_rate", "true_positive_rate")
    return _rate_curve(rows, "false positive rate", "true positive rate", diagonal=True)


def precision_recall(evaluation: Mapping[str, Any]) -> Spec | None:
    """Draw precision against recall; None where undefined."""
    rows = _pairs(evaluation.get("precision_recall"), "recall", "precision")
    return _rate_curve(rows, "recall", "precision", diagonal=False)


def calibration(evaluation: Mapping[str, Any]) -> Spec | None:
    """Draw the share that came true against the probability stated, larger dots for more rows."""
    held = [row for row in evaluation.get("calibration") or () if number(inside(row, "stated")) is not None]
    if not held:
        return None
    told = [*_told(("stated", "stated"), ("observed", "came true"), form=".3f"), *_told(("rows", "rows"), form=",d")]
    size = _axis("rows", "rows", scale={"range": [30, 320], "zero": True}, legend=None)
    encoding = {
        "x": _unit("stated", "probability stated"),
        "y": _unit("observed", "share that came true"),
        "tooltip": told,
    }
    dots = {
        "mark": {"type": "point", "filled": True, "color": "var(--s1)", "opacity": 0.9},
        "encoding": encoding | {"size": size},
    }
    line = {"mark": {"type": "line", "color": "var(--s1)", "strokeWidth": 1.5}, "encoding": encoding}
    return _chart(held, layer=[_diagonal(), line, dots])


def per_class(evaluation: Mapping[str, Any], shown: int = 20) -> Spec | None:
    """Draw recall and precision of each class, the most frequent first."""
    held = list(evaluation.get("per_class") or ())[:shown]
    rows = [
        {
            "place": place,
            "class": str(inside(row, "class")),
            "series": series,
            "value": value,
            "rows": inside(row, "rows"),
        }
        for place, row in enumerate(held)
        for series in ("recall", "precision")
        if (value := number(inside(row, series))) is not None
    ]
    if not rows:
        return None
    color = {"field": "series", "type": "nominal", "scale": {"domain": ["recall", "precision"], "range": PALETTE[:2]}}
    y = _axis("class", None, kind="nominal", sort={"field": "place"}, axis={"grid": True, "ticks": False})
    told = [
        {"field": "class", "title": "class"},
        *_told(("value", "share"), form=".3f"),
        *_told(("rows", "rows"), form=",d"),
    ]
    shape = {
        "field": "series",
        "type": "nominal",
        "scale": {"domain": ["recall", "precision"], "range": ["circle", "diamond"]},
    }
    return _chart(
        rows,
        height=70 + _ROW_HEIGHT * len(held),
        mark={"type": "point", "filled": False, "strokeWidth": 2, "size": 60},
        encoding={
            "x": _unit("value", "share"),
            "y": y,
            "color": color,
            "shape": shape,
            "tooltip": [{"field": "series", "title": "score"}, *told],
        },
    )


def points(evaluation: Mapping[str, Any]) -> Spec | None:
    """Draw predicted against actual values, one dot a row."""
    rows = _pairs(evaluation.get("points"), "actual", "predicted")
    if not rows:
        return None
    values = [row[key] for row in rows for key in ("x", "y")]
    free = {"zero": False}
    encoding = {
        "x": _axis("x", "actual", scale=free),
        "y": _axis("y", "predicted", scale=free),
        "tooltip": _told(("x", "actual"), ("y", "predicted")),
    }
    mark = {"type": "point", "filled": True, "size": 28, "opacity": 0.45, "color": "var(--s1)"}
    return _chart(rows, layer=[_diagonal(min(values), max(values)), {"mark": mark, "encoding": encoding}], height=300)


def grid(evaluation: Mapping[str, Any]) -> Spec | None:
    """Draw predicted against actual values, the darker a cell the more rows."""
    held = evaluation.get("grid")
    edges = inside(held, "edges") or []
    cells = zip(*[inside(held, key) or [] for key in ("actual", "predicted", "rows")], strict=False)
    rows = [
        {"x": edges[a], "x2": edges[a + 1], "y": edges[p], "y2": edges[p + 1], "rows": count} for a, p, count in cells
    ]
    if not rows:
        return None
    encoding = {
        "x": _axis("x", "actual", scale={"zero": False, "nice": False}),
        "x2": {"field": "x2"},
        "y": _axis("y", "predicted", scale={"zero": False, "nice": False}),
        "y2": {"field": "y2"},
        "opacity": _axis("rows", "rows", scale={"type": "log", "range": [0.15, 1]}, legend=None),
        "tooltip": [*_told(("x", "actual from"), ("y", "predicted from")), *_told(("rows", "rows"), form=",d")],
    }
    cell = {"type": "rect", "color": "var(--s1)"}
    return _chart(rows, layer=[{"mark": cell, "encoding": encoding}, _diagonal(edges[0], edges[-1])], height=300)


def residuals(evaluation: Mapping[str, Any]) -> Spec | None:
    """Draw how often which error is made."""
    held = evaluation.get("residuals")
    edges, counts = inside(held, "edges") or [], inside(held, "counts") or []
    rows = [
        {"low": low, "high": high, "rows": count} for low, high, count in zip(edges, edges[1:], counts, strict=False)
    ]
    if not rows:
        return None
    encoding = {
        "x": _axis("low", "predicted minus actual", bin="binned", scale={"zero": False, "nice": False}),
        "x2": {"field": "high"},
        "y": _axis("rows", "rows"),
        "tooltip": [*_told(("low", "from"), ("high", "to")), *_told(("rows", "rows"), form=",d")],
    }
    bar = {"mark": {"type": "bar", "color": "var(--s1)", "binSpacing": 1}, "encoding": encoding}
    zero = {"mark": {"type": "rule", "color": "var(--soft)", "strokeDash": [4, 3]}, "encoding": {"x": {"datum": 0}}}
    return _chart(rows, layer=[bar, zero], height=300)


def deciles(evaluation: Mapping[str, Any]) -> Spec | None:
    """Draw the mean absolute error and the bias for each tenth of the rows, sorted by the actual value."""
    held = list(evaluation.get("deciles") or ())
    names = {"mae": "mean absolute error", "bias": "bias"}
    rows = [
        {"tenth": place, "series": name, "value": value, "from": inside(row, "from"), "to": inside(row, "to")}
        for place, row in enumerate(held, start=1)
        for key, name in names.items()
        if (value := number(inside(row, key))) is not None
    ]
    if not rows:
        return None
    color = {"field": "series", "type": "nominal", "scale": {"domain": list(names.values()), "range": PALETTE[:2]}}
    encoding = {
        "x": _axis(
            "tenth",
            "tenth of the rows, by actual value",
            kind="ordinal",
            axis={"labelAngle": 0},
        ),
        "y": _axis("value", "error"),
        "color": color,
        "tooltip": [
            {"field": "series", "title": "figure"},
            *_told(("value", "value"), ("from", "actual from"), ("to", "to")),
        ],
    }
    return _chart(
        rows, mark={"type": "line", "point": {"size": 50, "filled": True}, "strokeWidth": 2}, encoding=encoding
    )


_CELL = 18
"""Pixels of a heat map's row: its label fits."""


def heat(rows: Sequence[Mapping[str, Any]], *, title: str, color: str, log: bool) -> Spec:
    """Draw a figure of layers over epochs, the stronger a cell's colour the larger.

    ``rows`` hold layer, epoch and value. A share is drawn on the scale 0 to 1. On a logarithmic scale 0 is an empty
    cell; what is not finite is a cross.
    """
    layers = list(dict.fromkeys(str(row["layer"]) for row in rows))
    known = [row for row in rows if (value := number(row["value"])) is not None and (value > 0 or not log)]
    broken = [row for row in rows if number(row["value"]) is None]
    axes = {
        "x": _axis("epoch", "epoch", kind="ordinal", axis={"labelAngle": 0, "labelOverlap": True, "ticks": False}),
        "y": _axis("layer", None, kind="nominal", sort=layers, axis={"labelLimit": 130, "ticks": False}),
    }
    scale: Spec = {"type": "log", "range": [0.08, 1]} if log else {"domain": [0, 1], "range": [0, 1]}
    legend = {
        "format": ".0e" if log else ".0%",
        "values": _marks([float(row["value"]) for row in known]) if log else [0.25, 0.5, 1],
        "symbolType": "square",
        "symbolFillColor": color,
        "symbolStrokeWidth": 0,
        "title": None,
    }
    told = [{"field": "layer", "title": "layer"}, *_told(("epoch", "epoch"), form="d"), *_told(("value", title))]
    drawn = {**axes, "opacity": _axis("value", title, scale=scale, legend=legend), "tooltip": told}
    cross = {"type": "text", "text": "\u00d7", "color": "var(--error)", "fontWeight": "bold"}
    return _chart(
        rows,
        height=90 + _CELL * len(layers),
        layer=[
            {"mark": {"type": "rect", "color": "var(--line)", "opacity": 0.35}, "encoding": axes},
            {"data": {"values": known}, "mark": {"type": "rect", "color": color}, "encoding": drawn},
            {"data": {"values": broken}, "mark": cross, "encoding": axes},
        ],
    )


def _marks(values: Sequence[float]) -> list[float]:
    """Give powers of ten between the least and the largest value, three at most."""
    if not values:
        return []
    low, high = math.ceil(math.log10(min(values))), math.floor(math.log10(max(values)))
    return [10.0**power for power in dict.fromkeys((low, (low + high) // 2, high)) if low <= high]


def learning_curve(record: Mapping[str, Any]) -> Spec | None:
    """Draw the validation loss by number of training rows, and what twice the rows would bring."""
    points = [
        {"rows": inside(point, "rows"), "value": value}
        for point in record.get("points") or ()
        if (value := number(inside(point, "valid_loss"))) is not None and number(inside(point, "rows"))
    ]
    doubled = [known for value in record.get("doubled") or () if (known := number(value)) is not None]
    if len(points) < 2:
        return None
    law = section(record, "law")
    most = max(int(point["rows"]) for point in points)
    x = _axis("rows", "training rows", scale={"type": "log", "nice": False}, axis={"format": "~s", "tickCount": 5})
    y = _axis("value", "validation loss", scale={"zero": False})
    told = [*_told(("rows", "rows"), form=",d"), *_told(("value", "validation loss"))]
    dot = {"type": "point", "filled": True, "size": 60, "color": "var(--s1)", "opacity": 0.9}
    drawn: list[Spec] = [{"mark": dot, "encoding": {"x": x, "y": y, "tooltip": told}}]
    curve = _law(law, min(int(point["rows"]) for point in points), most)
    if curve:
        line = {"type": "line", "color": "var(--soft)", "strokeDash": [4, 3]}
        drawn.insert(0, {"data": {"values": curve}, "mark": line, "encoding": {"x": x, "y": y}})
    if len(doubled) == 3:
        ends = [{"rows": 2 * most, "value": doubled[0], "low": doubled[1], "high": doubled[2]}]
        span = {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}
        rule = {"type": "rule", "strokeWidth": 2, "color": "var(--s2)"}
        drawn.append({"data": {"values": ends}, "mark": rule, "encoding": span})
        mark = {**dot, "color": "var(--s2)"}
        drawn.append({"data": {"values": ends}, "mark": mark, "encoding": {"x": x, "y": y, "tooltip": told}})
    return _chart(points, layer=drawn)


def _law(law: Mapping[str, Any], least: int, most: int) -> list[dict[str, float]]:
    """Give points of ``floor + scale rows^-exponent`` up to twice the rows."""
    floor, scale, exponent = (number(law.get(name)) for name in ("floor", "scale", "exponent"))
    if floor is None or scale is None or exponent is None:
        return []
    steps = [least * (2 * most / least) ** (step / 40) for step in range(41)]
    return [{"rows": rows, "value": floor + scale * rows**-exponent} for rows in steps]
