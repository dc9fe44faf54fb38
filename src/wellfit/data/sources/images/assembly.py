"""The table of a set of images: rows that point at pixels, and what a person should know of the set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from wellfit.data.sources.columns import column_of
from wellfit.data.sources.contents import checksum_of
from wellfit.data.sources.entry import Reading
from wellfit.data.sources.file_kinds import read_file
from wellfit.data.sources.finish import finished
from wellfit.data.sources.images.arrays import shaped_arrays
from wellfit.data.sources.images.blobs import Blobs, blobs_of
from wellfit.data.sources.images.cifar import is_cifar, is_pickled_cifar, read_cifar
from wellfit.data.sources.images.dataset import pictures_of
from wellfit.data.sources.images.decoding import Decoded, Survey, decode, survey
from wellfit.data.sources.images.empty import empty_classes
from wellfit.data.sources.images.idx import is_idx, read_idx
from wellfit.data.sources.images.layout import is_image, places_of
from wellfit.data.sources.images.listing import path_column, paths_below
from wellfit.data.sources.images.npz import read_npz
from wellfit.data.sources.images.parts import Part
from wellfit.data.table import Images, Table
from wellfit.errors import DataError
from wellfit.findings import Finding

__all__ = ["from_blobs", "from_dataset", "from_npz", "from_table"]

_NAMED = 5
"""Broken files that a message names."""


def from_blobs(path: Path, reading: Reading) -> Table:
    """Read a folder or an archive: of class folders, of IDX files or of CIFAR's binary ones."""
    blobs = blobs_of(path)
    for recognised, read in ((is_idx, read_idx), (is_cifar, read_cifar)):
        names = [name for name in blobs.sizes if recognised(name)]
        if names:
            return _from_parts(str(path), read(blobs, names), reading)
    names = [name for name in blobs.sizes if is_image(name)]
    if not names and any(map(is_pickled_cifar, blobs.sizes)):
        do = "Give its binary version (cifar-10-binary.tar.gz)."
        raise DataError("CIFAR's Python version is pickled, and pickles are never opened.", got=str(path), do=do)
    if not names:
        raise DataError("There are no images in it.", got=str(path), do="Give a folder per class, with images in it.")
    decoded, found = _decoded(blobs, names, reading)
    place_of = {place.file: place for place in places_of(names)}
    places = [place_of[name] for name in decoded.names]
    columns: dict[str, Any] = {"label": [place.label for place in places]}
    if places[0].split is not None:
        columns["split"] = [place.split for place in places]
    table = _table(str(path), decoded, found, {"file": list(decoded.names), **columns}, layout="class folders")
    return replace(table, findings=(*table.findings, *empty_classes(path, places)))


def from_table(path: Path, reading: Reading) -> Table:
    """Read a table whose rows are images, by a column of paths."""
    told = read_file(path)
    name = path_column(told.frame)
    paths, outside = paths_below(told.frame.get_column(name).to_list(), path.parent)
    blobs = blobs_of(path.parent)
    listed = [one for one in dict.fromkeys(paths) if one is not None]
    decoded, found = _decoded(blobs, [one for one in listed if one in blobs.sizes], reading)
    absent = {one: "there is no such file" for one in listed if one not in blobs.sizes}
    row_of = {one: row for row, one in enumerate(decoded.names)}
    rows = [None if one is None else row_of.get(one) for one in paths]
    kept = told.frame.with_columns(pl.Series("image", rows, dtype=pl.Int64)).filter(pl.col("image").is_not_null())
    broken = {**outside, **absent, **decoded.broken}
    return _table(str(path), decoded, found, dict(kept.to_dict()), layout="table of paths", broken=broken)


def from_npz(path: Path, reading: Reading) -> Table:
    """Read a NumPy archive."""
    return _from_parts(str(path), read_npz(path), reading, checksum_of(path))


def from_dataset(source: Any, reading: Reading) -> Table:
    """Read a torch dataset."""
    items = pictures_of(source)
    decoded, found = shaped_arrays(items.pictures, reading)
    columns = {"file": [str(place) for place in items.places], "label": items.labels}
    return _table(type(source).__name__, decoded, found, columns, layout="torch dataset", broken=items.broken)


def _from_parts(uri: str, parts: Sequence[Part], reading: Reading, checksum: str | None = None) -> Table:
    pictures = [picture for part in parts for picture in part.images]
    decoded, found = shaped_arrays(pictures, reading)
    labelled = any(part.labels is not None for part in parts)
    columns: dict[str, Any] = {
        "file": [f"{part.source}[{place}]" for part in parts for place in range(len(part.images))],
        "label": [label for part in parts for label in _labels(part)] if labelled else [None] * len(pictures),
    }
    if any(part.split for part in parts):
        columns["split"] = [part.split for part in parts for _ in range(len(part.images))]
    return _table(uri, decoded, found, columns, layout="arrays", checksum=checksum)


def _labels(part: Part) -> list[Any]:
    if part.labels is None:
        return [None] * len(part.images)
    return [label.item() if hasattr(label, "item") else label for label in part.labels]


def _decoded(blobs: Blobs, names: Sequence[str], reading: Reading) -> tuple[Decoded, Survey]:
    found = survey(blobs.read(set(names)))
    return decode(blobs.read(set(found.good)), found, reading), found


def _table(
    uri: str,
    decoded: Decoded,
    found: Survey,
    columns: Mapping[str, Any],
    *,
    layout: str,
    broken: Mapping[str, str] | None = None,
    checksum: str | None = None,
) -> Table:
    aside = dict(decoded.broken if broken is None else broken)
    count, channels, height, width = decoded.pixels.shape
    places = {"image": columns["image"] if "image" in columns else list(range(count))}
    frame = pl.DataFrame([column_of(name, values) for name, values in {**places, **columns}.items()])
    details = {
        "layout": layout,
        "images": count,
        "channels": channels,
        "height": height,
        "width": width,
        "resized": decoded.resized,
        "converted": decoded.converted,
        "broken": len(aside),
    }
    table = finished(frame, uri=uri, kind="images", checksum=checksum or decoded.checksum, details=details)
    images = _kept(decoded, found, aside)
    return replace(table, findings=tuple(_findings(images, count)), images=images)


def _kept(decoded: Decoded, found: Survey, aside: Mapping[str, str]) -> Images:
    return Images(
        pixels=decoded.pixels,
        modes=dict(found.modes.most_common()),
        sizes={f"{size[0]} x {size[1]}": number for size, number in found.sizes.most_common()},
        resized=decoded.resized,
        converted=decoded.converted,
        duplicates=decoded.duplicates,
        broken=aside,
    )


def _findings(images: Images, count: int) -> list[Finding]:
    findings = []
    if images.broken:
        first = "; ".join(f"{name}: {reason}" for name, reason in list(images.broken.items())[:_NAMED])
        more = ", ..." if len(images.broken) > _NAMED else ""
        message = f"{_images(len(images.broken))} set aside that can't be decoded: {first}{more}."
        evidence: dict[str, float | int | str] = {"images": len(images.broken), "of": count + len(images.broken)}
        findings.append(
            Finding(code="broken_images", severity="warning", where="file", evidence=evidence, message=message)
        )
    if images.duplicates:
        message = f"{_images(images.duplicates)} equal to an earlier one in every pixel: a split may deal them apart."
        evidence = {"images": images.duplicates}
        findings.append(
            Finding(code="duplicate_rows", severity="info", where="image", evidence=evidence, message=message)
        )
    return findings


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"
