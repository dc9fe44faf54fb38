"""The draws are scikit-learn's to the row and its place, and take few bytes a row."""

from __future__ import annotations

import tracemalloc

import numpy as np
import polars as pl
import pytest
from sklearn.model_selection import train_test_split

from wellfit.data.splitting import permutation, split_rows
from wellfit.data.splitting.permutation import all_rows, drawn_alike, drawn_by_class


def _labels(rows: int, classes: int, random: np.random.Generator) -> np.ndarray:
    shares = random.dirichlet(np.full(classes, random.choice([0.1, 1.0, 50.0])))
    twice = np.repeat(np.arange(classes), 2)
    return random.permutation(np.concatenate([twice, random.choice(classes, rows - len(twice), p=shares)]))


@pytest.mark.parametrize("classes", [1, 2, 3, 17, 130, 300])
@pytest.mark.parametrize("rows", [620, 621, 5_003, 70_000])
def test_rows_are_drawn_by_class_as_scikit_learn_draws_them(
    rows: int, classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(permutation, "AT_ONCE", 1_000)
    for seed in range(4):
        random = np.random.default_rng(seed)
        labels, given = _labels(rows, classes, random), random.permutation(all_rows(rows))
        share = float(random.choice([0.5, 0.50001, 0.51]))
        stay, go = train_test_split(given, test_size=share, random_state=seed, stratify=labels[given])
        small = labels.astype(np.min_scalar_type(classes))
        stays, goes = drawn_by_class(given, small, np.bincount(labels), len(go), seed)
        np.testing.assert_array_equal(stays, stay)
        np.testing.assert_array_equal(np.sort(goes), np.sort(go))


@pytest.mark.parametrize("rows", [2, 255, 256, 257, 65_535, 65_537])
def test_rows_are_drawn_alike_as_scikit_learn_draws_them(rows: int) -> None:
    for given in (all_rows(rows), np.random.default_rng(1).permutation(rows)):
        stay, go = train_test_split(given, test_size=0.3, random_state=3)
        stays, goes = drawn_alike(given, len(go), 3)
        np.testing.assert_array_equal(stays, stay)
        np.testing.assert_array_equal(goes, go)


def test_both_draws_and_classes_of_a_single_row_are_scikit_learns() -> None:
    labels = _labels(3_000, 20, np.random.default_rng(5))
    labels[[7, 1_234, 2_999]] = 20, 21, 22
    common = np.flatnonzero(labels < 20)
    rest, test = train_test_split(common, test_size=0.2, random_state=42, stratify=labels[common])
    train, valid = train_test_split(rest, test_size=0.2, random_state=42, stratify=labels[rest])
    split = split_rows(pl.DataFrame({"y": [f"c{label:02d}" for label in labels]}), target="y")
    assert split.test.tolist() == sorted(test)
    assert split.valid.tolist() == sorted(valid)
    assert split.train.tolist() == sorted([*train, 7, 1_234, 2_999])


def test_dealing_takes_few_bytes_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permutation, "AT_ONCE", 1 << 12)
    rows = 400_000
    frame = pl.DataFrame({"y": np.random.default_rng(0).integers(0, 2, rows, dtype=np.int8)})
    split_rows(frame[:1_000], target="y")
    tracemalloc.start()
    split = split_rows(frame, target="y")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert split.places.nbytes == rows
    assert peak / rows < 14
