"""Labels are held in few bytes; the rows are dealt all the same."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.model_selection import train_test_split

from wellfit.data.splitting import split_rows


@pytest.mark.parametrize("classes", [2, 126, 127, 128, 129, 300])
def test_rows_of_any_number_of_classes_are_dealt_as_by_scikit_learn(classes: int) -> None:
    labels = np.random.default_rng(0).permutation(np.arange(40 * classes) % classes)
    target = pl.Series("y", [f"c{label:04d}" for label in labels])
    split = split_rows(pl.DataFrame([target]), target="y", test=0.25, valid=None)
    train, test = train_test_split(np.arange(len(labels)), test_size=0.25, random_state=42, stratify=labels)
    np.testing.assert_array_equal(split.train, np.sort(train))
    np.testing.assert_array_equal(split.test, np.sort(test))
