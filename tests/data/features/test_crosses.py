"""Crosses: what names a row's values, which of them training rows speak for, and that a plan replays them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

from wellfit.config import from_mapping
from wellfit.data.features import FeaturePlan, Targets
from wellfit.data.features.crosses import CrossedColumn, add_crossed, crossed_columns, find_crosses
from wellfit.data.features.crosses.additive import GroupMeans, left_by_curves
from wellfit.data.features.crosses.grid import Grid
from wellfit.data.features.crosses.values import values_of
from wellfit.errors import ConfigError
from wellfit.preparation import prepare

ROWS = 6_000
IDS = {"name": "embedding", "onehot_up_to": 0}


def crossed(frame: pl.DataFrame, *of: str) -> list[Any]:
    return add_crossed(frame, [CrossedColumn("made", of)])["made"].to_list()


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        ([6.0, -0.0, 2.5, None, 1e300, float("inf")], ["6", "0", "2.5", None, "1e+300", "inf"]),
        ([datetime(2024, 2, 29, 23), None, datetime(2024, 3, 1)], ["2024-02-29", None, "2024-03-01"]),
    ],
)
def test_values_are_named(column: list[Any], texts: list[str | None]) -> None:
    assert crossed(pl.DataFrame({"x": column}), "x") == texts


@given(st.lists(st.tuples(*[st.one_of(st.none(), st.text("&ab mising", max_size=9))] * 2), min_size=2, max_size=9))
def test_different_values_have_different_names(rows: list[tuple[str | None, str | None]]) -> None:
    frame = pl.DataFrame(rows, schema={"a": pl.String, "b": pl.String}, orient="row")
    names = crossed(frame, "a", "b")
    assert len(set(names)) == len(set(rows))
    assert [name is None for name in names] == [row == (None, None) for row in rows]


def test_crosses_get_names_of_their_own() -> None:
    frame = pl.DataFrame({"a": [1.0], "b": ["x"], "a & b": [2.0]})
    assert [made.name for made in crossed_columns(frame, [("a", "b"), ("a",)])] == ["a & b_", "a by value"]


@pytest.mark.parametrize(
    ("crosses", "said"),
    [
        ([("mont", "day")], "columns that are features. Got 'mont'. Did you mean 'month'?"),
        ([("month", "note")], "Got \"'note', free text\""),
        ([("job",)], "Name a second column as well."),
    ],
)
def test_what_is_no_cross_is_refused(crosses: list[tuple[str, ...]], said: str) -> None:
    frame = pl.DataFrame({"month": [1.0], "day": [1.0], "note": ["so it is"], "job": ["smith"]})
    with pytest.raises(ConfigError) as refused:
        crossed_columns(frame, crosses, texts=["note"])
    assert said in str(refused.value)


class Planted:
    """Rows of which one thing or another tells the target."""

    def __init__(self, rows: int = ROWS, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.rng, self.rows = rng, rows
        self.month, self.day = rng.integers(1, 13, rows), rng.integers(1, 29, rows)
        self.flight, self.smooth = rng.integers(0, 300, rows) * 7, rng.integers(0, 300, rows)
        self.job = rng.choice(["clerk", "smith", "baker"], rows)
        self.noise = rng.normal(size=rows)

    @cached_property
    def frame(self) -> pl.DataFrame:
        numbers = {name: getattr(self, name).astype(float) for name in ("month", "day", "flight", "smooth")}
        return pl.DataFrame({**numbers, "job": self.job, "other": self.rng.normal(size=self.rows)})

    def of_days(self) -> np.ndarray:
        return self.rng.normal(size=(13, 29))[self.month, self.day]

    def of_flights(self) -> np.ndarray:
        return self.rng.normal(size=2101)[self.flight]


def found(frame: pl.DataFrame, values: np.ndarray, classes: int = 0) -> set[frozenset[str]]:
    return set(map(frozenset, find_crosses(frame, Targets(values.astype(float), classes))))


def test_what_two_columns_tell_together_is_found() -> None:
    rows = Planted()
    assert found(rows.frame, rows.of_days() + rows.noise) == {frozenset({"month", "day"})}


@pytest.mark.parametrize("classes", [2, 3])
def test_classes_are_told_together_too(classes: int) -> None:
    rows = Planted()
    values = rows.of_days() + 0.5 * rows.noise
    ids = np.searchsorted(np.quantile(values, np.linspace(0, 1, classes + 1)[1:-1]), values)
    assert found(rows.frame, ids, classes) == {frozenset({"month", "day"})}


def test_a_number_that_is_a_name_is_found() -> None:
    rows = Planted()
    assert found(rows.frame, rows.of_flights() + rows.noise) == {frozenset({"flight"})}


def test_a_name_shows_only_beside_what_the_numbers_tell() -> None:
    """A flight leaves late by the hour at which it left, less the hour at which it should: neither tells alone."""
    rows = Planted()
    due = 3.0 * rows.of_flights()
    late = rows.noise
    frame = rows.frame.with_columns(pl.Series("left", due + late))
    assert frozenset({"flight"}) in found(frame, late)


def test_what_a_day_tells_is_found() -> None:
    rows = Planted()
    days = rows.rng.integers(0, 200, rows.rows)
    moments = [datetime(2024, 1, 1) + timedelta(days=int(day), hours=int(day) % 7) for day in days]
    frame = rows.frame.with_columns(pl.Series("at", moments, dtype=pl.Datetime("us")))
    assert found(frame, rows.rng.normal(size=200)[days] + rows.noise) == {frozenset({"at"})}


def test_a_third_column_takes_the_place_of_the_two() -> None:
    rows = Planted(20_000)
    year = rows.rng.integers(0, 3, rows.rows)
    frame = rows.frame.with_columns(pl.Series("year", year * 1.0), pl.Series("place", year * 1.0 + 1) % 3.0)
    values = rows.of_days() + rows.rng.normal(size=(13, 29, 3))[rows.month, rows.day, year]
    assert any({"month", "day"} < set(cross) for cross in found(frame.drop("place"), values + 0.3 * rows.noise))
    assert frozenset({"month", "day"}) not in found(frame.drop("place"), values + 0.3 * rows.noise)


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_found_where_there_is_nothing(seed: int) -> None:
    """Curves, slopes, smooth surfaces and noise are what networks learn from the columns themselves."""
    rows = Planted(seed=seed)
    surface = np.sin(rows.month / 4) * np.cos(rows.day / 9) * 2
    curves = np.sin(rows.smooth / 40) * 3 + (rows.job == "smith")
    for values in (rows.noise, curves + rows.noise, surface + rows.noise):
        assert found(rows.frame, values) == set()


def test_few_rows_and_no_targets_say_nothing() -> None:
    rows = Planted(900)
    assert found(rows.frame, rows.of_days()) == set()
    assert find_crosses(Planted().frame, None) == ()


def test_rows_without_a_target_and_cells_without_a_value_do_no_harm() -> None:
    rows = Planted()
    frame, values = rows.frame, rows.of_days() + rows.noise
    values[::7] = np.nan
    holes = pl.Series(np.arange(rows.rows) % 11 == 0)
    frame = frame.with_columns(
        pl.when(holes).then(None).otherwise(pl.col("month")).alias("month"),
        pl.lit(None, dtype=pl.Float64).alias("empty"),
        pl.lit(1.0).alias("constant"),
    )
    assert found(frame, values) == {frozenset({"month", "day"})}


def test_free_text_is_not_crossed_and_names_are_no_patterns() -> None:
    rows = Planted()
    values = rows.of_days() + rows.noise
    frame = rows.frame.rename({"month": "^m.*$", "day": "*"})
    targets = Targets(values)
    plan = FeaturePlan.fit(frame, encode=IDS, crosses="auto", targets=targets)
    assert plan.crosses == (("^m.*$", "*"),)
    assert find_crosses(frame, targets, apart=["^m.*$"]) == ()
    assert find_crosses(frame, targets, apart=frame.columns) == ()
    assert crossed(frame, "*") == [str(day) for day in rows.day]


def test_the_order_of_rows_and_columns_decides_nothing() -> None:
    rows = Planted()
    frame, values = rows.frame, rows.of_days() + rows.of_flights() + rows.noise
    order = rows.rng.permutation(rows.rows)
    turned = frame.select(reversed(frame.columns))[order]
    assert found(frame, values) == found(turned, values[order]) == {frozenset({"flight"}), frozenset({"month", "day"})}


def test_curves_are_what_least_squares_gives() -> None:
    rng = np.random.default_rng(0)
    steps = [rng.integers(0, 4, 50_000), rng.integers(0, 5, 50_000)]
    wanted = rng.normal(size=(4, 1))[steps[0]] + rng.normal(size=(5, 1))[steps[1]] + rng.normal(size=(50_000, 1))
    flags = np.concatenate([np.eye(count)[its] for count, its in zip((4, 5), steps, strict=True)], axis=1)
    model = LinearRegression().fit(flags, wanted)
    assert np.allclose(left_by_curves(steps, wanted), wanted - model.predict(flags), atol=5e-3)


def test_a_row_is_foretold_by_others_alone() -> None:
    groups, values = np.array([1, 1, 1, 2, 0]), np.array([[3.0], [6.0], [0.0], [9.0], [5.0]])
    told = GroupMeans(groups, 0.0).of_others(values)[:, 0]
    assert told.tolist()[:3] == [3.0, 1.5, 4.5]
    changed = values.copy()
    changed[0] = 100.0
    assert GroupMeans(groups, 1e-9).of_others(changed)[0, 0] == pytest.approx(3.0)


def test_neighbours_are_the_rows_of_near_values() -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({"a": rng.integers(0, 40, 900) * 1.0, "b": rng.choice(list("xyz"), 900)})
    values = rng.normal(size=(900, 1))
    near = Grid(tuple(values_of(frame.get_columns()))).of_neighbours(values)[:, 0]
    a, b = frame["a"].to_numpy(), frame["b"].to_numpy()
    mine = [np.flatnonzero((b == b[row]) & (abs(a - a[row]) == 1)) for row in range(900)]
    sums = [(values[its, 0] - values.mean()).sum() / (len(its) + 5) for its in mine]
    assert np.allclose(near, sums)


def test_a_plan_replays_its_crosses() -> None:
    rows = Planted()
    targets = Targets(rows.of_days() + rows.noise)
    plan, matrix = FeaturePlan.fit_apply(rows.frame, encode=IDS, crosses="auto", targets=targets)
    assert plan.crosses == (("month", "day"),)
    assert plan.categorical_names == ("job", "month & day")
    again = FeaturePlan.from_dict(json.loads(json.dumps(plan.as_dict())))
    assert again.as_dict() == plan.as_dict()
    replayed = again.apply(rows.frame)
    assert np.array_equal(replayed.categorical, matrix.categorical)
    assert np.array_equal(replayed.numeric, matrix.numeric)
    stated, _ = FeaturePlan.fit_apply(rows.frame, encode=IDS, crosses=plan.crosses, targets=targets)
    assert stated.as_dict() == plan.as_dict()


def test_a_level_that_is_new_shares_the_slot_of_rare_ones_and_is_no_unseen_cell() -> None:
    frame = pl.DataFrame({"a": [1.0, 1.0, 2.0, 2.0, 3.0], "b": ["x", "x", "y", "y", "x"]})
    plan = FeaturePlan.fit(frame, encode=IDS, crosses=[("a", "b")])
    new = pl.DataFrame({"a": [1.0, 1.0, 9.0, None], "b": ["x", "y", "x", None]})
    assert plan.apply(new).categorical[:, 1].tolist() == [2, 1, 1, 0]
    assert set(plan.unseen(new)) == set()


def test_a_cross_may_become_the_mean_of_its_target() -> None:
    rows = Planted()
    targets = Targets(rows.of_days() + rows.noise)
    plan, matrix = FeaturePlan.fit_apply(rows.frame, encode="target", scale="none", crosses="auto", targets=targets)
    column = matrix.numeric[:, plan.numeric_names.index("month & day")]
    assert np.corrcoef(column, targets.values)[0, 1] > 0.5


def prepared(rows: Planted, values: np.ndarray, **config: Any) -> Any:
    return prepare(from_mapping({"data": {"target": "y"}, **config}), rows.frame.with_columns(pl.Series("y", values)))


def test_an_ensemble_has_them_looked_for_and_writes_down_what_was_found() -> None:
    rows = Planted()
    values = rows.of_days() + rows.noise
    table = prepared(rows, values, model={"type": "ensemble"})
    assert table.config.features.crosses == (("month", "day"),)
    assert "month & day" in table.features.categorical_names
    assert any("'month & day'" in note for note in table.notes)
    again = prepare(table.config, rows.frame.with_columns(pl.Series("y", values)))
    assert again.features.as_dict() == table.features.as_dict()
    assert not any("'month & day'" in note for note in again.notes)


def test_one_network_has_none_looked_for_unless_asked() -> None:
    rows = Planted()
    values = rows.of_days() + rows.noise
    assert prepared(rows, values, model="mlp").features.crosses == ()
    asked = prepared(rows, values, model="mlp", features={"crosses": "auto"})
    assert asked.features.crosses == (("month", "day"),)
    own = prepared(rows, values, model={"type": "ensemble"}, features={"crosses": []})
    assert own.features.crosses == own.config.features.crosses == ()


def test_rows_to_come_have_no_level_of_their_own() -> None:
    rows = Planted()
    values = rows.of_days() + rows.noise
    split = {"method": "time", "column": "smooth"}
    assert prepared(rows, values, model={"type": "ensemble"}, split=split).features.crosses == ()


def test_the_other_rows_change_nothing() -> None:
    rows = Planted()
    values = rows.of_days() + rows.noise
    before = prepared(rows, values, features={"crosses": "auto"})
    changed = np.where(before.split.places == 0, values, -values)
    after = prepared(rows, changed, features={"crosses": "auto"})
    assert after.features.as_dict() == before.features.as_dict()
