"""Groups, times and folds: dealt as scikit-learn deals them, and nothing in two parts."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from sklearn.model_selection import GroupKFold, GroupShuffleSplit, KFold, StratifiedKFold, TimeSeriesSplit

from wellfit.data.splitting import Split, fold_rows, split_rows
from wellfit.errors import ConfigError, DataError

ROWS = 240


def visits(seed: int = 0, rows: int = ROWS) -> pl.DataFrame:
    """Patients with several visits each, at different times, in no order."""
    random = np.random.default_rng(seed)
    start = datetime(2020, 1, 1)
    return pl.DataFrame(
        {
            "patient": [f"p{number:03}" for number in random.integers(0, 40, rows)],
            "at": [str(start + timedelta(hours=int(hour))) for hour in random.permutation(rows * 5)[:rows]],
            "x": random.normal(size=rows),
            "y": random.choice(["no", "yes"], rows, p=[0.7, 0.3]),
        }
    )


def everyone(split: Split) -> list[int]:
    return sorted([*split.train, *split.valid, *split.test])


def test_groups_are_dealt_as_scikit_learn_does() -> None:
    frame = visits()
    groups, rows = frame["patient"].to_numpy(), np.arange(ROWS)
    rest, test = next(GroupShuffleSplit(1, test_size=0.2, random_state=42).split(rows, groups=groups))
    train, valid = next(GroupShuffleSplit(1, test_size=0.2, random_state=42).split(rest, groups=groups[rest]))
    split = split_rows(frame, target="y", method="group", column="patient")
    assert split.method == "group"
    assert split.test.tolist() == sorted(test)
    assert split.valid.tolist() == sorted(rest[valid])
    assert split.train.tolist() == sorted(rest[train])


@pytest.mark.parametrize("seed", range(5))
def test_no_group_is_in_two_parts(seed: int) -> None:
    frame = visits(seed)
    split = split_rows(frame, target="y", method="group", column="patient", seed=seed)
    patients = [set(frame["patient"][part.tolist()]) for part in (split.train, split.valid, split.test)]
    assert all(patients)
    assert not patients[0] & patients[1] | patients[0] & patients[2] | patients[1] & patients[2]
    assert everyone(split) == list(range(ROWS))


@pytest.mark.parametrize("dtype", [pl.Int64, pl.Float64, pl.Categorical])
def test_groups_may_be_of_any_type(dtype: pl.DataType) -> None:
    codes = [str(number % 20) for number in range(100)]
    frame = pl.DataFrame({"g": pl.Series(codes), "y": ["a", "b"] * 50}).with_columns(
        pl.col("g").cast(pl.Int64).cast(dtype) if dtype != pl.Categorical else pl.col("g").cast(dtype)
    )
    split = split_rows(frame, target="y", method="group", column="g")
    assert {row % 20 for row in split.train}.isdisjoint({row % 20 for row in split.test})


def test_rows_without_a_group_are_groups_of_their_own() -> None:
    frame = pl.DataFrame({"g": ["a"] * 30 + [None] * 30 + ["?"] * 30, "y": [0, 1] * 45})
    split = split_rows(frame, target="y", method="group", column="g")
    assert any(note.startswith("60 rows have no group") for note in split.notes)
    parts = {part: [row for row in getattr(split, part) if row < 30] for part in ("train", "valid", "test")}
    assert sorted(map(len, parts.values())) == [0, 0, 30]
    assert len({part for part in parts if any(row >= 30 for row in getattr(split, part))}) == 3


def test_groups_of_unlike_sizes_are_told() -> None:
    frame = pl.DataFrame({"g": [str(row) if row < 9 else "big" for row in range(900)], "y": [0, 1] * 450})
    notes = {
        note for seed in range(8) for note in split_rows(frame, target="y", method="group", column="g", seed=seed).notes
    }
    assert any(note.startswith("Groups are dealt whole and differ in size: 20% of them have") for note in notes)


def test_too_few_groups_are_one_sentence() -> None:
    frame = pl.DataFrame({"g": ["a"] * 10 + ["b"] * 10, "y": [0, 1] * 10})
    alone = pl.DataFrame({"g": ["a"] * 20, "y": [0, 1] * 10})
    with pytest.raises(DataError, match=r"must have a group of 'g'\. Got '1 group for 3 parts'"):
        split_rows(alone, target="y", method="group", column="g")
    with pytest.raises(DataError, match=r"must have a group of 'g'\. Got '2 groups for 3 parts'"):
        split_rows(frame, target="y", method="group", column="g")
    with pytest.raises(DataError, match=r"Each of 3 folds must have a group of 'g'\. Got '2 groups'"):
        fold_rows(frame, target="y", method="group", column="g", folds=3, test=0)


def test_later_rows_validate_and_the_latest_test() -> None:
    frame = visits()
    split = split_rows(frame, target="y", method="time", column="at")
    times = frame["at"].str.to_datetime().to_numpy()
    ends = [(times[part].min(), times[part].max()) for part in (split.train, split.valid, split.test)]
    assert all(before[1] < after[0] for before, after in pairwise(ends))
    assert [len(split.train), len(split.valid), len(split.test)] == [153, 39, 48]
    assert everyone(split) == list(range(ROWS))


@pytest.mark.parametrize(
    "cells",
    [
        [str(number) for number in range(100)],
        [f"{1900 + number}" for number in range(100)],
        [f"{number % 28 + 1:02}.{number // 28 + 1:02}.2020" for number in range(100)],
        list(range(100)),
        [datetime(2020, 1, 1) + timedelta(days=number) for number in range(100)],
        [(datetime(2020, 1, 1) + timedelta(days=number)).date() for number in range(100)],
        [timedelta(days=number) for number in range(100)],
        [number / 7 - 5 for number in range(100)],
    ],
)
def test_times_are_dates_or_numbers(cells: list[object]) -> None:
    order = np.random.default_rng(0).permutation(100)
    frame = pl.DataFrame({"t": [cells[place] for place in order], "y": [0, 1] * 50})
    split = split_rows(frame, target="y", method="time", column="t")
    assert sorted(order[split.test]) == list(range(80, 100))
    assert sorted(order[split.valid]) == list(range(64, 80))


def test_rows_of_one_moment_are_never_divided() -> None:
    frame = pl.DataFrame({"t": [number // 30 for number in range(300)], "y": [0, 1] * 150})
    split = split_rows(frame, target="y", method="time", column="t", test=0.17, valid=0.21)
    days = [{row // 30 for row in part.tolist()} for part in (split.train, split.valid, split.test)]
    assert days == [{0, 1, 2, 3, 4, 5}, {6, 7}, {8, 9}]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            ["2020-01-01", "2020-01-02", "soon", "2020-01-03", "2020-01-05"],
            "every row, as a date or a number. Got 'soon'",
        ),
        (["2020-01-01", "2020-01-02", None, "2020-01-03", "2020-01-05"], "Got 'an empty cell'"),
        ([1.0, 2.0, float("nan"), 3.0, 4.0], "as a date or a number"),
        ([7, 7, 7, 7, 7], "Got '5 rows of one moment to divide'"),
        ([[1]] * 5, "must hold single values"),
    ],
)
def test_times_that_cannot_be_told_are_one_sentence(cells: list[object], message: str) -> None:
    frame = pl.DataFrame({"t": cells, "y": [0, 1, 0, 1, 0]}, strict=False)
    with pytest.raises(DataError, match=message):
        split_rows(frame, target="y", method="time", column="t")


@pytest.mark.parametrize("method", ["group", "time"])
def test_methods_that_need_a_column_say_so(method: str) -> None:
    with pytest.raises(ConfigError, match=f"'split.method: {method}' needs the name of the column"):
        split_rows(visits(), target="y", method=method)
    with pytest.raises(ConfigError, match="Did you mean 'patient'"):
        split_rows(visits(), target="y", method=method, column="patients")
    with pytest.raises(ConfigError, match="another column than the target"):
        split_rows(visits(), target="y", method=method, column="y")


def test_folds_are_scikit_learns() -> None:
    frame = visits()
    rows, labels, groups = np.arange(ROWS), frame["y"].to_numpy(), frame["patient"].to_numpy()
    ordered = np.argsort(frame["at"].to_numpy())
    authorities = {
        "random": (None, KFold(4, shuffle=True, random_state=1).split(rows)),
        "stratified": (None, StratifiedKFold(4, shuffle=True, random_state=1).split(rows, labels)),
        "group": ("patient", GroupKFold(4).split(rows, groups=groups)),
    }
    for method, (column, parts) in authorities.items():
        splits = fold_rows(frame, target="y", folds=4, method=method, test=0, seed=1, column=column)
        for split, (train, valid) in zip(splits, parts, strict=True):
            assert (split.train.tolist(), split.valid.tolist()) == (train.tolist(), valid.tolist())
    splits = fold_rows(frame, target="y", folds=4, method="time", test=0, column="at")
    for split, (train, valid) in zip(splits, TimeSeriesSplit(4).split(rows), strict=True):
        assert split.train.tolist() == sorted(ordered[train])
        assert split.valid.tolist() == sorted(ordered[valid])


@pytest.mark.parametrize("method", ["auto", "random", "stratified", "group"])
@pytest.mark.parametrize("folds", [2, 5])
def test_each_row_validates_once_and_test_rows_are_the_same(method: str, folds: int) -> None:
    frame = visits()
    column = "patient" if method == "group" else None
    splits = fold_rows(frame, target="y", folds=folds, method=method, column=column)
    test = split_rows(frame, target="y", method=method, column=column).test.tolist()
    assert all(split.test.tolist() == test for split in splits)
    assert sorted([*test, *np.concatenate([split.valid for split in splits])]) == list(range(ROWS))
    assert all(everyone(split) == list(range(ROWS)) for split in splits)


def test_folds_in_time_divide_no_moment() -> None:
    frame = pl.DataFrame({"t": [number // 7 for number in range(100)], "y": [0, 1] * 50})
    for split in fold_rows(frame, target="y", method="time", column="t", folds=4, test=0.2):
        days = [{row // 7 for row in part.tolist()} for part in (split.train, split.valid)]
        assert max(days[0]) < min(days[1])


def test_a_column_split_is_folded_over_all_but_its_test_rows() -> None:
    frame = pl.DataFrame({"x": range(30), "y": [0, 1] * 15, "part": ["train"] * 18 + ["valid"] * 6 + ["test"] * 6})
    splits = fold_rows(frame, target="y", folds=3, column="part")
    assert sorted(np.concatenate([split.valid for split in splits])) == list(range(24))
    assert all(split.test.tolist() == list(range(24, 30)) for split in splits)


@pytest.mark.parametrize("folds", [1, 101])
def test_impossible_numbers_of_folds_are_refused(folds: int) -> None:
    with pytest.raises(ConfigError, match=r"'split.folds' must be in \[2, 100\]"):
        fold_rows(visits(), target="y", folds=folds)


@pytest.mark.parametrize("method", ["auto", "random", "stratified"])
def test_too_few_rows_for_the_folds_are_one_sentence(method: str) -> None:
    with pytest.raises(DataError, match="Each fold must have a row"):
        fold_rows(visits(rows=6), target="y", method=method, folds=6)


def test_small_classes_are_folded_all_the_same() -> None:
    frame = pl.DataFrame({"x": range(20), "y": ["a"] * 17 + ["b"] * 3})
    splits = fold_rows(frame, target="y", folds=5, method="stratified", test=0)
    assert sorted(np.concatenate([split.valid for split in splits])) == list(range(20))
    rare = pl.DataFrame({"x": range(20), "y": [str(number // 2) for number in range(20)]})
    splits = fold_rows(rare, target="y", folds=5, method="stratified", test=0)
    assert all("drawn at random" in split.notes[0] for split in splits)
