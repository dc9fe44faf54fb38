"""Whatever the table: finite matrices of the right shape, or one of wellfit's errors."""

from __future__ import annotations

import json
import math
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wellfit.data.cleaning import CleaningPlan, TargetPlan, repeated_rows, rows_without_target
from wellfit.data.features import ENCODERS, SCALERS, FeaturePlan, Matrix, Targets
from wellfit.data.splitting import split_rows
from wellfit.errors import BadInput

HUGE = st.sampled_from([1e308, -1e308, 1e100, 1e99, 5e-324, -0.0, math.inf, -math.inf, math.nan, 1.0, 2.0])
ODD = st.sampled_from(
    ["", " ", "?", "NA", "none", "1,234", "$5", "45%", "0,5", "2019-03-23", "1e400", "inf", "\x00", "a" * 300]
)

CELLS: dict[str, st.SearchStrategy[Any]] = {
    "floats": st.floats() | HUGE,
    "integers": st.integers(-(2**63), 2**63 - 1),
    "few": st.integers(0, 3),
    "booleans": st.booleans(),
    "texts": st.text(max_size=8),
    "levels": st.sampled_from(["a", "b", "B", " a", "é", "e\u0301"]),
    "odd": ODD,
    "numerals": st.floats(allow_nan=False).map(repr) | ODD,
    "moments": st.datetimes(),
    "days": st.dates().map(str),
    "nothing": st.none(),
}


@st.composite
def columns(draw: st.DrawFn, rows: int) -> pl.Series:
    cells = CELLS[draw(st.sampled_from(sorted(CELLS)))]
    values = draw(st.lists(st.none() | cells, min_size=rows, max_size=rows))
    return pl.Series(values, strict=False)


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    rows = draw(st.integers(0, 25))
    names = draw(
        st.lists(st.text(max_size=6) | st.sampled_from(["count", "*", "^x$", "level", "id"]), max_size=4, unique=True)
    )
    frame = pl.DataFrame({name: draw(columns(rows)) for name in names})
    return pl.concat([frame] * draw(st.sampled_from([1, 1, 15]))) if frame.width else frame


def prepared(train: pl.DataFrame, scale: str, encode: str) -> tuple[CleaningPlan, FeaturePlan]:
    cleaning = CleaningPlan.fit(train)
    targets = Targets(np.arange(train.height) % 2, 2)
    return cleaning, FeaturePlan.fit(cleaning.apply(train)[0], scale=scale, encode=encode, targets=targets)


def check(matrix: Matrix, plan: FeaturePlan, rows: int) -> None:
    assert matrix.numeric.shape == (rows, plan.n_numeric)
    assert matrix.categorical.shape == (rows, len(plan.cardinalities))
    assert np.isfinite(matrix.numeric).all()
    assert (matrix.categorical >= 0).all()
    assert (matrix.categorical < np.array(plan.cardinalities, dtype=np.int64)).all()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables(), st.sampled_from(sorted(SCALERS)), st.sampled_from(sorted(ENCODERS)), st.data())
def test_a_hostile_table_is_prepared_or_refused(
    table: pl.DataFrame, scale: str, encode: str, data: st.DataObject
) -> None:
    try:
        cleaning, features = prepared(table, scale, encode)
    except BadInput:
        return
    check(features.apply(cleaning.apply(table)[0]), features, table.height)
    record = json.loads(json.dumps([cleaning.as_dict(), features.as_dict()], allow_nan=False))
    again = CleaningPlan.from_dict(record[0]), FeaturePlan.from_dict(record[1])
    rows = data.draw(st.integers(0, 5))
    others = pl.DataFrame({name: data.draw(columns(rows)) for name in table.columns})
    try:
        typed, _ = cleaning.apply(others)
    except BadInput:
        return
    matrix = features.apply(typed)
    check(matrix, features, rows)
    assert again[1].apply(again[0].apply(others)[0]).numeric.tobytes() == matrix.numeric.tobytes()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables(), st.data())
def test_a_hostile_table_is_split_or_refused(table: pl.DataFrame, data: st.DataObject) -> None:
    if not table.width:
        return
    target = data.draw(st.sampled_from(table.columns))
    kept = table.filter(~repeated_rows(table))
    kept = kept.filter(~rows_without_target(kept, target))
    try:
        split = split_rows(kept, target=target)
        plan = TargetPlan.fit(kept[split.train].get_column(target))
    except BadInput:
        return
    assert sorted([*split.train, *split.valid, *split.test]) == list(range(kept.height))
    assert len(plan.encode(kept.get_column(target))[0]) == kept.height


@pytest.mark.parametrize(
    "column",
    [
        pl.Series([Decimal("1.5"), Decimal("2.5"), None] * 5),
        pl.Series(["a", "b", None] * 5, dtype=pl.Categorical),
        pl.Series(["a", "b", None] * 5, dtype=pl.Enum(["a", "b", "unused"])),
        pl.Series([timedelta(hours=1), timedelta(days=1), None] * 5),
        pl.Series([datetime(2020, 1, 1).time(), datetime(2020, 1, 1, 5).time(), None] * 5),
        pl.Series([date(2020, 1, 1), date(2021, 1, 1), None] * 5),
        pl.Series([datetime(2020, 1, 1), datetime(2021, 1, 1), None] * 5, dtype=pl.Datetime("ns")),
        pl.Series([datetime(2020, 1, 1), datetime(2021, 1, 1), None] * 5).dt.replace_time_zone("Asia/Tokyo"),
        pl.Series([1, 2, None] * 5, dtype=pl.UInt64),
        pl.Series([1.5, 2.5, None] * 5, dtype=pl.Float32),
        pl.Series([True, False, None] * 5),
    ],
)
@pytest.mark.parametrize("times", [1, 40])
def test_every_type_of_column_is_prepared(column: pl.Series, times: int) -> None:
    frame = pl.DataFrame({"x": column})
    cleaning, features = prepared(frame, "robust", "embedding")
    check(features.apply(cleaning.apply(pl.concat([frame] * times))[0]), features, 15 * times)


def test_a_thousand_columns() -> None:
    random = np.random.default_rng(0)
    frame = pl.DataFrame({f"c{number}": random.normal(size=60).round(2).astype(str) for number in range(1000)})
    cleaning, features = prepared(frame, "quantile", "embedding")
    check(features.apply(cleaning.apply(frame)[0]), features, 60)
    assert features.n_numeric == 1000
