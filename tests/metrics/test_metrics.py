"""Every metric against scikit-learn, and its rules where scikit-learn warns, raises or guesses."""

import math

import numpy as np
import pytest
import sklearn.metrics as sk
from scipy.special import softmax

from wellfit.errors import ConfigError, DataError
from wellfit.metrics import METRICS, all_scores, default_metric

ROWS = 400
RNG = np.random.default_rng(0)
WEIGHT = RNG.random(ROWS) * (RNG.random(ROWS) > 0.2)


def classes(n_classes):
    target = RNG.integers(0, n_classes, ROWS)
    logits = RNG.normal(size=(ROWS, n_classes)) + 1.5 * np.eye(n_classes)[target]
    return target, softmax(logits, 1)


def score(name, *args):
    return METRICS[name].make()(*args)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_binary_agrees_with_sklearn(weight):
    target, prediction = classes(2)
    label, own = prediction.argmax(1), prediction[:, 1]
    expected = {
        "accuracy": sk.accuracy_score(target, label, sample_weight=weight),
        "log_loss": sk.log_loss(target, y_proba=prediction, sample_weight=weight),
        "auc": sk.roc_auc_score(target, own, sample_weight=weight),
        "f1": sk.f1_score(target, label, sample_weight=weight),
    }
    assert all_scores("binary", target, prediction, weight) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_multiclass_agrees_with_sklearn(weight):
    target, prediction = classes(5)
    label = prediction.argmax(1)
    expected = {
        "accuracy": sk.accuracy_score(target, label, sample_weight=weight),
        "log_loss": sk.log_loss(target, y_proba=prediction, sample_weight=weight),
        "auc": sk.roc_auc_score(target, prediction, multi_class="ovr", average="macro", sample_weight=weight),
        "f1": sk.f1_score(target, label, average="macro", sample_weight=weight),
    }
    assert all_scores("multiclass", target, prediction, weight) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_regression_agrees_with_sklearn(weight):
    target = RNG.normal(size=ROWS) * 1e4 + 1e6
    prediction = target + RNG.normal(size=ROWS) * 3e3
    expected = {
        "rmse": sk.root_mean_squared_error(target, prediction, sample_weight=weight),
        "mae": sk.mean_absolute_error(target, prediction, sample_weight=weight),
        "r2": sk.r2_score(target, prediction, sample_weight=weight),
    }
    assert all_scores("regression", target, prediction[:, None], weight) == pytest.approx(expected, rel=1e-12)


def test_float32_probabilities_are_scored_in_float64():
    target, prediction = classes(3)
    assert score("log_loss", target, prediction.astype(np.float32)) == pytest.approx(
        sk.log_loss(target, y_proba=prediction), rel=1e-6
    )


def test_a_certain_and_wrong_row_costs_as_much_as_in_sklearn():
    prediction = np.array([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    assert score("log_loss", [1, 1, 0], prediction) == pytest.approx(sk.log_loss([1, 1, 0], y_proba=prediction))


def test_a_label_never_seen_is_always_wrong():
    prediction = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    assert score("accuracy", [0, 1, -1], prediction) == pytest.approx(2 / 3)
    expected = (-math.log(0.9) - math.log(0.8) - math.log(np.finfo(float).eps)) / 3
    assert score("log_loss", [0, 1, -1], prediction) == pytest.approx(expected)
    assert score("auc", [0, 1, -1], prediction) == 1.0
    assert score("f1", [0, 1, -1], prediction[:, ::-1]) == 0.0
    assert score("f1", [-1, 1, 0], np.array([[0.1, 0.9], [0.2, 0.8], [0.6, 0.4]])) == pytest.approx(2 / 3)


def test_auc_and_f1_are_over_the_classes_that_are_there():
    target = np.array([0, 0, 1, 1, 1])
    prediction = np.array([[0.6, 0.3, 0.1], [0.5, 0.4, 0.1], [0.2, 0.6, 0.2], [0.55, 0.4, 0.05], [0.1, 0.9, 0.0]])
    areas = [sk.roc_auc_score(target == number, prediction[:, number]) for number in (0, 1)]
    assert score("auc", target, prediction) == pytest.approx(np.mean(areas))
    expected = sk.f1_score(target, prediction.argmax(1), average="macro")
    assert score("f1", target, prediction) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "target", "prediction"),
    [
        ("auc", [1, 1], [[0.4, 0.6], [0.3, 0.7]]),
        ("auc", [2, 2], [[0.4, 0.3, 0.3], [0.3, 0.7, 0.0]]),
        ("f1", [0, 0], [[0.6, 0.4], [0.7, 0.3]]),
        ("accuracy", [], np.zeros((0, 2))),
        ("auc", [], np.zeros((0, 3))),
        ("log_loss", [0, 1], [[np.nan, 0.5], [0.5, 0.5]]),
        ("log_loss", [0, 1], [[0.0, 0.0], [0.5, 0.5]]),
        ("accuracy", [0, 1], [[np.nan, 0.5], [0.5, 0.5]]),
        ("r2", [3.0, 3.0], [1.0, 2.0]),
        ("r2", [3.0], [1.0]),
        ("rmse", [], []),
        ("rmse", [1.0, 2.0], [1.0, np.inf]),
        ("rmse", [1.0, 2.0], [1.0, 1e200]),
        ("mae", [1.0, np.nan], [1.0, 1.0]),
    ],
)
def test_what_is_undefined_is_nan_without_a_warning(name, target, prediction):
    assert math.isnan(score(name, np.array(target), np.array(prediction)))


def test_no_weight_at_all_is_undefined():
    assert math.isnan(score("mae", [1.0, 2.0], [1.0, 1.0], [0.0, 0.0]))
    assert math.isnan(score("r2", [0.3, 0.3, 0.3, 2.0], [1.0] * 4, [0.2, 0.7999999999999999, 0.7, 0.0]))
    assert math.isnan(score("auc", [0, 1, 0], [[0.6, 0.4]] * 3, [1.0, 0.0, 1.0]))


def test_undefined_scores_are_null_in_the_file():
    assert all_scores("regression", [2.0, 2.0], [2.0, 2.0]) == {"rmse": 0.0, "mae": 0.0, "r2": None}


@pytest.mark.parametrize(
    ("name", "args", "words"),
    [
        ("rmse", ([1.0, 2.0], [1.0]), "one length"),
        ("rmse", ([1.0, 2.0], [[1.0, 2.0], [1.0, 2.0]]), "one value a row"),
        ("accuracy", ([0, 1], [0.2, 0.8]), r"\(row, class\)"),
        ("accuracy", ([0, 1], [[0.2], [0.8]]), r"\(row, class\)"),
        ("rmse", ([1.0, 2.0], [1.0, 2.0], [1.0, -1.0]), "Row weights"),
        ("rmse", ([1.0, 2.0], [1.0, 2.0], [1.0]), "Row weights"),
    ],
)
def test_shapes_are_never_broadcast(name, args, words):
    with pytest.raises(DataError, match=words):
        score(name, *args)


@pytest.mark.parametrize("entry", METRICS.values(), ids=list(METRICS))
def test_an_entry_says_which_way_is_better(entry):
    assert entry.summary
    assert entry.formula
    assert entry.reference
    for task in entry.tasks:
        target = np.arange(ROWS) % (2 if task == "binary" else 4)
        if task == "regression":
            good, bad = target + 0.1, target + 1.0 + target % 2
        else:
            shares = np.eye(target.max() + 1)[target]
            good, bad = 0.9 * shares + 0.05, 0.9 * np.roll(shares, 1, 0) + 0.05
        better = entry.make()(target, good) - entry.make()(target, bad)
        assert (better > 0) == entry.greater_is_better


def test_the_names_and_defaults_of_the_tasks():
    assert list(METRICS) == ["accuracy", "log_loss", "auc", "f1", "rmse", "mae", "r2"]
    for task in ("binary", "multiclass", "regression"):
        assert task in METRICS[default_metric(task)].tasks
    with pytest.raises(ConfigError, match="Did you mean 'regression'"):
        default_metric("regresion")
