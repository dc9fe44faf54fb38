"""What is decided on real tables, as a data scientist would."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import polars as pl
import pytest

from wellfit.data.cleaning import CleaningPlan, TargetPlan, repeated_rows, rows_without_target
from wellfit.data.features import FeaturePlan
from wellfit.data.splitting import split_rows

pytestmark = pytest.mark.skipif("WELLFIT_DATA" not in os.environ, reason="WELLFIT_DATA is not set")


def raw(path: str, **options: Any) -> pl.DataFrame:
    frame = pl.read_csv(Path(os.environ["WELLFIT_DATA"]) / path, infer_schema=False, **options)
    if not options.get("has_header", True):
        frame.columns = [f"c{number}" for number in range(frame.width)]
    return frame.filter(~pl.all_horizontal(pl.all().is_null()))


HEADERLESS = {"has_header": False}
TABLES: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "adult": ("adult/adult-train.csv.gz", HEADERLESS, "c14", "binary"),
    "titanic": ("titanic/train.csv", {}, "Survived", "binary"),
    "ames": ("ames-housing/ames.csv", {}, "price", "regression"),
    "credit": ("credit-g/credit.csv", {}, "default", "binary"),
    "colic": ("horse-colic/horse-colic.csv", HEADERLESS, "c22", "multiclass"),
    "bank": ("bank-marketing/bank-full.csv.gz", {"separator": ";"}, "y", "binary"),
    "diamonds": ("diamonds/diamonds.csv.gz", {}, "price", "regression"),
    "sick": ("sick/sick.csv", {}, "Class", "binary"),
    "pima": ("pima/pima.csv", HEADERLESS, "c8", "binary"),
    "mammography": ("mammography/mammography.csv", HEADERLESS, "c6", "binary"),
    "beijing": ("beijing-pm25/pollution.csv.gz", {}, "pm2.5", "regression"),
    "taxis": ("taxis/taxis.csv", {}, "fare", "regression"),
    "california": ("california-housing/housing.csv.gz", {}, "median_house_value", "regression"),
    "bikes": ("bike-sharing/hour.csv.gz", {}, "cnt", "regression"),
}
DROPPED = {
    "titanic": {"PassengerId", "Name", "Ticket"},
    "ames": {"rownames", "Order", "PID"},
    "sick": {"TBG", "TBG measured"},
    "beijing": {"No"},
    "bikes": {"instant"},
}
CATEGORIES = {
    "adult": {"c1", "c3", "c5", "c6", "c7", "c8", "c9", "c13"},
    "titanic": {"Sex", "Cabin", "Embarked"},
    "colic": {"c24", "c25", "c26"},
    "beijing": {"cbwd"},
    "california": {"ocean_proximity"},
    "diamonds": {"cut", "color", "clarity"},
    "pima": set(),
    "mammography": set(),
}


@pytest.mark.parametrize("name", sorted(TABLES))
def test_columns_are_judged_as_a_data_scientist_would(name: str) -> None:
    path, options, target, task = TABLES[name]
    frame = raw(path, **options)
    frame = frame.filter(~repeated_rows(frame))
    frame = frame.filter(~rows_without_target(frame, target))
    split = split_rows(frame, target=target)
    train = frame[split.train].drop(target)
    assert TargetPlan.fit(frame[split.train][target]).task == task
    cleaning = CleaningPlan.fit(train)
    kinds = {column.name: column.kind for column in cleaning.columns}
    assert {column for column, kind in kinds.items() if kind == "drop"} == DROPPED.get(name, set())
    if name in CATEGORIES:
        assert {column for column, kind in kinds.items() if kind == "category"} == CATEGORIES[name]
    dates = {"taxis": {"pickup", "dropoff"}, "bikes": {"dteday"}}.get(name, set())
    assert {column for column, kind in kinds.items() if kind == "datetime"} == dates
    features = FeaturePlan.fit(cleaning.apply(train)[0])
    typed, report = cleaning.apply(frame.drop(target))
    matrix = features.apply(typed)
    assert np.isfinite(matrix.numeric).all()
    assert np.abs(matrix.numeric).max() <= 3.0
    assert not any(counts.unparsed for counts in report.columns.values())


def test_missing_rows_of_the_target_are_counted() -> None:
    assert rows_without_target(raw("beijing-pm25/pollution.csv.gz"), "pm2.5").sum() == 2067
    assert rows_without_target(raw("horse-colic/horse-colic.csv", **HEADERLESS), "c22").sum() == 1


def test_adults_test_labels_are_matched() -> None:
    plan = TargetPlan.fit(raw("adult/adult-train.csv.gz", **HEADERLESS)["c14"])
    ids, report = plan.encode(raw("adult/adult-test.csv.gz", **HEADERLESS)["c14"])
    assert plan.classes == ("<=50K", ">50K")
    assert (report.rows, report.matched, report.unknown, report.missing) == (16281, 16281, 0, 0)
    assert ids.sum() == 3846


def test_quoted_labels_of_numbers_stay_as_they_are() -> None:
    plan = TargetPlan.fit(raw("mammography/mammography.csv", **HEADERLESS)["c6"])
    assert plan.classes == ("'-1'", "'1'")
    assert plan.encode(pl.Series(["-1", "1"]))[0].tolist() == [0, 1]


def test_text_and_typed_sources_give_the_same_matrices(tmp_path: Path) -> None:
    text = raw("diamonds/diamonds.csv.gz")
    typed = pl.read_csv(Path(os.environ["WELLFIT_DATA"]) / "diamonds/diamonds.csv.gz")
    typed.write_parquet(tmp_path / "diamonds.parquet")
    typed = pl.read_parquet(tmp_path / "diamonds.parquet")
    matrices = []
    for frame in (text, typed):
        train = frame[split_rows(frame, target="price").train].drop("price")
        cleaning = CleaningPlan.fit(train)
        features = FeaturePlan.fit(cleaning.apply(train)[0])
        matrices.append(features.apply(cleaning.apply(frame)[0]).numeric.tobytes())
    assert matrices[0] == matrices[1]


def test_changing_other_rows_changes_nothing_that_was_learned() -> None:
    frame = raw("titanic/train.csv")
    split = split_rows(frame, target="Survived")
    others = np.concatenate([split.valid, split.test])
    lost = pl.int_range(pl.len()).is_in(others.tolist())
    changed = frame.with_columns(
        pl.when(lost).then(pl.lit("99999")).otherwise(pl.col(name)).alias(name) for name in ("Age", "Fare", "Sex")
    )
    assert split_rows(changed, target="Survived").train.tolist() == split.train.tolist()
    plans = []
    for table in (frame, changed):
        train = table[split.train].drop("Survived")
        cleaning = CleaningPlan.fit(train)
        plans.append((cleaning.as_dict(), FeaturePlan.fit(cleaning.apply(train)[0]).as_dict()))
    assert plans[0] == plans[1]


def timed(work: Callable[[], object], times: int = 30) -> float:
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return median(seconds)


@pytest.mark.parametrize(("name", "milliseconds"), [("adult", 2.0), ("ames", 5.0)])
def test_one_row_is_quick(name: str, milliseconds: float) -> None:
    path, options, target, _ = TABLES[name]
    frame = raw(path, **options).drop(target)
    cleaning = CleaningPlan.fit(frame)
    features = FeaturePlan.fit(cleaning.apply(frame)[0], scale="quantile")
    row = frame[7]
    assert timed(lambda: features.apply(cleaning.apply(row)[0])) * 1e3 <= 2 * milliseconds
