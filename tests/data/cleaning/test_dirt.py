"""The generator's dirt is found, and its clean cells are left alone: the bars of the benchmark, on small tables."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture(scope="module")
def measure() -> Any:
    sys.path.insert(0, str(FOLDER))
    try:
        from dirt import measure
    finally:
        sys.path.remove(str(FOLDER))
    return measure


@pytest.mark.parametrize("hand", ["one", "other"])
@pytest.mark.parametrize(("rows", "rate"), [(2_000, 0.05), (2_000, 0.15), (1_000, 0.04)])
def test_dirt_of_every_kind_is_found(measure: Any, hand: str, rows: int, rate: float) -> None:
    clean = measure.clean_table(rows, seed=rows)
    dirt = measure.inject(clean, measure.roles_of(clean), hand=hand, rate=rate, seed=1)
    tally = measure.measured(clean, dirt)
    for kind, count in tally.dirt.items():
        assert count
        assert tally.found[kind] >= measure.FOUND * count, (kind, tally.misses)
    assert tally.touched["rows"] == 0
    assert sum(tally.touched.values()) <= measure.TOUCHED * tally.clean, tally.misses


def test_a_table_without_dirt_is_left_alone(measure: Any) -> None:
    clean = measure.clean_table(2_000, seed=5)
    plan = measure.CleaningPlan.fit(clean)
    _, report = plan.apply(clean)
    assert {name: column.counts() for name, column in report.columns.items() if column.counts()} == {}
    assert not any(column.merged or column.proposed for column in plan.columns)
    assert not plan.findings


def test_the_generator_says_what_every_cell_was(measure: Any) -> None:
    clean = measure.clean_table(300, seed=2)
    dirt = measure.inject(clean, measure.roles_of(clean), seed=3)
    again = measure.inject(clean, measure.roles_of(clean), seed=3)
    assert dirt.frame.equals(again.frame)
    assert dirt.frame.height == len(dirt.origin) == 309
    for name in clean.columns:
        dirtied = {row for kind in measure.KINDS for row in dirt.cells[kind].get(name, [])}
        changed = dirt.frame[name].ne_missing(clean[name][dirt.origin]).to_numpy()
        assert set(dirt.origin[changed].tolist()) == dirtied
