"""Writes tables of any number of rows and columns, in little memory, with dirt of which every cell is counted.

Run: python benchmarks/tables_io/generate.py OUT.csv [--rows 2000000] [--columns 30] [--missing 0.05] [--dirt 0.01]
     [--copies 0.01] [--hand one] [--seed 0]

OUT may end in .csv or .parquet. Half of the columns are categories of 3 to 1,500 levels, half are numbers (whole ones,
amounts, measures of all digits); behind them stands the target, which hangs on some of them. --missing is the share of
empty cells; --dirt the share of a column's cells that each kind of dirt takes: disguised missing cells, numbers as
text, typing errors, other forms of a level; --copies the share of rows that are written a second time. Without dirt,
Parquet is typed; with dirt, it is text. Prints what was written as JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent.parent))

from dirt.hands import HANDS
from dirt.inject import KINDS, Roles, inject
from dirt.tables import CITIES, COLOURS

__all__ = ["TARGET", "Recipe", "Written", "blocks", "write"]

TARGET = "target"
LEVELS = (3, 6, 12, 25, 50, 120, 400, 1_500)
"""The numbers of levels that columns of categories have in turn."""

BLOCK_CELLS = 4_000_000
"""Cells that are made at once: what bounds the memory."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a table is like; equal recipes give equal files."""

    rows: int
    columns: int = 30
    missing: float = 0.05
    dirt: float = 0.0
    """The share of a column's cells that each kind of dirt takes."""
    copies: float = 0.0
    hand: str = "one"
    seed: int = 0

    @property
    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The columns of numbers and those of categories."""
        numbers = self.columns - self.columns // 2
        return _names("number", numbers), _names("category", self.columns // 2)


@dataclass(kw_only=True)
class Written:
    """What was written."""

    rows: int = 0
    copies: int = 0
    """Rows among them that equal an earlier one."""
    empty: int = 0
    """Cells that are empty, copies counted."""
    dirt: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    """Cells that were dirtied, by kind, those of copies not counted."""


def _names(kind: str, count: int) -> tuple[str, ...]:
    return tuple(f"{kind} {place}" for place in range(count))


def blocks(recipe: Recipe, written: Written) -> Iterator[pl.DataFrame]:
    """Give the table block by block, each from a seed of its own, and count what is in it."""
    size = max(1, BLOCK_CELLS // max(recipe.columns, 1))
    for number, first in enumerate(range(0, recipe.rows, size)):
        frame = _block(recipe, min(size, recipe.rows - first), number)
        written.empty += sum(frame.null_count().row(0))
        if recipe.dirt or recipe.copies:
            frame = _dirtied(frame, recipe, number, written)
        written.rows += frame.height
        yield frame


def _block(recipe: Recipe, rows: int, number: int) -> pl.DataFrame:
    draw = np.random.default_rng([recipe.seed, number])
    score = draw.normal(0, 1, rows)
    columns = []
    numbers, categories = recipe.names
    for place, name in enumerate(numbers):
        values = _numbers(place, rows, draw)
        score += 0.5 * _ranks(values) if place < 4 else 0.0
        columns.append(_with_holes(pl.Series(name, values), recipe.missing, draw))
    for place, name in enumerate(categories):
        levels = _levels(place)
        weights = 1.0 / np.arange(2, len(levels) + 2)
        ids = np.searchsorted(np.cumsum(weights / weights.sum())[:-1], draw.random(rows)).astype(np.uint32)
        score += 0.8 * (ids == 0) if place < 4 else 0.0
        columns.append(_with_holes(pl.Series(name, levels).gather(ids), recipe.missing, draw))
    target = pl.Series(TARGET, ["no", "yes"]).gather((score > 1.2).astype(np.uint32))
    return pl.DataFrame([*columns, target])


def _numbers(place: int, rows: int, draw: np.random.Generator) -> np.ndarray[Any, Any]:
    """Make whole numbers, amounts with two decimals, measures of all digits and of four, in turn."""
    kind = place % 4
    if kind == 0:
        return draw.integers(0, 100 * 10 ** (place // 4 % 4), rows)
    if kind == 1:
        return np.round(draw.lognormal(6 + place % 3, 0.8, rows), 2)
    values = draw.normal(10.0 * place, 1.0 + place, rows)
    return values if kind == 2 else np.round(values, 4)


def _ranks(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return (values - np.median(values)) / max(float(np.ptp(np.quantile(values, (0.1, 0.9)))), 1e-9)


def _levels(place: int) -> list[str]:
    """Name the levels of a column: cities and colours with what tells them apart, none a slip of another."""
    count = LEVELS[place % len(LEVELS)]
    words = CITIES if count > len(COLOURS) else COLOURS
    return [
        f"{words[level % len(words)]} {level // len(words)}" if level >= len(words) else words[level]
        for level in range(count)
    ]


def _with_holes(series: pl.Series, share: float, draw: np.random.Generator) -> pl.Series:
    if not share:
        return series
    holes = pl.Series(draw.random(len(series)) < share)
    return series.to_frame().select(pl.when(~holes).then(pl.col(series.name)).alias(series.name)).to_series()


def _dirtied(frame: pl.DataFrame, recipe: Recipe, number: int, written: Written) -> pl.DataFrame:
    numbers, categories = recipe.names
    features = frame.with_columns(pl.all().cast(pl.String))
    dirt = inject(
        features,
        Roles(numbers, categories, ()),
        hand=recipe.hand,
        rate=recipe.dirt,
        copies=recipe.copies,
        seed=1_000_003 * recipe.seed + number,
    )
    for kind, by_column in dirt.cells.items():
        written.dirt[kind] += sum(len(rows) for rows in by_column.values())
    written.copies += int(dirt.copies.sum())
    return dirt.frame


def write(path: Path, recipe: Recipe) -> Written:
    """Write a table as CSV or Parquet, by the path's ending, and give what is in it."""
    written = Written()
    if path.suffix == ".parquet":
        _write_parquet(path, blocks(recipe, written))
    else:
        with path.open("wb") as file:
            _write_csv(file, blocks(recipe, written))
    return written


def _write_csv(file: IO[bytes], frames: Iterator[pl.DataFrame]) -> None:
    for place, frame in enumerate(frames):
        frame.write_csv(file, include_header=place == 0)


def _write_parquet(path: Path, frames: Iterator[pl.DataFrame]) -> None:
    writer: Any = None
    for frame in frames:
        table = frame.to_arrow()
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, metavar="OUT", help="the file: .csv or .parquet")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--columns", type=int, default=30, help="columns beside the target")
    parser.add_argument("--missing", type=float, default=0.05, help="share of empty cells")
    parser.add_argument("--dirt", type=float, default=0.0, help="share of a column's cells that each kind takes")
    parser.add_argument("--copies", type=float, default=0.0, help="share of rows that are written twice")
    parser.add_argument("--hand", choices=sorted(HANDS), default="one", help="who writes the dirt")
    parser.add_argument("--seed", type=int, default=0)
    given = vars(parser.parse_args())
    path = given.pop("path")
    print(json.dumps({"path": str(path), **given, "written": asdict(write(path, Recipe(**given)))}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
