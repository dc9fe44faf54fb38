"""Baselines against plain scikit-learn pipelines on the real tables that come with it."""

import time
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import wellfit.baselines
from wellfit.baselines import fit_baselines
from wellfit.errors import DataError
from wellfit.metrics import all_scores


def rows(numeric, categorical=None):
    numeric = np.asarray(numeric, dtype=np.float32)
    ids = np.zeros((len(numeric), 0)) if categorical is None else np.asarray(categorical)
    return SimpleNamespace(numeric=numeric, categorical=ids.astype(np.int64))


def halves(loader):
    x, y = loader(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))
    # the coarse half of the columns are categories, so that both kinds are there
    ids = np.stack([np.digitize(column, np.quantile(column, [0.2, 0.5, 0.8])) for column in x.T[:3]], 1)
    cut = len(x) // 3
    test, train = order[:cut], order[cut:]
    return (rows(x[train, 3:], ids[train]), y[train]), (rows(x[test, 3:], ids[test]), y[test])


def pipeline(model, numbers, categories):
    columns = make_column_transformer(
        (StandardScaler(), list(range(numbers))),
        (OneHotEncoder(handle_unknown="ignore"), list(range(numbers, numbers + categories))),
    )
    return make_pipeline(columns, model)


def side_by_side(matrix):
    return np.hstack([matrix.numeric.astype(np.float64), matrix.categorical])


@pytest.mark.parametrize(("loader", "task"), [(load_breast_cancer, "binary"), (load_wine, "multiclass")])
def test_classification_agrees_with_a_plain_pipeline(loader, task):
    (train, y), (test, truth) = halves(loader)
    n_classes = int(y.max()) + 1
    fitted = fit_baselines(task, train, y, {"test": (test, truth), "valid": (train, y)}, n_classes=n_classes)
    assert fitted.notes == ()
    assert list(fitted.scores) == ["test", "valid"]
    model = pipeline(LogisticRegression(max_iter=1000, tol=1e-6), train.numeric.shape[1], 3)
    model.fit(side_by_side(train), y)
    expected = all_scores(task, truth, model.predict_proba(side_by_side(test)))
    scores = fitted.scores["test"]
    assert scores["linear"] == pytest.approx(expected, rel=0.01)
    assert scores["linear"]["accuracy"] == expected["accuracy"]
    shares = np.bincount(y) / len(y)
    assert scores["majority"] == all_scores(task, truth, np.tile(shares, (len(truth), 1)))
    assert scores["linear"]["log_loss"] < scores["majority"]["log_loss"]


def test_regression_agrees_with_a_plain_pipeline():
    (train, y), (test, truth) = halves(load_diabetes)
    fitted = fit_baselines("regression", train, y, {"test": (test, truth)})
    model = pipeline(Ridge(), train.numeric.shape[1], 3).fit(side_by_side(train), y)
    expected = all_scores("regression", truth, model.predict(side_by_side(test)))
    scores = fitted.scores["test"]
    assert scores["linear"] == pytest.approx(expected, rel=1e-3)
    assert scores["mean"]["rmse"] == pytest.approx(np.sqrt(np.mean((truth - y.mean()) ** 2)))
    assert scores["mean"]["r2"] == pytest.approx(0, abs=0.05)


def test_the_same_call_gives_the_same_scores_and_other_rows_change_no_fit():
    (train, y), (test, truth) = halves(load_wine)
    first = fit_baselines("multiclass", train, y, {"test": (test, truth)}, n_classes=3)
    other = fit_baselines("multiclass", train, y, {"x": (train, y), "test": (test, truth)}, n_classes=3)
    assert first.scores["test"] == other.scores["test"]


def test_categories_never_seen_have_no_column():
    train = rows(np.zeros((8, 1)), [[1], [1], [1], [1], [5], [5], [5], [5]])
    y = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    test = rows(np.zeros((4, 1)), [[0], [1], [5], [9]])
    scores = fit_baselines("binary", train, y, {"test": (test, np.array([-1, 0, 1, -1]))}, n_classes=2).scores["test"]
    assert scores["linear"]["accuracy"] == 0.5
    assert scores["linear"]["auc"] == 1.0


def test_only_the_frequent_categories_are_kept(monkeypatch):
    monkeypatch.setattr(wellfit.baselines, "MOST_CATEGORIES", 3)
    ids = np.array([[7, 0], [7, 0], [7, 1], [3, 1], [3, 2], [4, 2], [4, 3]])
    design = wellfit.baselines._Design.fit(rows(np.zeros((7, 1)), ids), np.arange(7))
    assert [kept.tolist() for kept in design.kept] == [[3, 4, 7], []]
    columns = design.columns(rows(np.zeros((3, 1)), [[4, 0], [5, 0], [8, 0]])).toarray()
    assert columns.tolist() == [[0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]


def test_a_class_without_training_rows_has_probability_zero():
    train = rows(np.arange(10.0)[:, None])
    y = np.array([0] * 5 + [2] * 5)
    scores = fit_baselines("multiclass", train, y, {"test": (train, y)}, n_classes=3).scores["test"]
    assert scores["linear"]["accuracy"] == 1.0
    assert scores["majority"]["accuracy"] == 0.5


def test_a_spent_deadline_leaves_the_linear_model_out():
    (train, y), split = halves(load_wine)
    fitted = fit_baselines("multiclass", train, y, {"test": split}, n_classes=3, deadline=time.monotonic() - 1)
    assert list(fitted.scores["test"]) == ["majority"]
    assert "the time was spent" in fitted.notes[0]


def test_a_model_that_does_not_converge_is_noted_and_not_warned_of(monkeypatch):
    monkeypatch.setattr(wellfit.baselines, "ROUND", 1)
    monkeypatch.setattr(wellfit.baselines, "MOST_ITERATIONS", 2)
    (train, y), split = halves(load_wine)
    fitted = fit_baselines("multiclass", train, y, {"test": split}, n_classes=3)
    assert "linear" in fitted.scores["test"]
    assert fitted.notes == ("The linear baseline was stopped before it converged.",)


def test_too_many_rows_are_sampled_by_the_seed(monkeypatch):
    monkeypatch.setattr(wellfit.baselines, "MOST_CELLS", 500)
    (train, y), split = halves(load_breast_cancer)
    fits = [fit_baselines("binary", train, y, {"test": split}, n_classes=2, seed=seed) for seed in (0, 0, 1)]
    assert "saw 16 of 380 training rows" in fits[0].notes[0]
    assert fits[0].scores == fits[1].scores != fits[2].scores


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_constant_target_and_a_table_without_features_leave_the_guess(task):
    name = "mean" if task == "regression" else "majority"
    constant, split = np.ones(6, dtype=int), (rows(np.arange(6.0)[:, None]), np.array([0, 1, 1, 0, 1, 1]))
    for train, y in [(split[0], constant), (rows(np.zeros((6, 0))), split[1])]:
        given = (train, split[1])
        fitted = fit_baselines(task, train, y, {"test": given}, n_classes=2)
        assert list(fitted.scores["test"]) == [name]
        assert len(fitted.notes) == 1


def test_large_and_constant_columns_do_no_harm():
    x = np.stack([np.arange(40.0) * 1e30, np.full(40, 1e7), np.arange(40.0) % 3], 1)
    y = (np.arange(40) > 19).astype(int)
    scores = fit_baselines("binary", rows(x), y, {"test": (rows(x), y)}, n_classes=2).scores["test"]
    assert scores["linear"]["accuracy"] >= 0.95


def test_no_rows_are_refused():
    with pytest.raises(DataError, match="one training row or more"):
        fit_baselines("binary", rows(np.zeros((0, 1))), np.zeros(0), {}, n_classes=2)
