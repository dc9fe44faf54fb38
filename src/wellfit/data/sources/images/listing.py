"""A table with a column of paths: each row is an image, its other cells tell of it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import polars as pl

from wellfit.data.sources.images.layout import is_image
from wellfit.errors import DataError, shown

__all__ = ["path_column", "paths_below"]

_LOOKED_AT = 1000


def path_column(frame: pl.DataFrame) -> str:
    """Find the one column whose cells are paths of images.

    Raises:
        DataError: there is none, or there are several.
    """
    found = [series.name for series in frame if series.dtype == pl.String and _are_paths(series)]
    if len(found) != 1:
        got = found or frame.columns
        rule = "A table of images must have one column of paths."
        raise DataError(rule, got=got, do="Its cells end in .png, .jpg or the like.")
    return found[0]


def _are_paths(series: pl.Series) -> bool:
    cells = series.drop_nulls().head(_LOOKED_AT).to_list()
    return bool(cells) and sum(map(is_image, cells)) > 0.9 * len(cells)


def paths_below(cells: list[Any], folder: Path) -> tuple[list[str | None], dict[str, str]]:
    """Give paths as they are counted from the table's folder, None for those that may not be opened, and why not.

    Raises:
        DataError: no path is below the folder.
    """
    paths: list[str | None] = []
    outside: dict[str, str] = {}
    for row, cell in enumerate(cells):
        reason = _outside(cell, folder)
        if reason:
            outside[f"row {row}, {shown(cell)}"] = reason
        paths.append(None if reason else _plain(cell).as_posix())
    if outside and all(path is None for path in paths):
        got = next(f"{name}: {reason}" for name, reason in outside.items())
        do = "Write paths that are counted from the table's folder."
        raise DataError("Images must lie below the table's folder.", got=got, do=do)
    return paths, outside


def _plain(cell: Any) -> PurePosixPath:
    return PurePosixPath(str(cell).replace("\\", "/"))


def _outside(cell: Any, folder: Path) -> str:
    """Say why a path may not be opened; nothing where it may."""
    if cell is None:
        return "the path is missing"
    path = _plain(cell)
    if path.is_absolute() or ".." in path.parts:
        return "the path must be counted from the table's folder"
    # A link may lead elsewhere, too.
    inside = (folder / path).resolve().is_relative_to(folder.resolve())
    return "" if inside else "the path leads out of the table's folder"
