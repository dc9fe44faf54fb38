"""What later rows are held against."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.stats import chi2, norm

from wellfit.data.cleaning import CleaningPlan
from wellfit.data.cleaning.contract import Z_SCORE, ColumnContract, _chi_squared


def table(rows: int, seed: int, **changes: Any) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    columns = {
        "age": draw.normal(50, 10, rows).round(1),
        "kind": draw.choice(["u", "v", "w"], rows, p=[0.6, 0.3, 0.1]),
        "day": np.datetime64("2020-01-01T00:00:00", "us") + (draw.integers(0, 300, rows) * 86_400_000_000),
    }
    return pl.DataFrame({**columns, **changes})


PLAN = CleaningPlan.fit(table(2000, 0))


def shifted(frame: pl.DataFrame) -> set[str]:
    _, report = PLAN.apply(frame, watch=True)
    return {name for name, drift in report.drift.items() if drift.shifted}


def test_rows_of_the_same_source_have_not_shifted() -> None:
    assert not any(shifted(table(rows, seed)) for seed, rows in enumerate([50, 60, 100, 300, 1000] * 20, 1))


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"age": np.random.default_rng(1).normal(70, 10, 400)}, "age"),
        ({"age": [None] * 300 + [50.0] * 100}, "age"),
        ({"kind": ["w"] * 400}, "kind"),
        ({"kind": ["z"] * 250 + ["u"] * 150}, "kind"),
        ({"day": [datetime(2022, 1, 1)] * 400}, "day"),
    ],
)
def test_a_shift_is_found_in_its_column_alone(changes: dict[str, Any], column: str) -> None:
    frame = table(400, 9, **changes)
    assert shifted(frame) == {column}
    _, report = PLAN.apply(frame, watch=True)
    assert any(line.startswith(f"'{column}' has shifted since training") for line in report.sentences())
    assert json.loads(json.dumps(report.as_dict()))["drift"][column]["shifted"]


def test_the_index_is_that_of_its_definition() -> None:
    train, later = np.repeat(["a", "b"], [600, 400]), np.repeat(["a", "b"], [300, 700])
    drift = ColumnContract.learn(pl.Series("x", train)).compare(pl.Series("x", later))
    assert drift.psi == pytest.approx((0.3 - 0.6) * np.log(0.3 / 0.6) + (0.7 - 0.4) * np.log(0.7 / 0.4), rel=0.01)


@pytest.mark.parametrize("degrees", [1, 2, 5, 10, 50])
def test_the_point_of_chi_squared(degrees: int) -> None:
    """The approximation is good to a sixth so far out, and on the side that is silent."""
    expected = chi2.isf(norm.sf(Z_SCORE), degrees)
    assert expected <= _chi_squared(degrees) == pytest.approx(expected, rel=0.17)


def test_missing_cells_and_those_outside_are_counted() -> None:
    frame = table(200, 3, age=[None] * 20 + [500.0] * 10 + [50.0] * 170)
    drift = PLAN.apply(frame, watch=True)[1].drift["age"]
    assert (drift.missing, drift.missing_in_training, drift.outside) == (0.1, 0.0, 10)


def test_few_rows_tell_nothing_and_nobody_asked_is_nothing_told() -> None:
    assert PLAN.apply(table(199, 1), watch=True)[1].drift == {}
    assert PLAN.apply(table(500, 1))[1].drift == {}


def test_a_plan_keeps_its_contract() -> None:
    again = CleaningPlan.from_dict(json.loads(json.dumps(PLAN.as_dict(), allow_nan=False)))
    assert again == PLAN
