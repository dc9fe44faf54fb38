from __future__ import annotations

import json
import math
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from wellfit.data.cleaning import CleaningPlan
from wellfit.errors import BadInput, ConfigError, ContractError, DataError


def kinds(frame: pl.DataFrame, **settings: Any) -> dict[str, str]:
    return {column.name: column.kind for column in CleaningPlan.fit(frame, **settings).columns}


def text(*cells: str | None, times: int = 20) -> pl.Series:
    return pl.Series(list(cells) * times, dtype=pl.String)


def with_filler(**columns: pl.Series) -> pl.DataFrame:
    height = len(next(iter(columns.values())))
    return pl.DataFrame({**columns, "filler": [0.5, 1.5, *([2.5] * (height - 2))]})


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (text("1", "2", "?", None, " 3 "), "number"),
        (text("1,234", "2,500.5"), "number"),
        (text("$1", "$2,000"), "number"),
        (text("45%", "3 %"), "number"),
        (text("0,5", "1,25"), "number"),
        (text("unknown", "1", "none", "2"), "number"),
        (text("02115", "10001", "90210"), "category"),
        (text("a", "b", "none"), "category"),
        (text("1", "2", "x"), "category"),
        (text("true", "FALSE"), "category"),
        (text("2019-03-23", "2019-03-24"), "datetime"),
        (text("3/23/2019", "3/24/2019", ""), "datetime"),
        (text("23.03.2019 10:00", "24.03.2019 11:30"), "datetime"),
        (text("2019-03-23T10:00:00Z", "2019-03-24T10:00:00+02:00"), "datetime"),
        (text("10:30", "11:45"), "category"),
        (text("inf", "1", "2"), "number"),
        (pl.Series([1, 2, 3] * 20), "number"),
        (pl.Series([True, False] * 20), "category"),
        (pl.Series([date(2020, 1, 1), date(2020, 1, 2)] * 20), "datetime"),
        (text("?", "", None), "drop"),
        (text("7"), "drop"),
        (text("x"), "drop"),
        (text("x", None), "category"),
        (pl.Series([math.nan, None] * 20), "drop"),
    ],
)
def test_what_a_column_is(cells: pl.Series, kind: str) -> None:
    assert kinds(with_filler(x=cells))["x"] == kind


def numbered(*numbers: int) -> pl.Series:
    return pl.Series([str(number) for number in numbers])


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("c0", numbered(*range(100)), "drop"),
        ("c0", numbered(*np.random.default_rng(0).permutation(160)[:100]), "drop"),
        ("PassengerId", numbered(*range(0, 100_000, 1000)), "drop"),
        ("PID", numbered(*(number**3 for number in range(100))), "drop"),
        ("population", numbered(*(number**3 for number in range(100))), "number"),
        ("age", numbered(*range(20, 30)), "number"),
        ("rownames", numbered(*range(10)), "drop"),
        ("x", pl.Series(np.arange(100.0)), "number"),
        ("id", pl.Series(np.arange(100.0)), "number"),
        ("x", pl.Series([f"{number}.0" for number in range(100)]), "number"),
        ("store_id", numbered(*([1, 2, 3, 4] * 25)), "category"),
        ("zip", numbered(*([2115, 90210] * 50)), "category"),
        ("x", pl.Series([f"name {number}" for number in range(100)]), "drop"),
        ("x", pl.Series([f"name {number}" for number in range(10)]), "drop"),
        ("x", pl.Series([f"city {number // 2 if number < 60 else number}" for number in range(100)]), "drop"),
        ("x", pl.Series([f"city {number // 3}" for number in range(300)]), "category"),
    ],
)
def test_identifiers_are_dropped_and_mere_coincidence_is_not(name: str, cells: pl.Series, kind: str) -> None:
    frame = with_filler(**{name: cells})
    plan = CleaningPlan.fit(frame)
    assert plan.columns[0].kind == kind
    if kind == "drop":
        assert [finding.code for finding in plan.findings if finding.where == name] == ["id_column"]


def test_free_text_that_is_often_missing_is_kept_as_whether_it_is_given() -> None:
    cabins = pl.Series([f"C{number}" if number % 3 == 0 else None for number in range(300)])
    plan = CleaningPlan.fit(with_filler(cabin=cabins))
    typed, _ = plan.apply(with_filler(cabin=pl.Series(["Z9", None])))
    assert typed["cabin"].to_list() == ["given", None]


def test_what_was_found_is_said_with_counts() -> None:
    frame = with_filler(
        price=text("$1,000", "12", None, "inf", times=10), gone=text("?", times=40), state=text("a", "b", times=20)
    ).cast(pl.String)
    found = {(finding.code, finding.where): finding for finding in CleaningPlan.fit(frame).findings}
    assert set(found) == {
        ("missing_values", "price"),
        ("infinite_values", "price"),
        ("numbers_as_text", "price"),
        ("constant_column", "gone"),
    }
    assert found["numbers_as_text", "price"].evidence["cells"] == 10
    assert found["missing_values", "price"].evidence["cells"] == 10
    assert all(finding.severity == "info" for finding in found.values())


def test_text_numbers_of_a_typed_source_are_found() -> None:
    frame = pl.DataFrame({"a": ["1", "2", "3"], "b": [0.5, 1.0, 2.0]})
    assert [finding.code for finding in CleaningPlan.fit(frame).findings] == ["numbers_as_text"]
    assert not CleaningPlan.fit(frame.cast(pl.String)).findings


def test_a_person_may_say_what_a_column_is() -> None:
    frame = with_filler(a=numbered(*range(100)), b=text("1", "2", times=50), c=text("x", "y", times=50))
    columns = {"a": {"type": "number"}, "b": {"type": "category"}, "c": "drop"}
    assert kinds(frame, columns=columns) == {"a": "number", "b": "category", "c": "drop", "filler": "number"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"columns": {"age": "category"}}, "name columns of the table"),
        ({"columns": {"a": {"type": "categorical"}}}, "Did you mean 'category'"),
        ({"types": "corect"}, "Did you mean 'correct'"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        CleaningPlan.fit(pl.DataFrame({"a": ["x", "y"]}), **settings)


def test_types_may_be_kept() -> None:
    frame = with_filler(a=text("$1", "$2"), b=text("1", "2"))
    assert kinds(frame, types="keep") == {"a": "category", "b": "number", "filler": "number"}


def test_nothing_of_use_is_an_error_that_says_why() -> None:
    frame = pl.DataFrame({"id": ["1", "2", "3"], "name": ["a", "b", "c"], "one": ["x", "x", "x"]})
    with pytest.raises(DataError, match=r"'id'.*identifies rows.*'name'.*another text.*'one'.*one value"):
        CleaningPlan.fit(frame)
    with pytest.raises(DataError, match="must not be empty"):
        CleaningPlan.fit(frame.clear())


def test_nested_cells_are_refused() -> None:
    with pytest.raises(DataError, match="'a' must hold single values"):
        CleaningPlan.fit(pl.DataFrame({"a": [[1], [2]]}))


def dirty() -> pl.DataFrame:
    rows = 300
    random = np.random.default_rng(1)
    return pl.DataFrame(
        {
            "age": [str(number) if number % 7 else "?" for number in random.integers(18, 90, rows)],
            "price": [f"{number:,}" for number in random.integers(100, 99_999, rows)],
            "job": random.choice([" clerk", "smith ", "cook", "?"], rows),
            "day": [f"2019-03-{number:02d}" for number in random.integers(1, 28, rows)],
            "code": random.choice(["01", "02", "10"], rows),
            "member": random.choice(["True", "False"], rows),
            "row_id": [str(number) for number in range(rows)],
        }
    )


def test_a_plan_is_json_and_comes_back_the_same() -> None:
    frame = dirty()
    plan = CleaningPlan.fit(frame)
    again = CleaningPlan.from_dict(json.loads(json.dumps(plan.as_dict(), allow_nan=False)))
    assert again == plan
    assert again.apply(frame)[0].equals(plan.apply(frame)[0])


def test_training_rows_are_read_once_as_they_are_read_again() -> None:
    for settings in ({}, {"missing": "most_frequent"}, {"missing": {"name": "median", "indicator": False}}):
        plan, typed = CleaningPlan.fit_apply(dirty(), **settings)
        assert typed.equals(plan.apply(dirty())[0])
        assert plan == CleaningPlan.fit(dirty(), **settings)


def test_one_row_is_read_as_all_rows_are() -> None:
    frame = dirty()
    plan = CleaningPlan.fit(frame)
    whole, _ = plan.apply(frame)
    single = pl.concat([plan.apply(frame[row])[0] for row in range(0, 300, 17)])
    assert single.equals(whole[list(range(0, 300, 17))])


def test_new_rows_are_read_whatever_their_source_made_of_them() -> None:
    plan = CleaningPlan.fit(dirty())
    rows = pl.DataFrame(
        {
            "extra": [1, 2, 3],
            "member": [True, None, False],
            "job": ["smith", "pilot", None],
            "code": ["01", "1", "10"],
            "day": [date(2019, 3, 4), None, date(2020, 1, 1)],
            "price": [1234, None, 7],
            "age": ["$1,000", "old", "inf"],
        }
    )
    typed, report = plan.apply(rows)
    assert typed.columns == ["age", "price", "job", "day", "code", "member"]
    assert typed["age"].to_list() == [1000.0, None, None]
    assert typed["member"].to_list() == ["true", None, "false"]
    assert typed["code"].to_list() == ["01", "1", "10"]
    assert report.extra_columns == ("extra",)
    assert report.missing_columns == ("row_id",)
    assert report.columns["age"].counts() == {"unparsed": 1, "converted": 1, "infinite": 1}
    assert "'age': 1 cell can't be read and counts as missing (such as 'old')." in report.sentences()
    assert json.dumps(report.as_dict())


def test_text_where_numbers_were_typed_is_reported() -> None:
    plan = CleaningPlan.fit(pl.DataFrame({"a": [1.5, 2.5, 3.5]}))
    _, report = plan.apply(pl.DataFrame({"a": ["1.5", "7", None]}))
    assert report.columns["a"].counts() == {"missing": 1, "converted": 2}


def test_missing_columns_are_one_error_that_names_them() -> None:
    plan = CleaningPlan.fit(dirty())
    with pytest.raises(ContractError, match="The rows lack the columns 'age', 'day' that the model needs"):
        plan.apply(dirty().drop("age", "day"))


def test_cells_of_the_wrong_kind_are_refused_by_name() -> None:
    plan = CleaningPlan.fit(dirty())
    with pytest.raises(BadInput, match="'age'"):
        plan.apply(dirty().with_columns(age=pl.lit([1, 2])))
    with pytest.raises(BadInput, match="'age'"):
        plan.apply(dirty().with_columns(age=pl.lit(date(2020, 1, 1))))


def test_only_the_rows_that_were_given_are_learned_from() -> None:
    frame = dirty()
    train = frame.head(200)
    plan = CleaningPlan.fit(train)
    plan.apply(frame.tail(100).with_columns(pl.lit("zzz").alias("age"), pl.lit("new").alias("job")))
    assert CleaningPlan.fit(train).as_dict() == plan.as_dict()
