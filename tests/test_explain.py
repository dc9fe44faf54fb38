"""Permutation importances agree with scikit-learn's, gradients with what can be worked out, and both with the seed."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.inspection import permutation_importance

import wellfit
from small import QUICK, Command, csv_text, small_columns
from wellfit.errors import BadInput, ConfigError, RunFolderError
from wellfit.explanation import explain


def columns(rows: int = 400, seed: int = 0, *, numeric: bool = False) -> dict[str, list[Any]]:
    """A number and a category that tell the label, a date's month that tells a little, and a number of noise."""
    draw = random.Random(seed)
    held: dict[str, list[Any]] = {"strong": [], "kind": [], "noise": [], "label": []}
    for _ in range(rows):
        strong, kind, noise = draw.gauss(0, 1), draw.choice("abcdefghijklm"), draw.gauss(0, 1)
        score = 2 * strong + 1.5 * (kind < "e") - 0.6
        for name, value in (("strong", strong), ("kind", kind), ("noise", noise)):
            held[name].append(round(value, 5) if isinstance(value, float) else value)
        held["label"].append(round(score, 5) if numeric else ("yes" if score + draw.gauss(0, 0.5) > 0 else "no"))
    return held


SETTINGS: dict[str, Any] = {"model": {"type": "mlp", "hidden": [16]}, "epochs": 15, "threads": 1}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> wellfit.Run:
    place = tmp_path_factory.mktemp("explained")
    (place / "rows.csv").write_text(csv_text(columns()))
    return wellfit.train(str(place / "rows.csv"), "label", out=str(place / "run"), **SETTINGS)


def test_permutation_agrees_with_scikit_learn_on_the_estimator() -> None:
    frame = pd.DataFrame(columns())
    X, y = frame.drop(columns="label"), frame["label"]
    estimator = wellfit.WellfitClassifier(hidden=(16,), epochs=15).fit(X, y)
    theirs = permutation_importance(estimator, X, y, scoring="neg_log_loss", n_repeats=30, random_state=1)
    # The estimator learns the places of the labels, in a column of its own name.
    places = np.searchsorted(estimator.classes_, y)
    rows = pl.from_pandas(X.assign(**{estimator.predictor_.target.name: places}))
    own = explain(estimator.predictor_, rows, metric="log_loss", repeats=30)
    assert own.score == pytest.approx(-_log_loss(estimator, X, y))
    for place, name in enumerate(X.columns):
        one = next(found for found in own.columns if found.column == name)
        margin = 4 * math.hypot(one.spread, theirs.importances_std[place]) / math.sqrt(30) + 1e-12
        assert abs(one.permuted - theirs.importances_mean[place]) < margin, name
        assert one.spread == pytest.approx(theirs.importances_std[place], rel=0.6, abs=1e-4)


def _log_loss(estimator: Any, X: pd.DataFrame, y: pd.Series) -> float:
    chances = estimator.predict_proba(X)
    places = [list(estimator.classes_).index(label) for label in y]
    return float(np.log(chances[np.arange(len(y)), places]).mean())


def test_what_tells_most_stands_first_and_noise_last(run: wellfit.Run) -> None:
    found = run.explain()
    assert [one.column for one in found.columns] == ["strong", "kind", "noise"]
    assert found.columns[0].permuted > 5 * abs(found.columns[2].permuted)
    assert found.columns[0].gradient > found.columns[1].gradient > found.columns[2].gradient
    assert (found.of, found.rows) == ("its test rows", run.plan["rows"]["test"])
    assert found.metric == run.config["train"]["metric"]


def test_a_metric_that_is_better_when_greater_loses_too(run: wellfit.Run) -> None:
    found = explain(run.predictor, pl.DataFrame(columns(seed=1)), metric="auc")
    assert found.columns[0].permuted > 0.1
    assert found.columns[0].column == "strong"


def test_the_gradient_of_a_linear_model_is_its_weight_times_the_spread(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(300, 2)) * [1.0, 5.0]
    frame = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": 3.0 * x[:, 0] - 0.2 * x[:, 1]})
    settings = {"model": {"type": "mlp", "hidden": []}, "epochs": 10, "threads": 1, "report": False}
    model = wellfit.train(frame, "y", out=str(tmp_path / "run"), **settings)
    found = {one.column: one for one in explain(model.predictor, frame).columns}
    weights = model.predictor.module.head.weight.detach().numpy()[0]  # type: ignore[union-attr]
    spread = model.predictor.matrix(frame)[0].numeric.std(0)
    for place, name in enumerate(model.predictor.features.feature_names):
        assert found[name].gradient == pytest.approx(abs(weights[place]) * spread[place], rel=1e-5)


def test_the_same_seed_gives_the_same_and_another_another(run: wellfit.Run) -> None:
    assert run.explain(seed=1) == run.explain(seed=1)
    assert run.explain(seed=1) != run.explain(seed=2)


def test_rows_are_bounded_and_counted(run: wellfit.Run) -> None:
    found = run.explain(columns(seed=3), rows=50)
    assert found.rows == 50
    assert found.of == "the rows given"


def test_explaining_draws_from_no_global_generator_and_changes_no_prediction(run: wellfit.Run) -> None:
    before = run.predict_proba(columns(20))
    state = np.random.get_state()[1].copy()  # type: ignore[union-attr]
    run.explain(columns(40))
    assert (np.random.get_state()[1] == state).all()  # type: ignore[index]
    assert (run.predict_proba(columns(20)) == before).all()


def test_rows_without_a_known_target_are_left_out(run: wellfit.Run) -> None:
    held = columns(60)
    held["label"][:10] = [None] * 5 + ["maybe"] * 5
    assert run.explain(held).rows == 50


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda held: held.pop("label"), "needs the target"),
        (lambda held: held.pop("kind"), "lack the column 'kind'"),
        (lambda held: held.update(label=["maybe"] * 400), "Two rows or more"),
    ],
)
def test_rows_that_cannot_be_used_are_said(run: wellfit.Run, change: Any, said: str) -> None:
    held = columns()
    change(held)
    with pytest.raises(BadInput, match=said):
        run.explain(held)


def test_settings_that_cannot_be_used_are_said(run: wellfit.Run) -> None:
    with pytest.raises(ConfigError, match="'repeats' must be"):
        run.explain(repeats=0)
    with pytest.raises(ConfigError, match="'rmse' is no metric for a binary target"):
        explain(run.predictor, pl.DataFrame(columns()), metric="rmse")


def test_rows_that_were_in_memory_are_asked_for(tmp_path: Path) -> None:
    made = wellfit.train(small_columns(), "label", out=str(tmp_path / "run"), **QUICK)
    with pytest.raises(RunFolderError, match="Give rows with the target"):
        made.explain()
    assert made.explain(small_columns(seed=1)).rows == 120


def test_the_page_and_the_file_have_it(run: wellfit.Run) -> None:
    run.explain()
    assert "What is lost without a column" in (run.path / "report.html").read_text()
    assert (wellfit.load(run.path).folder.read_explanation() or {})["metric"] == run.config["train"]["metric"]


def test_the_command_prints_a_table_and_one_object(run: wellfit.Run, command: Command) -> None:
    said = command("explain", run.path)
    assert said.code == 0
    assert said.out.index("strong") < said.out.index("noise")
    record = command("explain", run.path, "--json").record
    assert [one["column"] for one in record["columns"]] == ["strong", "kind", "noise"]
    assert command("explain", run.path / "none").code == 2
