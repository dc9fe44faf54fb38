from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn import metrics as authority

from wellfit.errors import BadInput
from wellfit.report import summarize_predictions


@pytest.fixture(name="scored")
def scored_() -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(3)
    ids = (draw.random(500) < 0.3).astype(int)
    return ids, np.round(np.clip(draw.normal(0.35 + 0.3 * ids, 0.2), 0, 1), 2)


def test_binary_agrees_with_scikit_learn(scored):
    ids, chance = scored
    summary = summarize_predictions("binary", ["no", "yes"], ids, chance)
    assert summary["confusion"]["counts"] == authority.confusion_matrix(ids, chance > 0.5).tolist()
    assert summary["roc"]["area"] == pytest.approx(authority.roc_auc_score(ids, chance), rel=1e-5)
    expected = authority.average_precision_score(ids, chance)
    assert summary["precision_recall"]["average_precision"] == pytest.approx(expected, rel=1e-5)
    false_rate, true_rate, _ = authority.roc_curve(ids, chance, drop_intermediate=False)
    assert summary["roc"]["false_positive_rate"] == pytest.approx(false_rate, abs=1e-5)
    assert summary["roc"]["true_positive_rate"] == pytest.approx(true_rate, abs=1e-5)
    assert summary["class_counts"] == np.bincount(ids).tolist()


def test_both_columns_and_the_second_alone_say_the_same(scored):
    ids, chance = scored
    both = summarize_predictions("binary", ["no", "yes"], ids, np.column_stack([1 - chance, chance]))
    assert both == summarize_predictions("binary", ["no", "yes"], ids, chance)


def test_calibration_counts_every_row_in_its_bin():
    summary = summarize_predictions("binary", ["a", "b"], [0, 1, 1, 1], [0.05, 0.05, 0.95, 1.0])
    assert summary["calibration"] == [
        {"stated": 0.05, "observed": 0.5, "rows": 2},
        {"stated": 0.975, "observed": 1.0, "rows": 2},
    ]


def test_curves_are_thinned_and_the_file_stays_small():
    draw = np.random.default_rng(0)
    ids = draw.integers(0, 2, 100_000)
    summary = summarize_predictions("binary", ["a", "b"], ids, draw.random(100_000))
    curve = summary["roc"]["false_positive_rate"]
    assert len(curve) <= 200
    assert (curve[0], curve[-1]) == (0.0, 1.0)
    assert len(json.dumps(summary, allow_nan=False)) < 20_000


def test_one_class_has_no_curves():
    summary = summarize_predictions("binary", ["a", "b"], [1, 1], [0.2, 0.7])
    assert summary["roc"] is None
    assert summary["precision_recall"] is None
    assert summary["confusion"]["counts"] == [[0, 0], [1, 1]]


def test_multiclass_agrees_with_scikit_learn():
    draw = np.random.default_rng(1)
    ids, chances = draw.integers(0, 4, 300), draw.dirichlet(np.ones(4), 300)
    summary = summarize_predictions("multiclass", list("abcd"), ids, chances)
    assert summary["confusion"]["counts"] == authority.confusion_matrix(ids, chances.argmax(1)).tolist()
    by_class = {row["class"]: row for row in summary["per_class"]}
    recall = authority.recall_score(ids, chances.argmax(1), average=None)
    precision = authority.precision_score(ids, chances.argmax(1), average=None)
    assert [by_class[label]["recall"] for label in "abcd"] == pytest.approx(recall, rel=1e-5)
    assert [by_class[label]["precision"] for label in "abcd"] == pytest.approx(precision, rel=1e-5)


def test_of_many_classes_the_rare_ones_become_one():
    ids = np.concatenate([np.arange(30), np.arange(20)])
    summary = summarize_predictions("multiclass", range(30), ids, np.eye(30)[ids])
    assert summary["confusion"]["labels"] == [str(label) for label in range(20)] + ["all others"]
    assert np.array(summary["confusion"]["counts"]).sum() == 50
    assert summary["confusion"]["counts"][-1][-1] == 10


def test_a_class_never_answered_has_no_precision():
    summary = summarize_predictions("multiclass", list("abc"), [0, 1, 0], np.eye(3)[[0, 0, 0]])
    by_class = {row["class"]: row for row in summary["per_class"]}
    assert (by_class["b"]["precision"], by_class["b"]["recall"]) == (None, 0.0)
    assert (by_class["c"]["precision"], by_class["c"]["recall"]) == (None, None)


@pytest.mark.parametrize("rows", [50, 5000])
def test_regression_counts_every_row(rows):
    draw = np.random.default_rng(2)
    actual = draw.lognormal(size=rows)
    predicted = actual + draw.normal(size=rows)
    summary = summarize_predictions("regression", [], actual, predicted[:, None])
    held = summary["residuals"]
    assert sum(held["counts"]) + held["beyond"] == rows
    assert held["mean"] == pytest.approx((predicted - actual).mean(), rel=1e-5)
    assert sum(row["rows"] for row in summary["deciles"]) == rows
    weighted = sum(row["rows"] * row["mae"] for row in summary["deciles"]) / rows
    assert weighted == pytest.approx(np.abs(predicted - actual).mean(), rel=1e-4)
    drawn = len(summary["points"]["actual"]) if rows == 50 else sum(summary["grid"]["rows"]) + summary["grid"]["beyond"]
    assert drawn == rows
    assert len(json.dumps(summary, allow_nan=False)) < 30_000


def test_a_constant_prediction_of_a_constant_has_bins():
    summary = summarize_predictions("regression", [], [2.0, 2.0], [2.0, 2.0])
    assert sum(summary["residuals"]["counts"]) == 2


@pytest.mark.parametrize(
    ("task", "target", "prediction"),
    [
        ("binary", [0, 1, -1, 1], [0.1, 0.9, 0.5, np.nan]),
        ("multiclass", [0, 1, 5, 1], [[1, 0, 0], [0, 1, 0], [0, 0, 1], [np.inf, 0, 0]]),
        ("regression", [1.0, 2.0, np.nan, 1.0], [1.0, 2.0, 3.0, np.inf]),
    ],
)
def test_what_is_not_finite_or_unknown_is_left_out_and_counted(task, target, prediction):
    summary = summarize_predictions(task, ["a", "b", "c"][: 2 if task == "binary" else 3], target, prediction)
    assert (summary["rows"], summary["rows_left_out"]) == (2, 2)
    json.dumps(summary, allow_nan=False)


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_no_rows_at_all(task):
    summary = summarize_predictions(task, ["a", "b"], [], [])
    assert summary["rows"] == 0
    assert "residuals" not in summary
    assert "roc" not in summary


@pytest.mark.parametrize(
    ("task", "target", "prediction"),
    [("ranking", [0], [0.1]), ("multiclass", [0, 1], [0.5, 0.5]), ("regression", [0.0, 1.0], [0.0])],
)
def test_what_does_not_fit_is_refused(task, target, prediction):
    with pytest.raises(BadInput):
        summarize_predictions(task, ["a", "b", "c"], target, prediction)
