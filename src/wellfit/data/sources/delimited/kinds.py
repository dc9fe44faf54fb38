"""What the columns of a large plain file may be held as, told by lines from all over it.

whole numbers      every text of the sample is one, in the one way in which it can be written
decimal numbers    the same, and no text can be taken for one that groups its thousands by points
levels             the texts of the sample return
text               every other column

The rest of a column need not keep to what its sample says: a cell that does not fit makes the column text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import polars as pl

from wellfit.data.compact import compact_text

__all__ = ["compact_types", "sampled_cells"]

PLACES, LINES = 512, 8
"""Places of a file where lines are read, and how many at each."""

FEWEST = 100
"""Cells of a sample that tell what a column is."""

RETURNING = 0.5
"""Different texts of a sample, as a share of it, up to which they are levels."""

RARE = 16
"""For each level of a sample, so many have room in the column."""

UNGROUPED = 0.05
"""The share of numbers that no point can group, from which on points are decimal ones."""

_WHOLE = re.compile(r"-?[1-9][0-9]{0,17}|0")
_DECIMAL = re.compile(r"-?(?:[1-9][0-9]*|0)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,2})?")
_GROUPED = re.compile(r"-?[1-9][0-9]{0,2}(?:\.[0-9]{3})+")


def sampled_cells(path: Path, separator: str, width: int) -> list[tuple[str, ...]] | None:
    """Give the cells of each column on lines from all over a file; None where a line has not as many as columns."""
    rows = [line.split(separator) for line in _lines(path)]
    if not rows or any(len(row) != width for row in rows):
        return None
    return list(zip(*rows, strict=True))


def _lines(path: Path) -> Iterator[str]:
    size, end = path.stat().st_size, 0
    with path.open("rb") as file:
        for place in range(PLACES):
            if (start := size * place // PLACES) < end:
                continue
            file.seek(start)
            # What is left of a line, or the first one of the file, which may be its header.
            file.readline()
            for _ in range(LINES):
                if line := file.readline().removesuffix(b"\n"):
                    yield line.decode("utf-8", "replace")
            end = file.tell()


def compact_types(
    names: Sequence[str], cells: Sequence[Sequence[str]], texts: Collection[str]
) -> dict[str, pl.DataType | type[pl.DataType]]:
    """Give the type that each column may be held in.

    >>> compact_types(["a", "b", "c"], [["1", "25"] * 60, ["0.5", ""] * 120, ["001", "002"] * 60], ())["a"]
    Int64

    Args:
        names: The names of the columns.
        cells: A sample of the cells of each.
        texts: The columns that stay text, which may be held by levels.
    """
    return {
        name: _type_of([cell for cell in its if cell], numbers=name not in texts)
        for name, its in zip(names, cells, strict=True)
    }


def _type_of(cells: Sequence[str], *, numbers: bool) -> pl.DataType | type[pl.DataType]:
    different = set(cells)
    if len(cells) < FEWEST:
        return pl.String
    if numbers and all(map(_WHOLE.fullmatch, different)):
        return pl.Int64
    if numbers and all(map(_DECIMAL.fullmatch, different)) and _has_decimal_points(different):
        return pl.Float64
    return compact_text(RARE * len(different)) if len(different) <= RETURNING * len(cells) else pl.String


def _has_decimal_points(different: Collection[str]) -> bool:
    """Say whether points can't be taken for those of thousands, whatever part of the column is looked at."""
    ungrouped = sum("." in text and not _GROUPED.fullmatch(text) for text in different)
    return ungrouped >= max(3, UNGROUPED * len(different))
