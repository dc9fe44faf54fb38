"""Columns that give the target away, rows and groups in two splits, a mixed time order: found, and nothing else."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from wellfit.config import from_mapping
from wellfit.findings import Finding
from wellfit.preparation import prepare

Columns = dict[str, Any]


def findings(columns: Columns, target: str = "y", **config: Any) -> list[Finding]:
    settings = {"data": {"target": target}, **config}
    return list(prepare(from_mapping(settings), pl.DataFrame(columns, strict=False)).findings)


def leaks(columns: Columns, **config: Any) -> list[tuple[str, str]]:
    found = findings(columns, **config)
    return [(finding.code, finding.where) for finding in found if finding.code in ("target_leakage", "split_leakage")]


def noisy(rows: int = 600, seed: int = 0) -> Columns:
    """Numbers and a category that tell something of the target, and not all of it."""
    draw = np.random.default_rng(seed)
    size, age = draw.normal(size=rows), draw.integers(18, 90, rows)
    kind = draw.choice(["u", "v", "w"], rows)
    score = size + 0.02 * (age - 50) + (kind == "u") + draw.normal(size=rows)
    return {"size": size.round(4), "age": age, "kind": kind, "score": score.round(4)}


def classes(**more: Any) -> Columns:
    columns = noisy()
    score = columns.pop("score")
    return {**columns, "y": np.where(score > 0.5, "yes", "no"), **more}


def numbers(**more: Any) -> Columns:
    columns = noisy()
    score = columns.pop("score")
    return {**columns, "y": score, **more}


def test_a_table_without_leaks_is_silent() -> None:
    assert leaks(classes()) == []
    assert leaks(numbers()) == []


LABELS = classes()["y"]
SCORES = numbers()["y"]
FEW = np.random.default_rng(5).random(600) < 0.002


@pytest.mark.parametrize(
    ("columns", "column"),
    [
        (classes(copy=LABELS), "copy"),
        (classes(code=np.where(LABELS == "yes", 7, 3)), "code"),
        (classes(state=np.where(LABELS == "yes", np.random.default_rng(1).choice(["a", "b"], 600), "c")), "state"),
        (classes(paid=[1.5 * row if label == "yes" else None for row, label in enumerate(LABELS)]), "paid"),
        (classes(almost=np.where(FEW, "no", LABELS)), "almost"),
        (numbers(cents=(100 * SCORES).round(2)), "cents"),
        (numbers(power=np.exp(SCORES).round(4)), "power"),
        (numbers(near=(SCORES + np.random.default_rng(2).normal(0, 0.05, 600)).round(4)), "near"),
    ],
)
def test_a_column_that_gives_the_target_away_is_named(columns: Columns, column: str) -> None:
    assert leaks(columns) == [("target_leakage", column)]


def test_the_evidence_is_a_score_and_that_of_shuffled_targets() -> None:
    found = next(finding for finding in findings(classes(copy=LABELS)) if finding.code == "target_leakage")
    assert float(found.evidence["score"]) > 0.999
    assert 0.3 < float(found.evidence["shuffled"]) < 0.7
    assert found.severity == "warning"
    assert (found.remedies[0].path, found.remedies[0].value) == ("features.columns.copy.type", "drop")


def test_parts_whose_sum_is_the_target_are_named() -> None:
    part = np.random.default_rng(3).normal(size=600).round(4)
    found = [
        finding for finding in findings(numbers(one=part, other=SCORES - part)) if finding.code == "target_leakage"
    ]
    assert len(found) == 1
    assert "'one', 'other'" in found[0].message


def test_the_search_can_be_turned_off() -> None:
    assert leaks(classes(copy=LABELS), clean={"leaks": "off"}) == []


def test_a_strong_honest_column_is_no_leak() -> None:
    draw = np.random.default_rng(4)
    strong = np.where(draw.random(600) < 0.04, "other", LABELS)
    assert leaks(classes(strong=strong)) == []
    assert leaks(numbers(strong=SCORES + draw.normal(0, 0.4, 600))) == []


def test_copies_with_another_key_stand_in_two_splits() -> None:
    columns = {name: list(values) for name, values in classes().items()}
    twice = {name: values + values[:200] for name, values in columns.items()}
    found = leaks({"row_id": list(range(800)), **twice})
    assert set(found) == {("split_leakage", "valid"), ("split_leakage", "test")}
    codes = {finding.code for finding in findings({"row_id": list(range(800)), **twice})}
    assert "near_duplicates" in codes


def test_rows_of_few_levels_are_equal_by_chance() -> None:
    draw = np.random.default_rng(6)
    columns = {"a": draw.choice(["x", "y"], 600), "b": draw.choice(["x", "y", "z"], 600), "n": draw.integers(0, 4, 600)}
    target = draw.choice(["p", "q"], 600)
    assert leaks({"row_id": list(range(600)), **columns, "y": target}) == []


def test_groups_whose_rows_are_alike_are_divided() -> None:
    draw = np.random.default_rng(7)
    patient = np.repeat(np.arange(100), 6)
    level = draw.normal(size=100)[patient]
    columns = {"patient_id": patient, "x": draw.normal(size=600), "y": level + 0.3 * draw.normal(size=600)}
    found = [finding for finding in findings(columns) if finding.code == "split_leakage"]
    assert [finding.where for finding in found] == ["patient_id"]
    assert {remedy.path: remedy.value for remedy in found[0].remedies} == {
        "split.method": "group",
        "split.column": "patient_id",
    }
    unlike = {**columns, "y": draw.normal(size=600)}
    assert leaks(unlike) == []


def test_a_time_series_dealt_at_random_is_named() -> None:
    draw = np.random.default_rng(8)
    moments = [datetime(2020, 1, 1) + timedelta(hours=6 * row) for row in range(600)]
    columns = {"at": moments, "x": draw.normal(size=600), "y": np.cumsum(draw.normal(size=600))}
    assert leaks(columns) == [("split_leakage", "at")]
    parts = {
        "year": [at.year for at in moments],
        "month": [at.month for at in moments],
        "day": [at.day for at in moments],
    }
    assert leaks({**parts, "hour": [at.hour for at in moments], "x": columns["x"], "y": columns["y"]}) == [
        ("split_leakage", "month day hour")
    ]
    assert leaks({**columns, "y": draw.normal(size=600)}) == []


def test_a_test_table_that_has_shifted_is_named(tmp_path: Path) -> None:
    pl.DataFrame(classes()).write_csv(tmp_path / "train.csv")
    shifted = pl.DataFrame(classes()).with_columns(age=pl.col("age") + 40)
    shifted.write_csv(tmp_path / "test.csv")
    config = {"data": {"source": str(tmp_path / "train.csv"), "test": str(tmp_path / "test.csv"), "target": "y"}}
    found = [finding for finding in prepare(from_mapping(config)).findings if finding.code == "distribution_shift"]
    assert [(finding.where, finding.evidence["split"]) for finding in found] == [("age", "test")]


DATA = os.environ.get("WELLFIT_DATA")


@pytest.mark.skipif(not DATA, reason="WELLFIT_DATA is not set")
@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("titanic/train.csv", "Survived"),
        ("credit-g/credit.csv", "default"),
        ("mushroom/mushrooms.csv", "type"),
        ("sick/sick.csv", "Class"),
        ("horse-colic/horse-colic.csv", 22),
        ("pima/pima.csv", 8),
        ("penguins/penguins.csv", "species"),
        ("mpg/mpg.csv", "mpg"),
        ("insurance/insurance.csv", "charges"),
        ("phoneme/phoneme.csv", 5),
        ("mammography/mammography.csv", 6),
        ("wine-quality/winequality-red.csv", 11),
        ("ames-housing/ames.csv", "price"),
        ("taxis/taxis.csv", "fare"),
    ],
)
def test_real_tables_without_leaks_are_silent(source: str, target: str | int) -> None:
    prepared = prepare(from_mapping({"data": {"source": f"{DATA}/{source}", "target": target}}))
    codes = {finding.code for finding in prepared.findings}
    assert codes.isdisjoint({"target_leakage", "split_leakage", "distribution_shift"})


@pytest.mark.skipif(not DATA, reason="WELLFIT_DATA is not set")
def test_the_leaks_of_real_tables_are_named() -> None:
    bikes = prepare(from_mapping({"data": {"source": f"{DATA}/bike-sharing/hour.csv.gz", "target": "cnt"}}))
    found = {(finding.code, finding.where) for finding in bikes.findings}
    assert {("target_leakage", "casual"), ("split_leakage", "dteday")} <= found
