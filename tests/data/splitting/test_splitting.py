from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.model_selection import train_test_split

from wellfit.data.splitting import METHODS, SPLITS, split_rows
from wellfit.errors import ConfigError, DataError


def table(rows: int = 200, classes: int = 3, seed: int = 0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    return pl.DataFrame({"x": random.normal(size=rows), "y": random.integers(0, classes, rows).astype(str)})


def test_the_split_is_scikit_learns() -> None:
    frame = table(rows=500)
    rows, labels = np.arange(500), frame["y"].to_numpy()
    rest, test = train_test_split(rows, test_size=0.2, random_state=42, stratify=labels)
    train, valid = train_test_split(rest, test_size=0.16 / 0.8, random_state=42, stratify=labels[rest])
    split = split_rows(frame, target="y")
    assert split.method == "stratified"
    assert split.train.tolist() == sorted(train)
    assert split.valid.tolist() == sorted(valid)
    assert split.test.tolist() == sorted(test)


def test_a_random_split_is_scikit_learns() -> None:
    frame = pl.DataFrame({"x": range(101), "y": np.linspace(0, 1, 101)})
    rest, test = train_test_split(np.arange(101), test_size=0.2, random_state=7)
    split = split_rows(frame, target="y", seed=7)
    assert split.method == "random"
    assert split.test.tolist() == sorted(test)
    assert len(split.train) + len(split.valid) == len(rest)


@pytest.mark.parametrize("rows", [3, 4, 5, 7, 10, 11, 37])
@pytest.mark.parametrize("classes", [1, 2, 5])
def test_small_tables_leave_no_part_empty_and_no_row_out(rows: int, classes: int) -> None:
    split = split_rows(table(rows, classes), target="y", method="stratified")
    assert min(len(split.train), len(split.valid), len(split.test)) > 0
    assert sorted([*split.train, *split.valid, *split.test]) == list(range(rows))


@pytest.mark.parametrize(("rows", "test"), [(2, 0.2), (1, 0.2), (0, 0.2), (1, 0.0)])
def test_too_few_rows_are_one_clear_error(rows: int, test: float) -> None:
    with pytest.raises(DataError, match="A split needs at least"):
        split_rows(table(rows), target="y", test=test)


def test_no_test_rows_when_none_are_wanted() -> None:
    split = split_rows(table(50), target="y", test=0)
    assert len(split.test) == 0
    assert len(split.valid) == 8


def test_a_class_of_one_row_trains_and_is_noted() -> None:
    frame = table(300).with_columns(y=pl.when(pl.int_range(300) == 11).then(pl.lit("rare")).otherwise(pl.col("y")))
    split = split_rows(frame, target="y")
    assert 11 in split.train
    assert split.method == "stratified"
    assert any("single row" in note for note in split.notes)


def test_more_classes_than_test_rows_fall_back_to_a_random_draw() -> None:
    frame = pl.DataFrame({"x": range(20), "y": [str(number // 2) for number in range(20)]})
    split = split_rows(frame, target="y", method="stratified")
    assert any("drawn at random" in note for note in split.notes)
    assert len(split.test) == 4


def test_the_split_looks_only_at_rows_and_classes() -> None:
    frame = table(120)
    other = frame.with_columns(x=-frame["x"] * 1000)
    first, second = split_rows(frame, target="y"), split_rows(other, target="y")
    assert first.train.tolist() == second.train.tolist()
    assert first.test.tolist() == second.test.tolist()


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ({"method": "stratifed"}, "Did you mean 'stratified'"),
        ({"test": 1.0}, "split.test"),
        ({"valid": 0.0}, "split.valid"),
        ({"valid": 0.9}, "split.valid"),
        ({"seed": -1}, "split.seed"),
        ({"method": "column"}, "split.column"),
        ({"column": "part"}, "split.column"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, object], rule: str) -> None:
    with pytest.raises(ConfigError, match=rule):
        split_rows(table(), target="y", **settings)  # type: ignore[arg-type]


def test_numbers_are_not_stratified() -> None:
    frame = pl.DataFrame({"y": np.linspace(0, 1, 100)})
    with pytest.raises(ConfigError, match="needs a target of classes"):
        split_rows(frame, target="y", method="stratified")


def test_a_column_names_the_split() -> None:
    frame = table(6).with_columns(part=pl.Series(["train", "TRAIN ", "val", "Validation", "test", "testing"]))
    split = split_rows(frame, target="y", column="part")
    assert split.method == "column"
    assert (split.train.tolist(), split.valid.tolist(), split.test.tolist()) == ([0, 1], [2, 3], [4, 5])


def test_rows_of_a_column_split_never_straddle() -> None:
    frame = pl.DataFrame(
        {
            "x": [1.0, None, 2.0, None, 3.0, 3.0, 4.0, 4.0],
            "y": ["a", "b", "a", "b", "a", "a", "b", "b"],
            "part": ["train", "train", "valid", "valid", "valid", "test", "test", "test"],
        }
    )
    split = split_rows(frame, target="y", method="column", column="part")
    assert split.valid.tolist() == [2, 4]
    assert split.test.tolist() == [6, 7]
    assert any(note.startswith("2 rows stand in more than one split") for note in split.notes)


def test_validation_is_drawn_where_the_column_names_none() -> None:
    frame = table(100).with_columns(part=pl.Series(["train"] * 80 + ["test"] * 20))
    split = split_rows(frame, target="y", column="part")
    assert len(split.valid) == 16
    assert split.test.tolist() == list(range(80, 100))


@pytest.mark.parametrize(
    "cells", [["train", "train", "hold-out"], ["train", None, "valid"], ["valid", "valid", "test"]]
)
def test_a_column_of_other_words_is_refused(cells: list[str | None]) -> None:
    frame = table(3).with_columns(part=pl.Series(cells))
    with pytest.raises(DataError, match="'part' must"):
        split_rows(frame, target="y", column="part")


def test_methods_are_the_familys() -> None:
    assert ("auto", *SPLITS) == METHODS
    assert all(entry.name == name and entry.summary for name, entry in SPLITS.items())


@pytest.mark.parametrize("method", ["auto", "files"])
def test_without_a_share_no_rows_validate(method: str) -> None:
    split = split_rows(table(50), target="y", method=method, test=0.2, valid=None)
    assert (len(split.train), len(split.valid), len(split.test)) == (40, 0, 10)
