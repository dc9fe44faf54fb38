"""The columns kept are scikit-learn's, to the column."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.feature_selection import (
    SelectFromModel,
    SelectKBest,
    VarianceThreshold,
    chi2,
    f_classif,
    f_regression,
    mutual_info_classif,
    mutual_info_regression,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from wellfit.data.features import FeaturePlan, Targets
from wellfit.errors import ConfigError

ROWS, WIDTH = 300, 12
NAMES = [f"x{number}" for number in range(WIDTH)]


def numbers(seed: int = 0) -> np.ndarray[Any, np.dtype[np.float64]]:
    random = np.random.default_rng(seed)
    return np.abs(random.normal(size=(ROWS, WIDTH)) * np.linspace(0.1, 5, WIDTH)).round(3)


def answers(kind: str) -> Targets:
    values, random = numbers(), np.random.default_rng(5)
    score = values[:, 2] * 3 + values[:, 7] / 2 - values[:, 9] / 3 + random.normal(0, 0.5, ROWS)
    if kind == "numbers":
        return Targets(score)
    classes = 2 if kind == "binary" else 3
    edges = np.quantile(score, np.linspace(0, 1, classes + 1)[1:-1])
    return Targets(np.searchsorted(edges, score).astype(np.float64), classes)


def kept(select: Any, targets: Targets | None, **settings: Any) -> list[str]:
    frame = pl.DataFrame(numbers(), schema=NAMES)
    plan, matrix = FeaturePlan.fit_apply(frame, select=select, targets=targets, **settings)
    assert matrix.numeric.shape[1] == len(plan.numeric_names) == plan.n_numeric
    assert plan.apply(frame).numeric.tobytes() == matrix.numeric.tobytes()
    again = FeaturePlan.from_dict(json.loads(json.dumps(plan.as_dict(), allow_nan=False)))
    assert again.feature_names == plan.feature_names
    assert again.selection == plan.selection
    return list(plan.feature_names)


def chosen(authority: Any, values: Any, targets: Targets | None) -> list[str]:
    authority.fit(values, None if targets is None else targets.values)
    return [NAMES[place] for place in authority.get_support(indices=True)]


SCORES = {
    ("f", True): f_classif,
    ("f", False): f_regression,
    ("chi2", True): chi2,
    ("mutual_information", True): lambda X, y: mutual_info_classif(X, y, random_state=0),
    ("mutual_information", False): lambda X, y: mutual_info_regression(X, y, random_state=0),
}


@pytest.mark.parametrize("kind", ["binary", "multiclass", "numbers"])
@pytest.mark.parametrize("score", ["f", "chi2", "mutual_information"])
@pytest.mark.parametrize("k", [1, 4, 11, 50])
def test_the_k_best_are_scikit_learns(score: str, kind: str, k: int) -> None:
    targets = answers(kind)
    if (score, bool(targets.classes)) not in SCORES:
        with pytest.raises(ConfigError, match="the target is numbers"):
            kept({"name": "k_best", "k": k, "score": score}, targets)
        return
    authority = SelectKBest(SCORES[score, bool(targets.classes)], k=min(k, WIDTH))
    assert kept({"name": "k_best", "k": k, "score": score}, targets) == chosen(authority, numbers(), targets)


@pytest.mark.parametrize("threshold", [0.0, 0.5, 3.0])
def test_variances_are_scikit_learns(threshold: float) -> None:
    authority = VarianceThreshold(threshold)
    assert kept({"name": "variance", "threshold": threshold}, None) == chosen(authority, numbers(), None)


@pytest.mark.parametrize("kind", ["binary", "multiclass", "numbers"])
@pytest.mark.parametrize("model", ["trees", "linear"])
@pytest.mark.parametrize(("threshold", "k"), [("mean", None), ("median", None), ("median", 3)])
def test_models_choose_as_scikit_learns(model: str, kind: str, threshold: str, k: int | None) -> None:
    targets = answers(kind)
    estimator = {
        ("trees", True): ExtraTreesClassifier(100, random_state=0),
        ("trees", False): ExtraTreesRegressor(100, random_state=0),
        ("linear", True): LogisticRegression(max_iter=1000),
        ("linear", False): Ridge(),
    }[model, bool(targets.classes)]
    scaled = StandardScaler().fit_transform(numbers()).astype(np.float32)
    authority = SelectFromModel(estimator, threshold=threshold, max_features=k)
    select = {"name": "model_based", "model": model, "threshold": threshold, "k": k}
    assert kept(select, targets, scale="standard") == chosen(authority, scaled.astype(np.float64), targets)


def mixed() -> tuple[pl.DataFrame, Targets]:
    random = np.random.default_rng(0)
    told = random.integers(0, 2, ROWS)
    city = np.where(random.random(ROWS) < 0.9, told * 10, 0) + random.integers(0, 10, ROWS)
    frame = pl.DataFrame(
        {
            "noise": random.normal(size=ROWS),
            "weak": told + random.normal(0, 3, ROWS),
            "city": [f"c{number}" for number in city],
            "street": [f"s{number}" for number in random.integers(0, 30, ROWS)],
            "flag": np.where(told == 1, "yes", np.where(random.random(ROWS) < 0.5, "yes", "no")),
        }
    )
    return frame, Targets(told.astype(np.float64), 2)


@pytest.mark.parametrize(
    "select",
    [
        {"name": "k_best", "k": 3, "score": "f"},
        {"name": "k_best", "k": 3, "score": "mutual_information"},
        {"name": "model_based", "k": 3},
        {"name": "model_based", "model": "linear", "k": 3},
    ],
)
def test_categories_are_selected_as_columns(select: dict[str, Any]) -> None:
    frame, targets = mixed()
    plan, matrix = FeaturePlan.fit_apply(frame, select=select, targets=targets)
    assert plan.n_numeric + len(plan.cardinalities) <= 3
    assert any(name.startswith("flag") for name in plan.numeric_names)
    if select.get("model") != "linear":
        assert plan.categorical_names == ("city",)
        assert matrix.categorical.max() < plan.cardinalities[0]
    assert plan.apply(frame).categorical.tobytes() == matrix.categorical.tobytes()


def test_the_plan_names_what_was_chosen_and_why() -> None:
    frame, targets = mixed()
    plan = FeaturePlan.fit(frame, select={"name": "k_best", "k": 2}, targets=targets)
    record = plan.as_dict()["selection"]
    scored = {column["name"]: column["score"] for column in record["scored"]}
    assert set(scored) == {"noise", "weak", "city", "street", "flag=no", "flag=yes"}
    assert record["select"] == {"name": "k_best", "k": 2, "score": "f", "seed": 0}
    names = list(scored)
    assert {names[place] for place in record["kept"]} == {"flag=no", "flag=yes"}
    np.testing.assert_allclose(scored["weak"], f_classif(frame[["weak"]].to_numpy(), targets.values)[0][0], rtol=1e-9)


def test_what_cannot_be_selected_is_refused() -> None:
    frame = pl.DataFrame({"x": [-1.0, 2.0, 3.0, 1.0]})
    targets = Targets(np.array([0.0, 1.0, 1.0, 0.0]), 2)
    with pytest.raises(ConfigError, match="'x' has negative numbers"):
        FeaturePlan.fit(frame, select={"name": "k_best", "score": "chi2"}, targets=targets)
    with pytest.raises(ConfigError, match=r"must keep a column.*The best, 'x', has 2.1875"):
        FeaturePlan.fit(frame, select={"name": "variance", "threshold": 9.0})
    with pytest.raises(ConfigError, match="Did you mean 'k_best'"):
        FeaturePlan.fit(frame, select="kbest")
    with pytest.raises(ConfigError, match="learned from the target"):
        FeaturePlan.fit(frame, select="k_best")
