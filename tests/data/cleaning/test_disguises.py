from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.impute import SimpleImputer

from wellfit.data.cleaning import CleaningPlan
from wellfit.data.cleaning.missing import absent_levels, is_missing_level, is_missing_number
from wellfit.data.cleaning.sentinels import sentinels
from wellfit.errors import ConfigError

DRAW = np.random.default_rng(3)


@pytest.mark.parametrize(
    "text",
    [
        *("?", " NA ", "n/a", "N.A.", "unknown", "UNKNOWN", "", " ", "-", "null", "(blank)", "<NA>", "not_available"),
        *("???", "#VALUE!", "[missing]", "Not Applicable", "notavailable", "k.A.", "\\N", "\u2014", "..", "<none>"),
    ],
)
def test_disguises_of_missing_cells(text: str) -> None:
    assert is_missing_level(text)
    assert is_missing_number(text)


@pytest.mark.parametrize("text", ["no", "other", "none", "North", "0", "A-", "+", "Miss", "ND", "No answer yet", "x"])
def test_levels_that_only_look_like_one(text: str) -> None:
    assert not is_missing_level(text)


def test_a_doubtful_word_is_judged_by_the_other_levels() -> None:
    assert absent_levels({"none": 800, "guarantor": 50, "co-applicant": 40, "?": 3}) == ((), ())
    assert absent_levels({"red": 80, "blue": 50, "none": 4, "NA": 3})[0] == ("none",)
    assert absent_levels({"red": 80, "blue": 50, "None": 4})[0] == ("None",)
    assert absent_levels({"+": 40, "-": 40, "NA": 2})[1] == ("-",)


def frame(*cells: str | None, times: int = 20) -> pl.DataFrame:
    rows = len(cells) * times
    return pl.DataFrame(
        {"a": list(cells) * times, "filler": [0.5 * row for row in range(rows)]}, schema_overrides={"a": pl.String}
    )


def test_a_word_may_be_kept_as_a_level_and_another_taken_for_missing() -> None:
    given = frame("x", "y", "unknown", "zzz")
    assert CleaningPlan.fit(given).apply(given)[0]["a"].null_count() == 20
    kept = CleaningPlan.fit(given, columns={"a": {"keep": ["unknown"], "markers": ["zzz"]}})
    assert set(kept.apply(given)[0]["a"].to_list()) == {"x", "y", "unknown", None}


def test_the_finding_counts_the_disguises_and_says_how_to_keep_them() -> None:
    found = next(finding for finding in CleaningPlan.fit(frame("x", "y", "unknown", None)).findings)
    assert found.evidence["disguised"] == 20
    assert found.evidence["cells"] == 40
    assert (found.remedies[0].path, found.remedies[0].value) == ("clean.columns.a.keep", ["unknown"])


def test_few_words_among_many_numbers_are_missing() -> None:
    cells = [str(37 * number % 1000) for number in range(80)] + ["closed"] * 20
    given = pl.DataFrame({"a": cells, "b": [0.5 * row for row in range(100)]})
    plan = CleaningPlan.fit(given)
    assert plan.columns[0].kind == "number"
    assert plan.apply(given)[0]["a"].null_count() == 20


def test_sentinels_are_proposed_and_done_when_asked_for() -> None:
    values = np.random.default_rng(0).normal(100, 10, 300).round(2)
    values[:10], values[10:15] = -999, 0
    given = pl.DataFrame({"a": values, "b": np.arange(300) * 0.5})
    plan = CleaningPlan.fit(given)
    found = [finding for finding in plan.findings if finding.code == "sentinel_values"]
    assert [(finding.evidence["cells"], finding.evidence["applied"]) for finding in found] == [
        (10, "proposed"),
        (5, "proposed"),
    ]
    assert plan.apply(given)[0]["a"].null_count() == 0
    asked = CleaningPlan.fit(
        given, columns={"a": {"markers": [*found[0].remedies[0].value, *found[1].remedies[0].value]}}
    )
    assert asked.apply(given)[0]["a"].null_count() == 15


def coded(values: np.ndarray[Any, Any], code: float, share: float) -> pl.Series:
    places = np.random.default_rng(1).random(len(values)) < share
    return pl.Series("a", np.where(places, code, values))


@pytest.mark.parametrize(
    ("code", "column"),
    [
        (-999.0, coded(DRAW.lognormal(10, 1, 2000).round(2), -999, 0.05)),
        (-999.0, coded(DRAW.integers(0, 100_000, 2000), -999, 0.05)),
        (-999.0, coded(DRAW.integers(0, 100_000, 2000), -999, 0.5)),
        (-999.0, coded(DRAW.normal(0, 3000, 2000), -999, 0.05)),
        (-1.0, coded(DRAW.integers(20, 91, 2000), -1, 0.05)),
    ],
)
def test_codes_within_a_wide_column_are_proposed(code: float, column: pl.Series) -> None:
    assert [(found.value, found.cells) for found in sentinels(column)] == [(code, (column == code).sum())]


@pytest.mark.parametrize(
    "values",
    [
        DRAW.poisson(3, 2000) - 1.0,
        DRAW.integers(-2, 3, 2000),
        DRAW.normal(0, 300, 5000).round(),
        DRAW.uniform(-180, 180, 2000).round(),
        [0.0] * 200 + list(range(1, 100)),
        list(range(-50, 50)),
        [0.0] * 10 + [0.1 * number for number in range(1, 90)],
        [99.0] * 5 + [float(number) for number in range(60, 99)],
        [1.0, 2.0, 3.0] * 40,
    ],
)
def test_numbers_that_are_no_sentinels(values: Any) -> None:
    assert list(sentinels(pl.Series("a", values, strict=False).cast(pl.Float64))) == []


@pytest.mark.parametrize("name", ["mean", "median", "most_frequent", "constant"])
def test_fills_are_scikit_learns(name: str) -> None:
    values = np.random.default_rng(1).integers(0, 9, 200).astype(float)
    values[::7] = np.nan
    given = pl.DataFrame({"a": pl.Series(values, nan_to_null=True), "b": np.arange(200) * 0.5})
    missing = {"name": name, "value": -1.0} if name == "constant" else name
    plan = CleaningPlan.fit(given, columns={"a": {"missing": missing}})
    expected = SimpleImputer(strategy=name, fill_value=-1.0).fit_transform(values[:, None])[:, 0]
    typed, _ = plan.apply(given)
    np.testing.assert_allclose(typed["a"].to_numpy(), expected, rtol=1e-12)
    assert typed["a is missing"].to_list() == np.isnan(values).astype(float).tolist()
    again = CleaningPlan.from_dict(plan.as_dict())
    assert again.apply(pl.DataFrame({"a": [None], "b": [1.0]}))[0]["a"].item() == pytest.approx(expected[0])


def test_categories_are_filled_by_the_most_frequent_and_have_no_mean() -> None:
    given = frame("x", "x", "y", None)
    typed, _ = CleaningPlan.fit(given, missing="most_frequent").apply(given)
    assert typed["a"].to_list()[:4] == ["x", "x", "y", "x"]
    without = CleaningPlan.fit(given, missing={"name": "most_frequent", "indicator": False})
    assert without.apply(given)[0].columns == ["a", "filler"]
    assert CleaningPlan.fit(given, missing="mean").apply(given)[0]["a"].null_count() == 20
    with pytest.raises(ConfigError, match="'a' has no mean"):
        CleaningPlan.fit(given, columns={"a": {"missing": "mean"}})
    with pytest.raises(ConfigError, match="needs a value with constant"):
        CleaningPlan.fit(given, missing="constant")
