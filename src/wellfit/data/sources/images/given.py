"""Images that are given for a prediction: single files, lists of files, tables of paths, arrays. One row for each."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from wellfit.data.sources.columns import column_of
from wellfit.data.sources.entry import Reading
from wellfit.data.sources.file_kinds import read_file
from wellfit.data.sources.finish import finished
from wellfit.data.sources.images.arrays import as_pictures, shaped_arrays
from wellfit.data.sources.images.blobs import LARGEST, is_archive
from wellfit.data.sources.images.decoding import decode, survey
from wellfit.data.sources.images.layout import is_image
from wellfit.data.sources.images.listing import path_column, paths_below
from wellfit.data.sources.images.recognition import PREFIX
from wellfit.data.table import Images, Table
from wellfit.errors import DataError

__all__ = ["images_given"]

_TABLES = (".csv", ".tsv", ".parquet", ".json", ".ndjson", ".jsonl", ".arrow", ".feather", ".xlsx")


def images_given(data: Any, reading: Reading) -> Table | None:
    """Read images of which each must have a row; None for folders, archives and the like, which are sources.

    A file that can't be decoded has a row whose ``image`` is null.

    Raises:
        DataError: no image can be decoded.
    """
    array = _as_array(data)
    if array is not None:
        return _from_array(array, reading)
    if isinstance(data, (list, tuple)) and data and all(isinstance(one, (str, os.PathLike)) for one in data):
        return _from_files([Path(one) for one in data], reading)
    if not isinstance(data, (str, os.PathLike)):
        return None
    path = Path(os.fspath(data).removeprefix(PREFIX))
    if path.is_file() and is_image(path.name):
        return _from_files([path], reading)
    if path.is_file() and path.name.lower().endswith(_TABLES) and not is_archive(path):
        return _from_listing(path, reading)
    return None


def _as_array(data: Any) -> np.ndarray[Any, Any] | None:
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(data, torch.Tensor):
        return np.asarray(data.detach().cpu().numpy())
    return data if isinstance(data, np.ndarray) else None


def _from_array(array: np.ndarray[Any, Any], reading: Reading) -> Table:
    # One image: a plane, or height and width with colours behind.
    single = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4) and array.shape[1] > 4)
    pictures = list(as_pictures(array[None] if single else array, "array"))
    decoded, found = shaped_arrays(pictures, reading)
    return _table("array", decoded, found, {"image": list(range(len(pictures)))}, {})


def _from_listing(path: Path, reading: Reading) -> Table:
    frame = read_file(path).frame
    cells = frame.get_column(path_column(frame)).to_list()
    names, outside = paths_below(cells, path.parent)
    table = _from_files([path.parent / name for name in names if name is not None], reading)
    found = iter(table.frame.get_column("image").to_list())
    rows = pl.Series("image", [None if name is None else next(found) for name in names], dtype=pl.Int64)
    files = pl.Series("file", [str(cell) if name is None else name for name, cell in zip(names, cells, strict=True)])
    others = [series for series in frame.get_columns() if series.name not in ("image", "file")]
    assert table.images is not None
    images = replace(table.images, broken={**outside, **table.images.broken})
    return Table(frame=pl.DataFrame([rows, files, *others]), record=table.record, images=images)


def _from_files(paths: Sequence[Path], reading: Reading) -> Table:
    names = [str(path) for path in paths]
    contents = {name: _content(Path(name)) for name in dict.fromkeys(names)}
    found = survey(contents.items())
    decoded = decode(((name, contents[name]) for name in found.good), found, reading)
    place_of = {name: place for place, name in enumerate(decoded.names)}
    return _table(
        "files", decoded, found, {"image": [place_of.get(name) for name in names], "file": names}, decoded.broken
    )


def _content(path: Path) -> bytes:
    """Read a file; what can't be read is nothing, and is named as broken."""
    if not path.exists():
        raise DataError("There is no such file.", got=str(path), do="Check the path.")
    try:
        return path.read_bytes() if path.stat().st_size <= LARGEST else b""
    except OSError:
        return b""


def _table(uri: str, decoded: Any, found: Any, columns: dict[str, Any], broken: dict[str, str]) -> Table:
    frame = pl.DataFrame([column_of(name, values) for name, values in columns.items()])
    table = finished(frame, uri=uri, kind="images", checksum=decoded.checksum, details={})
    images = Images(
        pixels=decoded.pixels,
        modes=dict(found.modes),
        sizes={f"{size[0]} x {size[1]}": number for size, number in found.sizes.items()},
        resized=decoded.resized,
        converted=decoded.converted,
        duplicates=decoded.duplicates,
        broken=broken,
    )
    return Table(frame=table.frame, record=table.record, images=images)
