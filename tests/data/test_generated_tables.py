"""The generator writes the same table from the same recipe, and counts the dirt that it puts in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def generate() -> Any:
    sys.path.insert(0, str(BENCHMARKS))
    try:
        from tables_io import generate
    finally:
        sys.path.remove(str(BENCHMARKS))
    return generate


def _csv(generate: Any, path: Path, **recipe: Any) -> tuple[pl.DataFrame, Any]:
    written = generate.write(path, generate.Recipe(**recipe))
    return pl.read_csv(path, infer_schema=False), written


def test_rows_columns_and_empty_cells_are_as_asked(generate: Any, tmp_path: Path) -> None:
    frame, written = _csv(generate, tmp_path / "t.csv", rows=5_000, columns=9, missing=0.1)
    assert frame.shape == (5_000, 10)
    assert frame.columns[-1] == generate.TARGET
    assert sum(name.startswith("category") for name in frame.columns) == 4
    empty = sum(frame.null_count().row(0))
    assert written.empty == empty
    assert 0.08 < empty / (5_000 * 9) < 0.12
    assert (written.rows, written.copies, sum(written.dirt.values())) == (5_000, 0, 0)


def test_equal_recipes_give_equal_tables(generate: Any, tmp_path: Path) -> None:
    recipe = {"rows": 300, "columns": 6, "dirt": 0.02, "copies": 0.02}
    one, other = (_csv(generate, tmp_path / f"{name}.csv", **recipe, seed=4)[0] for name in "ab")
    assert one.equals(other)
    assert not one.equals(_csv(generate, tmp_path / "c.csv", **recipe, seed=5)[0])


def test_dirt_is_in_the_table_and_counted(generate: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "BLOCK_CELLS", 6_000)
    clean, _ = _csv(generate, tmp_path / "clean.csv", rows=2_000, columns=6, missing=0.0)
    dirty, written = _csv(generate, tmp_path / "dirty.csv", rows=2_000, columns=6, missing=0.0, dirt=0.03)
    changed = sum(int(dirty[name].ne_missing(clean[name]).sum()) for name in clean.columns)
    assert changed == sum(written.dirt.values())
    assert min(written.dirt[kind] for kind in ("missing", "text_number", "typo", "form")) > 0
    copied, counts = _csv(generate, tmp_path / "copied.csv", rows=2_000, columns=6, copies=0.05)
    assert copied.height - copied.unique().height == counts.copies == 100


def test_parquet_holds_the_same_cells(generate: Any, tmp_path: Path) -> None:
    frame, _ = _csv(generate, tmp_path / "t.csv", rows=500, columns=6)
    generate.write(tmp_path / "t.parquet", generate.Recipe(rows=500, columns=6))
    typed = pl.read_parquet(tmp_path / "t.parquet")
    assert typed["number 0"].dtype == pl.Int64
    assert typed["category 2"].equals(frame["category 2"])
    assert typed["number 2"].equals(frame["number 2"].cast(pl.Float64))
