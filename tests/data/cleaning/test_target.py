from __future__ import annotations

import json
import math
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import LabelEncoder, StandardScaler

from wellfit.data.cleaning import TargetPlan, class_labels, rows_without_target
from wellfit.errors import BadInput, ConfigError, DataError


def target(cells: list[Any], times: int = 1) -> pl.Series:
    return pl.Series("y", cells * times)


@pytest.mark.parametrize(
    ("cells", "task", "classes"),
    [
        (["a", "b"] * 10, "binary", ("a", "b")),
        (["a", "b", "c"] * 10, "multiclass", ("a", "b", "c")),
        (["0", "1"] * 10, "binary", (0, 1)),
        ([True, False] * 10, "binary", (False, True)),
        (["True", "False"] * 10, "binary", (False, True)),
        ([1.0, 2.0] * 10, "binary", (1.0, 2.0)),
        ([1, 2] * 10, "binary", (1, 2)),
        ([0.5, 1.5] * 10, "binary", (0.5, 1.5)),
        (["3", "10", "1"] * 30, "multiclass", (1, 3, 10)),
        ([1, 2, 3] * 5, "multiclass", (1, 2, 3)),
        ([1, 2, 3], "regression", ()),
        ([10, 20, 35] * 5, "regression", ()),
        (list(range(100)), "regression", ()),
        (["1.5", "2", "3.25"] * 100, "regression", ()),
        (["$1,000", "$2,500", "$900"] * 5, "regression", ()),
        (["01", "02", "03"] * 10, "multiclass", ("01", "02", "03")),
        (["1", "2", "N"] * 10, "multiclass", ("1", "2", "N")),
    ],
)
def test_the_task_is_inferred(cells: list[Any], task: str, classes: tuple[Any, ...]) -> None:
    plan = TargetPlan.fit(target(cells))
    assert (plan.task, plan.classes) == (task, classes)
    assert [type(value) for value in plan.classes] == [type(value) for value in classes]


def test_the_task_can_be_stated() -> None:
    assert TargetPlan.fit(target([3, 4, 5] * 100), "regression").task == "regression"
    assert TargetPlan.fit(target([10, 20, 35] * 3), "multiclass").classes == (10, 20, 35)
    assert TargetPlan.fit(target(["a", "b"] * 3), "multiclass").task == "multiclass"
    assert TargetPlan.fit(target([True, False]), "regression").mean == 0.5


@pytest.mark.parametrize(
    ("cells", "task", "words"),
    [
        ([None, None], "auto", "must have values"),
        (["?", ""], "auto", "must have values"),
        (["a", "a", None], "auto", "two different values"),
        ([1.5, 1.5], "regression", "two different values"),
        (["a ", "a"], "auto", "two different values"),
        ([f"name {number}" for number in range(100)], "auto", "fewer classes than half its rows"),
        (["a", "b", "c"], "binary", "must have two classes"),
        (["a", "b", "c"], "regression", "must be a number in every row"),
        ([*map(str, range(100)), "abc"], "auto", "must be a number in every row"),
        ([1.0, 2.5, math.inf], "auto", "must be finite"),
        (["1.5", "2.5", "3.25", "inf"], "auto", "must be finite"),
        ([date(2020, 1, 1), date(2020, 1, 2)], "auto", "must be classes or numbers"),
        ([[1], [2]], "auto", "must hold single values"),
    ],
)
def test_what_can_not_be_learned_is_one_clear_error(cells: list[Any], task: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        TargetPlan.fit(target(cells), task)


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'regression'"):
        TargetPlan.fit(target([1, 2]), "regresion")


def test_ids_are_scikit_learns() -> None:
    labels = np.random.default_rng(0).choice(["b", "a", "C", "d e"], 100)
    ids, report = (plan := TargetPlan.fit(target(labels.tolist()))).encode(target(labels.tolist()))
    encoder = LabelEncoder().fit(labels)
    assert ids.tolist() == encoder.transform(labels).tolist()
    assert list(plan.classes) == encoder.classes_.tolist()
    assert plan.decode(ids).tolist() == labels.tolist()
    assert plan.counts == tuple(np.bincount(ids))
    assert not report.sentences()


def test_standardised_numbers_are_scikit_learns() -> None:
    values = np.random.default_rng(0).lognormal(size=100) * 1e5
    plan = TargetPlan.fit(target(values.tolist()))
    encoded, _ = plan.encode(target(values.tolist()))
    expected = StandardScaler().fit_transform(values[:, None])[:, 0]
    assert encoded.dtype == np.float32
    np.testing.assert_allclose(encoded, expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(plan.decode(encoded), values, rtol=1e-5)


def test_labels_match_in_spite_of_blanks_case_quotes_and_a_point() -> None:
    plan = TargetPlan.fit(target(["<=50K", ">50K"] * 5))
    ids, report = plan.encode(target([" <=50K.", ">50K.", ">50k", "'>50K'", "50K", "?", None, ">50K"]))
    assert ids.tolist() == [0, 1, 1, 1, -1, -1, -1, 1]
    assert (report.matched, report.unknown, report.missing) == (4, 1, 2)
    assert len(report.sentences()) == 3


def test_a_label_that_folding_makes_ambiguous_is_unknown() -> None:
    plan = TargetPlan.fit(target(["a", "A", "b"] * 5))
    assert plan.encode(target(["a", "A", "a.", "B"]))[0].tolist() == [plan.classes.index("a"), 0, -1, 2]


@pytest.mark.parametrize("cells", [["1", "2"], [1, 2], [1.0, 2.0], ["1.0", " 2"]])
def test_numbered_classes_match_every_type(cells: list[Any]) -> None:
    for learned in (["1", "2"], [1, 2], [1.0, 2.0]):
        assert TargetPlan.fit(target(learned, 5)).encode(target(cells))[0].tolist() == [0, 1]


def test_numbers_that_do_not_parse_are_counted() -> None:
    plan = TargetPlan.fit(target(["1,000.5", "2,000", "10"]))
    values, report = plan.encode(target(["1,000.5", "abc", "?", "inf"]))
    assert np.isnan(values).tolist() == [False, True, True, True]
    assert (report.unknown, report.missing, report.examples) == (2, 1, {"unknown": "abc"})


def test_a_target_far_outside_stays_finite() -> None:
    plan = TargetPlan.fit(target([0.0, 0.25, 1.0]))
    assert np.isfinite(plan.encode(target([1e99, -1e99]))[0]).all()


@pytest.mark.parametrize("cells", [["a", "b"], [1, 5], [1.5, 2.5, 7.25], [True, False], [0.1, 0.2]])
def test_a_plan_is_json_and_comes_back_the_same(cells: list[Any]) -> None:
    plan = TargetPlan.fit(target(cells, 4))
    again = TargetPlan.from_dict(json.loads(json.dumps(plan.as_dict(), allow_nan=False)))
    assert again == plan
    assert again.encode(target(cells))[0].tolist() == plan.encode(target(cells))[0].tolist()


def test_rows_without_a_target() -> None:
    frame = pl.DataFrame({"y": ["1", "NA", "", None, "none"], "z": [1.0, None, math.nan, 2.0, 3.0]})
    assert rows_without_target(frame, "y").tolist() == [False, True, True, True, False]
    assert rows_without_target(frame, "z").tolist() == [False, True, True, False, False]


def test_strata_of_classes_and_none_of_numbers() -> None:
    labels = class_labels(target(["b", "a", None, " a"], 5))
    assert labels is not None
    assert labels[:4].tolist() == [1, 0, -1, 0]
    assert class_labels(target([0.5, 1.5, 2.5])) is None


cells = st.one_of(
    st.lists(st.one_of(st.none(), st.integers(-(2**62), 2**62)), max_size=30),
    st.lists(st.one_of(st.none(), st.floats()), max_size=30),
    st.lists(
        st.one_of(st.none(), st.sampled_from(["a", "A", "1", "1.0", "01", "?", "inf", "1e400"]), st.text()), max_size=30
    ),
    st.lists(st.one_of(st.none(), st.booleans()), max_size=30),
)


@given(cells, st.sampled_from(["auto", "binary", "multiclass", "regression"]))
def test_hostile_targets_are_learned_or_refused(values: list[Any], task: str) -> None:
    series = pl.Series("y", values, strict=False)
    try:
        plan = TargetPlan.fit(series, task)
    except BadInput:
        return
    encoded, report = plan.encode(series)
    absent = rows_without_target(series.to_frame(), "y")
    assert len(encoded) == len(series)
    assert report.unknown == 0
    assert (encoded[~absent] >= 0).all() if plan.classes else np.isfinite(encoded[~absent]).all()
    assert TargetPlan.from_dict(json.loads(json.dumps(plan.as_dict(), allow_nan=False))) == plan
