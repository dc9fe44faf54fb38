"""The threshold between two classes: found, given, kept in the run, and used wherever a class is answered."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import f1_score
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV

import wellfit
from wellfit.errors import ConfigError
from wellfit.metrics import METRICS, best_threshold, decided

QUICK = {"epochs": 15, "model": {"hidden": [8]}, "threads": 1, "report": False}


def rare(rows: int = 600) -> pl.DataFrame:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(rows, 2))
    chance = 1 / (1 + np.exp(2.5 - 1.5 * x[:, 0]))
    label = np.where(draw.uniform(size=rows) < chance, "yes", "no")
    return pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "label": label})


def test_the_best_threshold_is_that_of_a_full_search() -> None:
    draw = np.random.default_rng(1)
    chance = draw.uniform(size=300)
    truth = (draw.uniform(size=300) < chance**2).astype(int)
    both = np.stack([1 - chance, chance], 1)
    found = best_threshold(METRICS["f1"].make(), truth, both)
    every = max(f1_score(truth, chance >= threshold) for threshold in np.unique(chance))
    assert f1_score(truth, decided(both, found)) == pytest.approx(every)


def test_it_is_what_scikit_learn_would_choose_but_for_its_grid() -> None:
    frame = rare()
    x, y = frame.select("a", "b").to_numpy(), (frame["label"] == "yes").to_numpy().astype(int)
    classifier = wellfit.WellfitClassifier(hidden=(8,), epochs=5, random_state=0).fit(x, y)
    tuned = TunedThresholdClassifierCV(classifier, scoring="f1", cv="prefit", refit=False).fit(x, y)
    own = best_threshold(METRICS["f1"].make(), y, classifier.predict_proba(x))
    assert f1_score(y, decided(classifier.predict_proba(x), own)) >= tuned.best_score_ - 1e-9
    theirs = FixedThresholdClassifier(FrozenEstimator(classifier), threshold=own).fit(x, y)
    assert (theirs.predict(x) == decided(classifier.predict_proba(x), own)).all()


def test_a_run_judged_by_f1_finds_one_and_keeps_it(tmp_path: Path) -> None:
    frame = rare()
    run = wellfit.train(frame, "label", out=str(tmp_path / "run"), metric="f1", **QUICK)
    model = json.loads((run.path / "model.json").read_text())
    assert 0 < model["threshold"] < 0.5
    assert run.config["train"]["threshold"] == model["threshold"]
    chances = run.predict_proba(frame)[:, 1]
    assert (run.predict(frame) == np.where(chances >= model["threshold"], "yes", "no")).all()
    plain = wellfit.train(frame, "label", out=str(tmp_path / "plain"), **QUICK)
    assert plain.config["train"]["threshold"] is None
    assert run.metrics["valid"]["f1"] > plain.metrics["valid"]["f1"]


def test_a_given_one_is_used_and_the_scores_are_those_of_its_answers(tmp_path: Path) -> None:
    frame = rare()
    run = wellfit.train(frame, "label", out=str(tmp_path / "run"), threshold=0.2, **QUICK)
    truth = frame["label"].to_numpy()
    scores = run.evaluate(frame)
    assert scores.metrics["accuracy"] == pytest.approx((run.predict(frame) == truth).mean())
    counts = json.loads((run.path / "evaluation.json").read_text())["confusion"]["counts"]
    right = (counts[0][0] + counts[1][1]) / sum(map(sum, counts))
    assert right == pytest.approx(run.metrics["test"]["accuracy"])


def test_more_classes_and_numbers_have_none(tmp_path: Path) -> None:
    frame = rare().with_columns(pl.Series("label", np.arange(600) % 3).cast(pl.String))
    with pytest.raises(ConfigError, match="two classes"):
        wellfit.train(frame, "label", out=str(tmp_path / "run"), threshold=0.2, **QUICK)
    with pytest.raises(ConfigError, match="threshold"):
        wellfit.train(rare(), "label", out=str(tmp_path / "run"), threshold=1.0, **QUICK)
