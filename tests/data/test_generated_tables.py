"""The generator writes the same table from the same recipe, and counts the dirt that it puts in."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
if str(BENCHMARKS) not in sys.path:
    sys.path.append(str(BENCHMARKS))

from tables_io import generate
from tables_io.generate import TARGET, Recipe, write


def _csv(path: Path, recipe: Recipe) -> tuple[pl.DataFrame, generate.Written]:
    written = write(path, recipe)
    return pl.read_csv(path, infer_schema=False), written


def test_rows_columns_and_empty_cells_are_as_asked(tmp_path: Path) -> None:
    frame, written = _csv(tmp_path / "t.csv", Recipe(rows=5_000, columns=9, missing=0.1))
    assert frame.shape == (5_000, 10)
    assert frame.columns[-1] == TARGET
    assert sum(name.startswith("category") for name in frame.columns) == 4
    empty = sum(frame.null_count().row(0))
    assert written.empty == empty
    assert 0.08 < empty / (5_000 * 9) < 0.12
    assert (written.rows, written.copies, sum(written.dirt.values())) == (5_000, 0, 0)


def test_the_table_is_that_of_the_seed_however_many_rows_are_made_at_once(tmp_path: Path) -> None:
    recipe = Recipe(rows=300, columns=6, dirt=0.02, copies=0.02, seed=4)
    one, other = (_csv(tmp_path / f"{name}.csv", recipe)[0] for name in "ab")
    assert one.equals(other)
    assert not one.equals(_csv(tmp_path / "c.csv", Recipe(**{**vars(recipe), "seed": 5}))[0])


def test_dirt_is_in_the_table_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generate, "BLOCK_CELLS", 6_000)
    clean, _ = _csv(tmp_path / "clean.csv", Recipe(rows=2_000, columns=6, missing=0.0))
    dirty, written = _csv(tmp_path / "dirty.csv", Recipe(rows=2_000, columns=6, missing=0.0, dirt=0.03))
    changed = sum(int(dirty[name].ne_missing(clean[name]).sum()) for name in clean.columns)
    assert changed == sum(written.dirt.values())
    assert min(written.dirt[kind] for kind in ("missing", "text_number", "typo", "form")) > 0
    copied, counts = _csv(tmp_path / "copied.csv", Recipe(rows=2_000, columns=6, copies=0.05))
    assert copied.height - copied.unique().height == counts.copies == 100


def test_parquet_holds_the_same_cells(tmp_path: Path) -> None:
    recipe = Recipe(rows=500, columns=6)
    frame, _ = _csv(tmp_path / "t.csv", recipe)
    write(tmp_path / "t.parquet", recipe)
    typed = pl.read_parquet(tmp_path / "t.parquet")
    assert typed["number 0"].dtype == pl.Int64
    assert typed["category 2"].equals(frame["category 2"])
    assert typed["number 2"].equals(frame["number 2"].cast(pl.Float64))
