from __future__ import annotations

import json
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from wellfit.data.features import ENCODERS, SCALERS, FeaturePlan, Targets
from wellfit.data.features.calendar import CHOICES, CYCLES, PARTS, date_parts
from wellfit.data.features.vocabulary import Vocabulary
from wellfit.errors import ConfigError, DataError

CITIES = [f"city {number}" for number in range(12)]


def typed(rows: int = 400, seed: int = 0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    frame = pl.DataFrame(
        {
            "age": random.normal(40, 10, rows),
            "gain": np.where(random.random(rows) < 0.95, 0.0, random.lognormal(8, 1, rows)),
            "job": random.choice(["a", "b", "c"], rows),
            "city": random.choice(CITIES, rows),
            "day": [datetime(2019, 1, 1) + timedelta(hours=int(hour)) for hour in random.integers(0, 9000, rows)],
        }
    )
    hole = pl.Series(random.random(rows) < 0.1)
    return frame.with_columns(pl.when(~hole).then(pl.col(name)).alias(name) for name in ("age", "job", "city", "day"))


@pytest.mark.parametrize("scale", [*SCALERS, "auto"])
@pytest.mark.parametrize("encode", [*ENCODERS, "auto", {"name": "embedding", "onehot_up_to": 0}])
def test_the_matrix_is_finite_and_comes_back_from_json(scale: str, encode: str) -> None:
    targets = Targets(np.arange(400) % 3, 3)
    plan = FeaturePlan.fit(typed(), scale=scale, encode=encode, targets=targets)
    again = FeaturePlan.from_dict(json.loads(json.dumps(plan.as_dict(), allow_nan=False)))
    for frame in (typed(), typed(50, seed=5)):
        matrix, same = plan.apply(frame), again.apply(frame)
        assert (matrix.numeric.dtype, matrix.categorical.dtype) == (np.float32, np.int64)
        assert matrix.numeric.shape == (frame.height, plan.n_numeric)
        assert matrix.categorical.shape == (frame.height, len(plan.cardinalities))
        assert len(plan.feature_names) == plan.n_numeric + len(plan.cardinalities)
        assert np.isfinite(matrix.numeric).all()
        assert (matrix.categorical >= 0).all()
        assert (matrix.categorical < np.array(plan.cardinalities, dtype=np.int64)).all()
        assert matrix.numeric.tobytes() == same.numeric.tobytes()
        assert matrix.categorical.tobytes() == same.categorical.tobytes()
    assert again.as_dict() == plan.as_dict()


def test_auto_is_resolved() -> None:
    plan = FeaturePlan.fit(typed())
    assert plan.scale == "robust"
    assert plan.encode == {"name": "embedding", "onehot_up_to": 9}
    assert plan.categorical_names == ("city",)
    assert "job=a" in plan.numeric_names


def test_levels_by_frequency_and_slots_for_missing_unseen_and_rare_ones() -> None:
    cells = ["b"] * 5 + ["a"] * 3 + ["c"] * 3 + ["rare"] + [None] * 2
    plan = FeaturePlan.fit(pl.DataFrame({"x": cells}), encode={"name": "embedding", "onehot_up_to": 0})
    ids = plan.apply(pl.DataFrame({"x": [None, "never", "rare", "b", "a", "c"]})).categorical[:, 0]
    assert ids.tolist() == [0, 1, 1, 2, 3, 4]
    assert plan.cardinalities == (5,)


def test_a_long_vocabulary_keeps_the_most_frequent() -> None:
    cells = [f"level {number}" for number in range(1500) for _ in range(2 + (number == 1499))]
    plan = FeaturePlan.fit(pl.DataFrame({"x": cells}))
    assert plan.cardinalities == (1002,)
    assert plan.apply(pl.DataFrame({"x": ["level 1499"]})).categorical.tolist() == [[2]]


def test_many_codes_are_what_few_are() -> None:
    vocabulary = Vocabulary(["b", "a", "é"])
    few = pl.Series(["a", None, "é", "z", "b"])
    many = pl.concat([few] * 100)
    assert vocabulary.codes(many).tolist() == vocabulary.codes(few).tolist() * 100


def test_one_row_is_what_it_is_among_all() -> None:
    frame = typed()
    plan = FeaturePlan.fit(frame)
    whole = plan.apply(frame)
    for row in range(0, 400, 41):
        single = plan.apply(frame[row])
        assert single.numeric.tobytes() == whole.numeric[row : row + 1].tobytes()
        assert single.categorical.tolist() == whole.categorical[row : row + 1].tolist()


@pytest.mark.parametrize("scale", sorted(SCALERS))
def test_values_far_outside_stay_finite(scale: str) -> None:
    plan = FeaturePlan.fit(pl.DataFrame({"x": [0.0, 1e-90, 2e-90, 3.0], "y": [1.0, 2.0, 3.0, 4.0]}), scale=scale)
    far = pl.DataFrame({"x": [1e100, -1e100], "y": [-1e100, 1e100]})
    assert np.isfinite(plan.apply(far).numeric).all()


def test_a_column_that_varies_by_rounding_alone_is_dropped() -> None:
    ulp = float(np.nextafter(0.1, 1))
    for scale in SCALERS:
        plan = FeaturePlan.fit(pl.DataFrame({"x": [0.1, ulp, 0.1, ulp], "y": [1.0, 2.0, 3.0, 4.0]}), scale=scale)
        assert plan.feature_names == ("y",), scale


def test_amounts_that_are_mostly_zero_keep_their_size() -> None:
    values = [0.0] * 95 + [1000.0, 5000.0, 10_000.0, 50_000.0, 99_999.0]
    matrix = FeaturePlan.fit(frame := pl.DataFrame({"gain": values}), scale="robust").apply(frame)
    gains = matrix.numeric[95:, 0]
    assert (np.diff(gains) > 0.01).all()


def test_missing_cells_where_training_had_none_get_the_median() -> None:
    plan = FeaturePlan.fit(pl.DataFrame({"x": [1.0, 2.0, 9.0]}), scale="none")
    assert plan.apply(pl.DataFrame({"x": [None]}, schema={"x": pl.Float64})).numeric.tolist() == [[2.0]]


def test_a_column_without_a_value_becomes_nothing() -> None:
    frame = pl.DataFrame({"x": [None, None], "y": [1.0, 2.0]}, schema={"x": pl.Float64, "y": pl.Float64})
    assert FeaturePlan.fit(frame).feature_names == ("y",)


def test_parts_of_dates_are_the_calendars() -> None:
    moments = [datetime(1969, 12, 31, 23, 59), datetime(2020, 2, 29, 5), datetime(1, 1, 1), datetime(2100, 3, 1, 12)]
    parts = date_parts(pl.Series(moments), PARTS)
    epoch = datetime(1970, 1, 1)
    expected = [
        [day.year, day.month, day.day, day.isoweekday(), day.hour, day.minute, (day - epoch) / timedelta(days=1)]
        for day in moments
    ]
    np.testing.assert_allclose(parts, expected, rtol=1e-12)


def test_only_parts_that_vary_are_used_and_one_flag_is_set() -> None:
    days = [datetime(2019, 3, 4), datetime(2019, 3, 5), None, datetime(2019, 3, 6)]
    plan = FeaturePlan.fit(pl.DataFrame({"at": days}))
    parts = ("day", "weekday", "elapsed_days", "yearly sin", "yearly cos", "weekly sin", "weekly cos", "is missing")
    assert plan.feature_names == tuple(f"at {part}" for part in parts)
    parts_alone = FeaturePlan.fit(pl.DataFrame({"at": days}), dates="parts")
    assert parts_alone.feature_names == ("at day", "at weekday", "at elapsed_days", "at is missing")


def test_nothing_that_varies_is_an_error() -> None:
    with pytest.raises(DataError, match="must vary"):
        FeaturePlan.fit(pl.DataFrame({"x": [1.0, 1.0]}))


def test_wrong_names_are_refused() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'robust'"):
        FeaturePlan.fit(typed(), scale="robus")
    with pytest.raises(ConfigError, match="Did you mean 'onehot'"):
        FeaturePlan.fit(typed(), encode="one_hot")
    with pytest.raises(ConfigError, match="onehot_up_to"):
        FeaturePlan.fit(typed(), encode={"name": "embedding", "onehot_up_to": -1})


def test_cycles_bring_the_end_of_a_period_next_to_its_start() -> None:
    moments = [datetime(2021, 1, 1), datetime(2021, 12, 31, 23, 59), datetime(2021, 7, 2, 12), datetime(2020, 7, 2)]
    around = date_parts(pl.Series(moments), CYCLES)
    yearly, weekly, daily = around[:, :2], around[:, 2:4], around[:, 4:]
    np.testing.assert_allclose(np.hypot(*around.reshape(-1, 2).T), 1.0)
    np.testing.assert_allclose(yearly[[0, 2, 3]], [[0, 1], [0, -1], [0, -1]], atol=1e-9)
    np.testing.assert_allclose(daily[[0, 2]], [[0, 1], [0, -1]], atol=1e-9)
    assert np.linalg.norm(yearly[0] - yearly[1]) < 1e-4
    assert np.linalg.norm(daily[0] - daily[1]) < 0.005
    monday, sunday = (
        date_parts(pl.Series([day]), CYCLES)[0, 2:4] for day in (datetime(2024, 1, 1), datetime(2024, 1, 7))
    )
    np.testing.assert_allclose(monday, [0, 1], atol=1e-9)
    np.testing.assert_allclose(sunday, [np.sin(12 * np.pi / 7), np.cos(12 * np.pi / 7)], atol=1e-9)
    assert weekly.shape == (4, 2)


@pytest.mark.parametrize("dates", ["parts", "cycles"])
def test_dates_become_what_is_asked_for(dates: str) -> None:
    plan = FeaturePlan.fit(typed(), dates=dates)
    used = {part for _, parts in plan.sources.dates for part in parts}
    assert used <= set(CHOICES[dates])
    assert used
    with pytest.raises(ConfigError, match="Did you mean 'cycles'"):
        FeaturePlan.fit(typed(), dates="cycle")


def test_blocks_of_rows_give_what_all_rows_do(monkeypatch: pytest.MonkeyPatch) -> None:
    plan, matrix = FeaturePlan.fit_apply(typed(), select={"name": "variance"})
    monkeypatch.setattr("wellfit.data.features.plan.ROWS_AT_ONCE", 7)
    again, in_blocks = FeaturePlan.fit_apply(typed(), select={"name": "variance"})
    assert again.as_dict() == plan.as_dict()
    assert in_blocks.numeric.tobytes() == matrix.numeric.tobytes() == plan.apply(typed()).numeric.tobytes()
    assert plan.apply(typed()[:0]).numeric.shape == (0, plan.n_numeric)


def test_columns_are_selected_on_a_bounded_number_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.data.features.selection.MOST_ROWS", 50)
    targets = Targets(np.arange(400) % 2, 2)
    plans = [FeaturePlan.fit(typed(), select={"name": "k_best", "k": 3}, targets=targets) for _ in range(2)]
    assert plans[0].as_dict() == plans[1].as_dict()
    assert plans[0].n_numeric + len(plans[0].cardinalities) == 3
