"""What of later rows breaks the contract of a run."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from wellfit.data.cleaning import CleaningPlan
from wellfit.data.cleaning.policy import LEAST_UNSEEN, breaches, checked_policy
from wellfit.data.features import FeaturePlan
from wellfit.errors import ConfigError, ContractError
from wellfit.prediction import _with_unseen

ROWS = 600


def table(seed: int, rows: int = ROWS, **changes: Any) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    income = [f"${value:,.2f}" if value > 1500 else str(value) for value in draw.normal(1500, 300, rows).round(2)]
    columns = {
        "income": income,
        "age": ["oops" if part < 0.05 else str(int(20 + 60 * part)) for part in draw.random(rows)],
        "city": draw.choice(["Rome", "Oslo", "Kyiv"], rows).tolist(),
        "street": [f"street {number}" for number in draw.zipf(1.6, rows)],
    }
    return pl.DataFrame({**columns, **changes})


CLEANING, TYPED = CleaningPlan.fit_apply(table(0))
FEATURES = FeaturePlan.fit(TYPED)


def broken(frame: pl.DataFrame, *, fill: bool = False) -> list[str]:
    typed, report = CLEANING.apply(frame, watch=True, fill=fill)
    return breaches(_with_unseen(report, FEATURES.unseen(typed)), CLEANING)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("rows", [1, 30, 300, 3000])
def test_rows_of_the_same_source_fit_with_all_their_dirt(seed: int, rows: int) -> None:
    assert broken(table(seed, rows)) == [] or (rows == 1 and "oops" in table(seed, rows)["age"])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"age": ["oops"] * 200 + ["33"] * 100}, "'age': 200 cells can't be read"),
        ({"age": ["$3,000"] * 300}, "'age': 300 cells were text"),
        ({"city": ["Tokyo"] * 300}, "'city': 300 cells have a level that is new"),
        ({"city": ["Tokyo"] * 300}, "'city' has shifted"),
        ({"income": ["1500"] * 300}, "'income' has shifted"),
        ({"income": ["1e999"] + ["1500"] * 299}, "'income': 1 cell is infinite"),
        ({"street": [f"avenue {number}" for number in range(300)]}, "'street': 300 cells have a level that is new"),
        ({"more": [1] * 300}, "'more'"),
    ],
)
def test_rows_of_another_source_do_not_fit(changes: dict[str, Any], said: str) -> None:
    lines = broken(table(5, 300, **changes))
    assert any(said in line for line in lines), lines


def test_a_few_unseen_levels_have_their_slot_and_fit() -> None:
    few = LEAST_UNSEEN - 1
    assert broken(table(5, 30, city=["Tokyo"] * few + ["Rome"] * (30 - few))) == []
    assert broken(table(5, 30, city=["Tokyo"] * (few + 1) + ["Rome"] * (29 - few))) != []


def test_a_column_that_lacks_counts_as_missing_where_that_is_asked_for() -> None:
    frame = table(7, 40)
    lacking = frame.drop("age", "city")
    with pytest.raises(ContractError, match="'age', 'city' that the model needs"):
        CLEANING.apply(lacking)
    typed, report = CLEANING.apply(lacking, fill=True)
    empty = frame.with_columns(age=pl.lit(None, pl.String), city=pl.lit(None, pl.String))
    assert typed.equals(CLEANING.apply(empty)[0])
    assert report.filled_columns == ("age", "city")
    assert "'age' is not there and counts as missing in every row." in report.sentences()
    assert report.as_dict()["filled_columns"] == ["age", "city"]


def test_a_table_without_any_column_of_the_model_is_refused_all_the_same() -> None:
    with pytest.raises(ContractError, match="lack the columns"):
        CLEANING.apply(pl.DataFrame({"x": [1]}), fill=True)


@pytest.mark.parametrize("name", ["AGE", " Age", "agee"])
def test_a_column_of_nearly_the_same_name_is_named(name: str) -> None:
    with pytest.raises(ContractError, match=f"Is '{name}' what was called 'age'"):
        CLEANING.apply(table(7, 40).rename({"age": name}))


def test_plans_keep_what_fits() -> None:
    again = CleaningPlan.from_dict(CLEANING.as_dict())
    assert again == CLEANING
    assert {column.name: set(column.usual) for column in again.used}["income"] == {"converted"}


def test_a_policy_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="'error'"):
        checked_policy("eror")
