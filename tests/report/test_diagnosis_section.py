"""The diagnosis on the page: the verdict with its figures, layers over epochs, what more rows would bring."""

from __future__ import annotations

import json
import math
import re

import altair
import pytest

from wellfit.history import History
from wellfit.report import charts
from wellfit.report.diagnosis_section import _COLUMNS, _LAYERS, diagnosis_section
from wellfit.report.style import CHART_CONFIG

APPRAISAL = {
    "task": "classification",
    "main": "accuracy",
    "train": {"rows": 640, "figures": {"accuracy": [0.99, 0.98, 1.0], "loss": [0.02, 0.01, 0.03]}},
    "valid": {"rows": 160, "figures": {"accuracy": [0.85, 0.8, 0.9], "loss": [0.9, 0.7, 1.1]}},
    "gap": {"accuracy": [0.14, 0.1, 0.18], "loss": [-0.88, -1.0, -0.7]},
    "constant": {"valid": {"figures": {"accuracy": [0.76, 0.76, 0.76], "loss": [0.55, 0.5, 0.6]}}},
    "linear": {"figures": {"accuracy": [0.847, 0.8, 0.88]}, "lead": {}},
}

CURVE = {
    "points": [
        {"rows": rows, "seed": seed, "train_loss": 0.1, "valid_loss": 0.3 + 2 / rows + seed / 100}
        for rows in (80, 160, 320, 640)
        for seed in (0, 1)
    ],
    "law": {"floor": 0.3, "scale": 2.0, "exponent": 1.0},
    "doubled": [0.3016, 0.3, 0.304],
    "reasons": ["With twice the rows the loss would go down.", "More of them would help."],
}


def watched(layers: int = 3, epochs: int = 8, **figures: float) -> History:
    history = History({"appraisal": APPRAISAL})
    for epoch in range(1, epochs + 1):
        history.add(step=epoch, epoch=epoch, name="valid_loss", value=0.5 if epoch == 2 else 0.9)
        for layer in range(layers):
            for part in ("weight", "bias"):
                size = 10.0 ** (layer - 4)
                history.add(step=epoch, epoch=epoch, name="grad_norm", value=size, where=f"body.{layer}.{part}")
            for name, value in figures.items():
                history.add(step=epoch, epoch=epoch, name=name, value=value, where=f"body.{layer}")
    return history


def charts_of(page: str) -> list[dict]:
    return [json.loads(text) for text in re.findall(r'<script type="application/json">(.*?)</script>', page)]


def test_the_verdict_is_told_with_figures_intervals_and_baselines(binary):
    page = diagnosis_section(binary(history=watched()))
    assert re.search(r"<strong>(Good fit|Overfitting|Underfitting|Not learning)</strong>: \w", page)
    assert re.search(r"<th scope=\"row\">Accuracy</th><td>0\.990<span class=\"unit\">0\.980 to 1", page)
    for title in ("Training", "Validation", "Gap", "Constant guess", "Linear model"):
        assert f'<th scope="col">{title}</th>' in page
    assert "The validation loss was least in epoch 2." in page


def test_without_evidence_no_verdict_is_told(binary, history_of):
    page = diagnosis_section(binary(history=history_of(3)))
    assert "The fit was not judged" in page
    assert "Layers over the epochs" not in page


def test_each_figure_of_layers_is_a_valid_chart(binary):
    page = diagnosis_section(binary(history=watched(silent_share=0.25, saturated_share=0.5, update_ratio=0.003)))
    drawn = charts_of(page)
    assert len(drawn) == 4
    for spec in drawn:
        altair.Chart.from_dict({**spec, "config": CHART_CONFIG}, validate=True)
    assert re.findall(r"<figure><h3>([^<]+)", page) == ["Gradients", "Updates", "Silent units", "Saturated units"]
    # A bias stands beside its weight and says the same: layers are named once, in the order of the network.
    layers = [row["layer"] for row in drawn[0]["data"]["values"] if row["epoch"] == 1]
    assert layers == ["body.0", "body.1", "body.2"]
    assert drawn[0]["layer"][1]["encoding"]["opacity"]["scale"]["type"] == "log"


def test_what_could_not_be_seen_is_said_in_words(binary):
    page = diagnosis_section(binary(history=watched(silent_share=0.004)))
    assert "Silent units: less than 1% in every layer." in page
    assert "<h3>Silent units</h3>" not in page


def test_a_long_training_of_a_deep_network_is_thinned(binary):
    (spec,) = charts_of(diagnosis_section(binary(history=watched(layers=120, epochs=300))))
    cells = spec["data"]["values"]
    assert len({row["layer"] for row in cells}) == _LAYERS
    assert len({row["epoch"] for row in cells}) == _COLUMNS
    assert {("body.0", 1), ("body.119", 300)} <= {(row["layer"], row["epoch"]) for row in cells}


def test_a_figure_taken_twice_in_an_epoch_is_drawn_once(binary):
    history = watched(epochs=1)
    history.add(step=2, epoch=1, name="grad_norm", value=7.0, where="body.0.weight")
    (spec,) = charts_of(diagnosis_section(binary(history=history)))
    assert [row["value"] for row in spec["data"]["values"] if row["layer"] == "body.0"] == [7.0]


def test_zero_is_empty_and_what_is_not_finite_is_a_cross():
    rows = [
        {"layer": layer, "epoch": 1, "value": value}
        for layer, value in {"a": 1e-3, "b": 0.0, "c": math.nan, "d": math.inf}.items()
    ]
    _, filled, crossed = charts.heat(rows, title="gradients", color="red", log=True)["layer"]
    assert [row["layer"] for row in filled["data"]["values"]] == ["a"]
    assert [row["layer"] for row in crossed["data"]["values"]] == ["c", "d"]


def test_a_learning_curve_is_drawn_with_what_twice_the_rows_would_bring(binary):
    page = diagnosis_section(binary(learning_curve=CURVE))
    (spec,) = charts_of(page)
    altair.Chart.from_dict({**spec, "config": CHART_CONFIG}, validate=True)
    assert "More of them would help." in page
    law = spec["layer"][0]["data"]["values"]
    assert (law[0]["rows"], law[-1]["rows"]) == (80, pytest.approx(1280))
    assert law[-1]["value"] == pytest.approx(0.3 + 2 / 1280)
    assert spec["layer"][-1]["data"]["values"] == [{"rows": 1280, "value": 0.3016, "low": 0.3, "high": 0.304}]


@pytest.mark.parametrize("held", [{}, {"points": []}, {"points": [{"rows": 3}], "law": None, "doubled": [None]}])
def test_no_learning_curve_is_drawn_of_nothing(held):
    assert charts.learning_curve(held) is None
