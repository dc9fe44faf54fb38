"""Real tables as they are, dirt and all: a few epochs of a small network, then every raw row is predicted."""

from __future__ import annotations

import gzip
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import wellfit
from wellfit.errors import WellfitWarning

DATA = os.environ.get("WELLFIT_DATA")

pytestmark = pytest.mark.skipif(not DATA, reason="WELLFIT_DATA is not set")

FOLDER = Path(DATA or ".")

QUICK = {"epochs": 3, "model": {"hidden": [32]}, "threads": 1, "report": False}


def trained(tmp_path: Path, source: str, target: str | int, **config: Any) -> wellfit.Run:
    return wellfit.train(FOLDER / source, target, out=str(tmp_path / "run"), **{**QUICK, **config})


def expect_answers(run: wellfit.Run, source: str, rows: int) -> None:
    """Every raw row gets a value, those without a target and those that stand twice too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WellfitWarning)
        values = run.predict(FOLDER / source)
    assert len(values) == rows
    if run.task == "regression":
        assert np.isfinite(values).all()
    else:
        assert set(values.tolist()) <= set(run.classes_.tolist())


def expect_finite(run: wellfit.Run) -> None:
    for scores in (run.metrics["test"], run.metrics["valid"], *run.metrics["baselines"].values()):
        assert scores
        assert all(score is not None and np.isfinite(score) for score in scores.values())
    assert np.isfinite(run.history["train_loss"]).all()


TABLES: dict[str, tuple[str, str | int, str, int, int, str]] = {
    # source, target, task, columns, rows, the metric by which three epochs already beat the simplest baseline
    "titanic": ("titanic/train.csv", "Survived", "binary", 12, 891, "accuracy"),
    "california": ("california-housing/housing.csv.gz", "median_house_value", "regression", 10, 20640, "rmse"),
    "ames": ("ames-housing/ames.csv", "price", "regression", 83, 2930, "rmse"),
    "bank": ("bank-marketing/bank-full.csv.gz", "y", "binary", 17, 45211, "auc"),
    "credit": ("credit-g/credit.csv", "default", "binary", 21, 1000, "auc"),
    "horse-colic": ("horse-colic/horse-colic.csv", 22, "multiclass", 28, 300, "auc"),
    "diamonds": ("diamonds/diamonds.csv.gz", "price", "regression", 10, 53940, "rmse"),
    "diamonds, Parquet": ("diamonds/diamonds.parquet", "price", "regression", 11, 53940, "rmse"),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_real_table_is_trained_and_predicted(tmp_path: Path, name: str) -> None:
    source, target, task, columns, rows, metric = TABLES[name]
    # The target of horse-colic is 1, 2 or 3; Survived is 0 or 1: classes. Small tables take more epochs.
    run = trained(tmp_path, source, target, epochs=3 if rows > 5000 else 15)
    assert run.task == task
    assert run.plan["source"]["columns"] == columns
    assert run.plan["source"]["rows"] == rows
    expect_finite(run)
    expect_answers(run, source, rows)
    simplest = run.metrics["baselines"]["mean" if task == "regression" else "majority"]
    ours, theirs = run.metrics["test"][metric], simplest[metric]
    assert ours < 0.8 * theirs if metric == "rmse" else ours > theirs + 0.05


def test_adult_is_scored_on_all_rows_of_its_own_test_file(tmp_path: Path) -> None:
    test = FOLDER / "adult" / "adult-test.csv.gz"
    run = trained(tmp_path, "adult/adult-train.csv.gz", -1, data={"test": str(test)})
    assert run.task == "binary"
    assert run.classes_.tolist() == ["<=50K", ">50K"]
    assert run.plan["source"]["rows"] == 32561
    assert run.plan["rows"]["test"] == 16281
    expect_finite(run)
    scores = run.evaluate(test)
    assert len(scores.target) == 16281
    assert scores.without_target == 0
    with gzip.open(test, "rt") as lines:
        rich = sum(line.strip().endswith(">50K.") for line in lines)
    assert (scores.target == 1).sum() == rich == 3846
    assert scores.metrics == run.metrics["test"]
    assert run.metrics["test"]["accuracy"] > 0.83 > run.metrics["baselines"]["majority"]["accuracy"] + 0.05
    assert run.metrics["test"]["auc"] > 0.88
    expect_answers(run, "adult/adult-test.csv.gz", 16281)


def test_the_dirt_of_adult_is_found(tmp_path: Path) -> None:
    run = trained(tmp_path, "adult/adult-train.csv.gz", -1, epochs=1, batch_size=4096)
    missing = {finding.where for finding in run.findings if finding.code == "missing_values"}
    assert missing == {"c1", "c6", "c13"}
    duplicates = next(finding for finding in run.findings if finding.code == "duplicate_rows")
    assert duplicates.evidence["rows"] == 24
    kinds = {column["name"]: column["kind"] for column in run.plan["cleaning"]["columns"]}
    assert kinds["c0"] == "number"
    assert kinds["c1"] == "category"


def test_titanic_without_labels_is_predicted(tmp_path: Path) -> None:
    run = trained(tmp_path, "titanic/train.csv", "Survived")
    expect_answers(run, "titanic/test_unlabelled.csv", 418)
    assert run.classes_.tolist() == [0, 1]


def test_a_row_without_target_is_set_aside_and_predicted_all_the_same(tmp_path: Path) -> None:
    run = trained(tmp_path, "horse-colic/horse-colic.csv", 22)
    assert run.plan["rows"]["without_target"] == 1
    assert sum(run.plan["rows"][split] for split in ("train", "valid", "test")) == 299
    expect_answers(run, "horse-colic/horse-colic.csv", 300)


def test_diamonds_as_text_and_as_typed_columns_get_the_same_answers(tmp_path: Path) -> None:
    """The CSV lacks the Parquet's first column, a row number, which is no feature."""
    run = trained(tmp_path, "diamonds/diamonds.csv.gz", "price", epochs=1)
    frame = pl.read_parquet(FOLDER / "diamonds" / "diamonds.parquet").head(2000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WellfitWarning)
        typed = run.predict(frame)
        text = run.predict(frame.select(pl.all().cast(pl.String)))
    assert np.array_equal(typed, text)
