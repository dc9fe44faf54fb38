"""Every chart is a specification that the schema of Vega-Lite, as altair carries it, takes."""

from __future__ import annotations

import altair
import pytest

from wellfit.report import charts
from wellfit.report.curves_section import thinned
from wellfit.report.style import CHART_CONFIG


def accepted(spec):
    altair.Chart.from_dict({**spec, "config": CHART_CONFIG}, validate=True)
    return spec


CURVE = [{"epoch": epoch, "series": "training", "value": 1 / epoch} for epoch in range(1, 5)]


def test_curves_are_valid_and_mark_the_kept_epoch():
    spec = accepted(charts.curves(CURVE, title="loss", best=3))
    assert [layer["data"]["values"][0]["epoch"] for layer in spec["layer"] if "data" in layer] == [3, 3]
    assert spec["layer"][0]["encoding"]["y"]["scale"] == {"zero": False}


def test_curves_of_many_magnitudes_are_logarithmic():
    spec = accepted(charts.curves([*CURVE, {"epoch": 9, "series": "training", "value": 1e-4}], title="loss"))
    assert spec["layer"][0]["encoding"]["y"]["scale"] == {"type": "log"}


def test_an_axis_that_reaches_zero_is_never_logarithmic():
    spec = charts.curves([*CURVE, {"epoch": 9, "series": "training", "value": 0.0}], title="loss")
    assert spec["layer"][0]["encoding"]["y"]["scale"] == {"zero": False}


@pytest.mark.parametrize(
    ("task", "labels", "rows", "names"),
    [
        ("binary", ["a", "b"], 200, ["roc", "precision_recall", "calibration"]),
        ("multiclass", ["a", "b", "c"], 200, ["per_class", "calibration"]),
        ("regression", [], 200, ["points", "residuals", "deciles"]),
        ("regression", [], 2000, ["grid", "residuals", "deciles"]),
    ],
)
def test_charts_of_errors_are_valid_and_there(task, labels, rows, names, evaluation_of):
    held = evaluation_of(task, labels, rows)
    for name in names:
        assert accepted(getattr(charts, name)(held))["data"]["values"]


@pytest.mark.parametrize(
    "name", ["roc", "precision_recall", "calibration", "per_class", "points", "grid", "residuals", "deciles"]
)
@pytest.mark.parametrize(
    "held", [{}, {"roc": None, "grid": None, "calibration": None, "residuals": {}, "per_class": []}]
)
def test_nothing_is_drawn_of_nothing(name, held):
    assert getattr(charts, name)(held) is None


def test_labels_of_a_user_are_values_only(evaluation_of):
    label = "a.b['c']"
    spec = accepted(charts.per_class(evaluation_of("multiclass", [label, "y", "z"])))
    assert label in {row["class"] for row in spec["data"]["values"]}
    assert label not in str({key: value for key, value in spec.items() if key != "data"})


def test_thinning_keeps_the_first_the_last_and_the_best():
    epochs = [{"epoch": epoch} for epoch in range(1, 5001)]
    kept = [record["epoch"] for record in thinned(epochs, 500, 1234)]
    assert len(kept) <= 500
    assert {1, 1234, 5000} <= set(kept)
    assert kept == sorted(kept)
