from __future__ import annotations

import inspect
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from wellfit import WellfitClassifier, WellfitRegressor
from wellfit.config import as_mapping, from_mapping
from wellfit.errors import BadInput, ConfigError, DataError
from wellfit.estimators.base import PLACES

ESTIMATORS = (WellfitClassifier, WellfitRegressor)

THREADS = {"train": {"threads": 1}}


def quick(kind, **options):
    small = {"hidden": (32,), "epochs": 15, "batch_size": 32, "lr": 0.02, "random_state": 0, "config": THREADS}
    return kind(**(small | options))


def rows(count=200, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(count, 3))
    return X, np.where(X[:, 0] + 0.2 * X[:, 1] > 0, "yes", "no")


def people(count=120):
    rng = np.random.default_rng(1)
    job = rng.choice(["clerk", "smith", "cook"], count)
    age = np.where(rng.random(count) < 0.1, np.nan, rng.integers(18, 70, count))
    return pd.DataFrame({"job": job, "age": age}), np.where(job == "smith", "rich", "poor")


WEIGHT_IS_NO_REPETITION = {
    "check_sample_weight_equivalence_on_dense_data": "early stopping splits rows and batches are drawn by row, so a "
    "weight is not a repeated row",
}


@parametrize_with_checks(
    [quick(kind, time=10, random_state=None) for kind in ESTIMATORS],
    expected_failed_checks=lambda estimator: WEIGHT_IS_NO_REPETITION,
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_defaults_are_those_of_a_config(kind):
    """A parameter at its default is not handed on, so that it must be what the config says by itself."""
    plain = as_mapping(from_mapping({"model": "mlp"}))
    others = {"lr": (None, "auto"), "batch_size": (None, "auto"), "hidden": ((256, 256), [256, 256])}
    for name, path in PLACES.items():
        value = plain
        for key in path:
            value = value[key]
        given = inspect.signature(kind).parameters[name].default
        value = value["name"] if name in ("optimizer", "schedule") else value
        assert (given, value) == others.get(name, (given, given)), name


def test_pandas_with_text_and_missing_cells():
    X, y = people()
    model = quick(WellfitClassifier).fit(X, y)
    assert model.feature_names_in_.tolist() == ["job", "age"]
    assert model.n_features_in_ == 2
    assert model.classes_.tolist() == ["poor", "rich"]
    assert model.score(X, y) > 0.95
    new = pd.DataFrame({"job": ["smith", "cook", None], "age": [None, 30.0, 40.0]})
    assert model.predict(new).tolist()[:2] == ["rich", "poor"]


def test_columns_in_another_order_are_refused():
    X, y = people()
    model = quick(WellfitClassifier, epochs=2).fit(X, y)
    with pytest.raises(ValueError, match="must be in the same order"):
        model.predict(X[["age", "job"]])


@pytest.mark.parametrize("make", [pl.from_pandas, lambda X: pl.from_pandas(X).lazy(), pa.Table.from_pandas])
def test_other_frames_give_what_pandas_gives(make):
    X, y = people()
    expected = quick(WellfitClassifier).fit(X, y).predict_proba(X)
    model = quick(WellfitClassifier).fit(make(X), pl.Series(y))
    assert model.feature_names_in_.tolist() == ["job", "age"]
    np.testing.assert_array_equal(model.predict_proba(make(X)), expected)


def test_objects_with_text():
    X, y = people()
    cells = X.to_numpy(dtype=object)
    model = quick(WellfitClassifier).fit(cells, y)
    assert model.score(cells, y) > 0.95
    assert [column.kind for column in model.predictor_.cleaning.columns] == ["category", "number"]


def test_a_running_number_in_an_array_is_used():
    X = np.arange(100).reshape(-1, 1)
    model = quick(WellfitRegressor, epochs=60).fit(X, 2.0 * X[:, 0])
    assert model.score(X, 2.0 * X[:, 0]) > 0.9


def test_no_row_is_removed():
    X = np.tile([[0.0, 1.0], [1.0, 0.0]], (20, 1))
    y = np.tile([0, 1], 20)
    model = quick(WellfitClassifier).fit(X, y)
    assert sum(model.predictor_.target.counts) == 33  # 40 rows less the 7 that validate


def test_labels_keep_their_type_whatever_they_spell():
    X, y = rows()
    for labels in (np.array(["NA", "?"]), np.array([-1.0, 3.0]), np.array([True, False])):
        model = quick(WellfitClassifier).fit(X, labels[(y == "yes").astype(int)])
        assert model.predict(X).dtype == labels.dtype
        assert set(model.predict(X)) == set(labels)


def test_probabilities_have_a_column_for_a_class_that_only_validates():
    X, y = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) // 2
    models = [quick(WellfitClassifier, epochs=1, random_state=seed).fit(X, y) for seed in range(6)]
    assert any(len(model.predictor_.classes) < 10 for model in models)
    for model in models:
        probabilities = model.predict_proba(X)
        assert probabilities.shape == (20, 10)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_heavier_rows_pull_predictions_towards_them():
    X = np.zeros((200, 1)) + np.arange(200).reshape(-1, 1) % 5
    y = np.tile([0.0, 1.0], 100)
    mean = {}
    for share in (0.2, 1.0, 5.0):
        mean[share] = quick(WellfitRegressor).fit(X, y, sample_weight=np.where(y == 1, share, 1.0)).predict(X).mean()
    assert mean[0.2] < 0.35 < mean[1.0] < 0.65 < mean[5.0]


def test_class_weight_is_a_row_weight():
    X, y = rows()
    by_class = quick(WellfitClassifier, class_weight={"yes": 4.0, "no": 1.0}).fit(X, y)
    by_row = quick(WellfitClassifier).fit(X, y, sample_weight=np.where(y == "yes", 4.0, 1.0))
    plain = quick(WellfitClassifier).fit(X, y)
    np.testing.assert_array_equal(by_class.predict_proba(X), by_row.predict_proba(X))
    assert by_class.predict_proba(X)[:, 1].mean() > plain.predict_proba(X)[:, 1].mean() + 0.01


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_the_same_random_state_gives_the_same_bits(kind):
    X, y = rows()
    y = y if kind is WellfitClassifier else X[:, 0]
    first, again, other = (quick(kind, random_state=seed).fit(X, y).predict(X[:50]) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    if kind is WellfitRegressor:
        assert (first != other).any()


def test_a_generator_draws_a_new_seed_each_time():
    X, y = rows()
    model = quick(WellfitClassifier, epochs=1, random_state=np.random.RandomState(0))
    seeds = [model.fit(X, y).config_["train"]["seed"] for _ in range(2)]
    assert seeds[0] != seeds[1]


def test_predictions_do_not_depend_on_the_rows_beside_them():
    X, _ = rows()
    model = quick(WellfitRegressor, hidden=(256, 256), epochs=3).fit(X, X[:, 0])
    alone = np.concatenate([model.predict(X[place : place + 1]) for place in range(20)])
    np.testing.assert_allclose(alone, model.predict(X)[:20], rtol=1e-12, atol=1e-14)


def test_a_copy_predicts_alike_and_holds_the_network_once():
    X, y = rows()
    model = quick(WellfitClassifier, epochs=2).fit(X, y)
    before = pickle.dumps(model)
    expected = model.predict_proba(X)
    after = pickle.dumps(model)
    assert len(after) < 1.2 * len(before)
    np.testing.assert_array_equal(pickle.loads(after).predict_proba(X), expected)  # noqa: S301


def test_pipelines_cross_validation_and_searches():
    X, y = rows()
    pipeline = make_pipeline(StandardScaler(), quick(WellfitClassifier))
    assert cross_val_score(pipeline, X, y, cv=3).mean() > 0.85
    grid = {"wellfitclassifier__lr": np.array([1e-6, 0.02]), "wellfitclassifier__batch_size": np.array([16])}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, y)
    assert search.best_params_["wellfitclassifier__lr"] == 0.02


def test_parameters_and_config_reach_the_training():
    X, y = rows()
    config = {"train": {"threads": 1, "ema": 0.9, "epochs": 50}, "features": {"scale": "standard"}}
    model = WellfitClassifier(config=config, random_state=5, validation_fraction=0.25)
    assert model.get_params()["config"] == config
    assert clone(model).get_params() == model.get_params()
    model.set_params(hidden=[8, 8], optimizer={"name": "momentum", "beta": 0.8}, lr=0.01, epochs=3, patience=None)
    settled = model.fit(X, y).config_
    assert settled["model"]["hidden"] == [8, 8]
    assert settled["train"]["optimizer"] == {"name": "momentum", "lr": 0.01, "beta": 0.8, "heavy_ball": False}
    assert (settled["train"]["epochs"], settled["train"]["ema"], settled["train"]["seed"]) == (3, 0.9, 5)
    assert settled["train"]["early_stopping"] is None
    assert settled["split"]["valid"] == 0.25
    assert settled["features"]["scale"] == "standard"
    assert model.n_iter_ == 3
    assert len(model.history_["train_loss"]) == 3


def test_a_default_gives_way_to_an_optimizer_that_refuses_it():
    X, y = rows(60)
    assert quick(WellfitClassifier, optimizer="lbfgs", lr=None, batch_size=None, epochs=3).fit(X, y).n_iter_ == 3
    with pytest.raises(ConfigError, match="lbfgs can't be combined with 'clip_norm'"):
        quick(WellfitClassifier, optimizer="lbfgs", lr=None, batch_size=None, clip_norm=2.0).fit(X, y)


def test_stated_columns_of_an_array():
    X, y = rows()
    model = quick(WellfitClassifier, epochs=1, config=THREADS | {"features": {"columns": {"c1": {"type": "drop"}}}})
    kinds = [column.kind for column in model.fit(X, y).predictor_.cleaning.columns]
    assert kinds == ["number", "drop", "number"]


def test_time_ends_the_training():
    X, y = rows()
    model = quick(WellfitClassifier, epochs=10**6, patience=None, time=0.4).fit(X, y)
    assert model.n_iter_ < 10**5


X0, Y0 = rows(40)

REFUSED = {
    "multi-output": (lambda: quick(WellfitRegressor).fit(X0, X0[:, :2]), "one target at a time; multi-output"),
    "multilabel": (lambda: quick(WellfitClassifier).fit(X0, [[0, 1]] * 40), "one target at a time; multi-output"),
    "sparse": (lambda: quick(WellfitClassifier).fit(sparse.csr_array(X0), Y0), "Sparse data was passed"),
    "infinite": (lambda: quick(WellfitClassifier).fit(np.where(X0 > 1, np.inf, X0), Y0), "contains infinity"),
    "one row": (lambda: quick(WellfitClassifier).fit(X0[:1], Y0[:1]), "minimum of 2 is required|at least two classes"),
    "one row of a frame": (lambda: quick(WellfitRegressor).fit(pd.DataFrame(X0[:1]), [1.0]), "n_samples = 1"),
    "one class": (lambda: quick(WellfitClassifier).fit(X0, ["a"] * 40), "at least two classes"),
    "one number": (lambda: quick(WellfitRegressor).fit(X0, [1.0] * 40), "at least two different values"),
    "one dimension": (lambda: quick(WellfitClassifier).fit(X0[:, 0], Y0), "Reshape your data"),
    "lengths": (lambda: quick(WellfitClassifier).fit(X0, Y0[:-1]), "inconsistent numbers of samples"),
    "lengths of a frame": (lambda: quick(WellfitClassifier).fit(pd.DataFrame(X0), Y0[:-1]), "inconsistent numbers"),
    "no y": (lambda: quick(WellfitRegressor).fit(X0, None), "requires y to be passed"),
    "numbers for labels": (lambda: quick(WellfitClassifier).fit(X0, X0[:, 0]), "Unknown label type"),
    "negative weight": (lambda: quick(WellfitRegressor).fit(X0, X0[:, 0], [-1.0] * 40), "Negative values"),
    "weights of one class": (lambda: quick(WellfitClassifier).fit(X0, Y0, Y0 == "yes"), "whose weight is not 0"),
    "columns": (lambda: quick(WellfitRegressor, epochs=1).fit(X0, X0[:, 0]).predict(X0[:, :2]), "X has 2 features"),
    "nothing varies": (lambda: quick(WellfitClassifier).fit(np.ones((40, 2)), Y0), "it has one value only"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_unusable_rows_are_refused(case):
    attempt, words = REFUSED[case]
    with pytest.raises(ValueError, match=words) if case != "sparse" else pytest.raises(TypeError, match=words):
        attempt()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dropout": 1.5}, "parameter dropout: 'dropout' of mlp must be"),
        ({"optimizer": "adm"}, "Did you mean 'adam'"),
        ({"validation_fraction": 0}, "split.valid"),
        ({"config": {"data": {"target": "y"}}}, "Got \"'data' in config\""),
        ({"config": {"split": {"test": 0.2}}}, "keeps no test rows"),
        ({"config": {"train": {"class_weight": {"yes": 2}}}}, "from its parameter class_weight"),
        ({"config": "fast"}, "'config' must be a mapping"),
        ({"config": {"epoch": 3}}, "Did you mean 'epochs'"),
    ],
)
def test_unusable_parameters_are_refused_by_fit(options, words):
    model = quick(WellfitClassifier, **options)
    with pytest.raises(BadInput, match=words):
        model.fit(X0, Y0)


def test_unknown_class_weights_and_unfitted_estimators():
    with pytest.raises(ValueError, match="are not in class_weight"):
        quick(WellfitClassifier, class_weight={"maybe": 2.0}).fit(X0, Y0)
    with pytest.raises(NotFittedError):
        WellfitRegressor().predict(X0)


def test_errors_of_the_data_are_wellfits_own():
    with pytest.raises(DataError):
        quick(WellfitRegressor).fit(X0, X0)
