"""Work on several columns at once gives what work on one after the other does."""

from __future__ import annotations

import threading

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from wellfit.data import columnwise
from wellfit.data.cleaning import CleaningPlan
from wellfit.data.features import FeaturePlan
from wellfit.errors import DataError


def _frame(rows: int) -> pl.DataFrame:
    draw = np.random.default_rng(0)
    numbers = pl.Series("price", [f"${number:,.2f}" for number in draw.lognormal(7, 1, rows)])
    plain = pl.Series("size", draw.normal(0, 1, rows).astype(str))
    levels = pl.Series("city", ["Paris", "paris", "Rome", "Oslo", "?", ""]).gather(draw.integers(0, 6, rows))
    return pl.DataFrame([numbers, plain, levels])


def test_threads_change_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = _frame(3_000)
    monkeypatch.setattr("wellfit.data.features.plan.ROWS_AT_ONCE", 700)
    monkeypatch.setattr("wellfit.data.features.sources.ROWS_AT_ONCE", 700)
    made = []
    for many in (columnwise.MANY, 1):
        monkeypatch.setattr(columnwise, "MANY", many)
        cleaning, typed = CleaningPlan.fit_apply(frame)
        features, matrix = FeaturePlan.fit_apply(typed)
        read, report = cleaning.apply(frame, watch=True)
        made.append((cleaning.as_dict(), features.as_dict(), report.as_dict(), matrix, read, features.apply(read)))
    one, several = made
    assert one[:3] == several[:3]
    assert_frame_equal(one[4], several[4])
    for left, right in ((one[3], several[3]), (one[5], several[5])):
        np.testing.assert_array_equal(left.numeric, right.numeric)
        np.testing.assert_array_equal(left.categorical, right.categorical)


def test_each_keeps_the_order_and_works_in_threads_where_rows_are_many() -> None:
    threads = columnwise.each(lambda item: (item, threading.current_thread().name), range(8), rows=columnwise.MANY)
    assert [item for item, _ in threads] == list(range(8))
    assert {name for _, name in threads} != {threading.current_thread().name}
    alone = columnwise.each(lambda _: threading.current_thread().name, range(3), rows=10)
    assert set(alone) == {threading.current_thread().name}


def test_an_error_in_a_column_is_the_error_of_all() -> None:
    frame = pl.DataFrame({"a": [[1]] * columnwise.MANY, "b": ["x"] * columnwise.MANY})
    with pytest.raises(DataError, match="single values"):
        CleaningPlan.fit(frame)
