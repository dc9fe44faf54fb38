"""Columns that stand in folder names, as Hive writes them: ``country=de/year=2024/part-0.parquet``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

import polars as pl

from wellfit.errors import DataError

__all__ = ["partition_columns", "partition_of"]

_MISSING = "__HIVE_DEFAULT_PARTITION__"
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}", re.ASCII)


def partition_of(path: Path, root: Path) -> dict[str, str | None]:
    """Give the keys and values of the folders between a root and a file.

    >>> partition_of(Path("data/year=2024/kind=a%20b/x.csv"), Path("data"))
    {'year': '2024', 'kind': 'a b'}
    """
    below = path.relative_to(root) if path.is_relative_to(root) else path
    pairs = [part.partition("=") for part in below.parts[:-1]]
    return {unquote(key): None if value == _MISSING else unquote(value) for key, mark, value in pairs if mark and key}


def partition_columns(
    found: Sequence[dict[str, str | None]], paths: Sequence[Path], heights: Sequence[int], *, text: bool
) -> list[pl.Series]:
    """Make a column of each key, a cell a row; whole numbers are numbers unless ``text`` keeps them as written.

    Raises:
        DataError: a file stands under other keys than the first one.
    """
    for path, values in zip(paths, found, strict=True):
        if list(values) != list(found[0]):
            ours, theirs = (", ".join(keys) or "none" for keys in (values, found[0]))
            rule = f"Files of one table must have the same folder keys: '{path}' has {ours}, '{paths[0]}' has {theirs}."
            raise DataError(rule, do="Move the file, or narrow the pattern.")
    return [_column(key, [values[key] for values in found], heights, text) for key in found[0]]


def _column(key: str, values: Sequence[str | None], heights: Sequence[int], text: bool) -> pl.Series:
    whole = not text and all(value is None or _WHOLE.fullmatch(value) for value in values)
    cells = [int(value) if whole and value is not None else value for value in values]
    kind = pl.Int64 if whole else pl.String
    parts = [
        pl.Series(key, [cell], dtype=kind).new_from_index(0, rows) for cell, rows in zip(cells, heights, strict=True)
    ]
    return pl.concat(parts)
