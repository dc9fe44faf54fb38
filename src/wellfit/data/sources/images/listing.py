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


def paths_below(cells: list[Any], folder: Path) -> list[str]:
    """Give paths as they are counted from the table's folder.

    Raises:
        DataError: a path is missing, or leaves the folder.
    """
    paths = []
    for row, cell in enumerate(cells):
        path = PurePosixPath(str(cell or "").replace("\\", "/"))
        if cell is None or path.is_absolute() or ".." in path.parts:
            do = "Write paths that are counted from the table's folder."
            raise DataError(f"Row {row}: the path must lie below the table's folder.", got=shown(cell), do=do)
        if not (folder / path).resolve().is_relative_to(folder.resolve()):
            do = "Put the image there instead of a link."
            raise DataError(f"Row {row}: the path leads out of the table's folder.", got=shown(cell), do=do)
        paths.append(path.as_posix())
    return paths
