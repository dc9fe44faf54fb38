"""Kinds of sources, one a file, and `read_table`, which finds the kind of what it is given.

>>> read_table({"age": [31, 44], "job": ["clerk", "cook"]}).frame.shape
(2, 2)
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from wellfit.data.sources import (
    arrow_table,
    cloud,
    images,
    json_records,
    many,
    mapping,
    numpy_array,
    pandas_frame,
    polars_frame,
    sql,
    web,
)
from wellfit.data.sources.entry import Header, ImageEntry, Reading, RemoteEntry, SourceEntry, StayText
from wellfit.data.sources.excel import sheet_of
from wellfit.data.sources.file_kinds import FILE_KINDS, read_with
from wellfit.data.sources.images.recognition import PREFIX, ToldImages
from wellfit.data.sources.many.finding import files_of_list, files_of_pattern, is_pattern
from wellfit.data.sources.paths import looks_like_uri, masked, readable_file
from wellfit.data.sources.remote import Near, brought_near
from wellfit.data.table import Table
from wellfit.errors import ConfigError, DataError, did_you_mean
from wellfit.registry import Family

__all__ = ["SOURCES", "SourceEntry", "located", "read_table", "remote_entry"]

SOURCES: Family[SourceEntry] = Family(
    "sources",
    "source",
    [
        polars_frame.ENTRY,
        pandas_frame.ENTRY,
        numpy_array.ENTRY,
        mapping.ENTRY,
        arrow_table.ENTRY,
        sql.ENTRY,
        web.ENTRY,
        cloud.ENTRY,
        images.ENTRY,
        many.ENTRY,
        *FILE_KINDS,
    ],
)
"""In the order in which they are asked; the last, delimited text, takes every file that no other kind knows."""


def read_table(
    source: Any, *, header: Header = "auto", reading: Reading | None = None, texts: StayText | None = None
) -> Table:
    """Read a table from a path, a database, the web or from memory.

    Args:
        source: a path, a pattern (``data/*.csv``), a list of paths, a folder of partitions, ``book.xlsx?sheet=NAME``,
            the address of a database (``sql:...``), on the web (``https://...``) or in a bucket (``s3://...``), or a
            frame of pandas, Polars or pyarrow, a 2-D NumPy array, a dictionary of columns; what `brought` gave.
        header: whether the first line of delimited text names the columns; ``auto`` judges. Other kinds ignore it.
        reading: what some sources need to be told beside their address: the way to the records of an API and the like.
        texts: which of the columns of a large text file stay text, where others may be held as numbers (see `Table`);
            None: all do, and in full.

    Raises:
        RunFailed: a source far away could not be reached, or failed.
        DataError: the source is unknown, missing, unreadable, empty or at fault.
        ConfigError: ``header`` is neither ``auto`` nor true nor false.

    >>> read_table({"a": [1, 2]}).record.kind
    'dict'
    """
    if header not in ("auto", True, False):
        raise ConfigError("'header' must be auto, true or false.", got=header, do="Try auto.")
    place, told = located(source), reading or Reading()
    if isinstance(place, Table):
        return place
    if isinstance(place, Near):
        # The records of an API were looked up when its answers came.
        plain = replace(told, records=None)
        return place.table(lambda path: read_table(path, header=header, reading=plain))
    if (remote := remote_entry(place)) is not None:
        with brought_near(remote, place, told) as near:
            return read_table(near, header=header, reading=told)
    if told.records is not None and isinstance(place, Path) and json_records.ENTRY.matches(place):
        place = json_records.Records(place, told.records)
    for entry in SOURCES.values():
        if entry.matches(place):
            return read_with(entry.compact(texts), place, told if isinstance(entry, ImageEntry) else header)
    raise _unknown(place)


def remote_entry(place: Any) -> RemoteEntry | None:
    """Give the kind of a source whose files are brought here before they are read; None of any other.

    Args:
        place: what `located` gave.
    """
    remote = (entry for entry in SOURCES.values() if isinstance(entry, RemoteEntry))
    return next((entry for entry in remote if entry.matches(place)), None)


def located(source: Any) -> Any:
    """Turn what names files into the paths of readable ones; leave the rest.

    Raises:
        DataError: a file is missing or can't be read.
    """
    if isinstance(source, (list, tuple)) and source and all(isinstance(one, (str, os.PathLike)) for one in source):
        return files_of_list(source)
    if not isinstance(source, (str, os.PathLike)):
        return source
    text = os.fsdecode(source)
    if not text.strip():
        raise DataError("A source must be named.", got=text, do="Give the path of a file.")
    if text.startswith("~"):
        text = os.path.expanduser(text)
    if text.startswith(PREFIX):
        return _told_images(text.removeprefix(PREFIX))
    if looks_like_uri(text) and not os.path.exists(text):
        return text
    if sheet := sheet_of(text):
        return sheet
    if is_pattern(text):
        return files_of_pattern(text)
    return Path(text) if os.path.isdir(text) else readable_file(Path(text))


def _told_images(text: str) -> Any:
    """Give the place of images; what lies far away tells by itself what it holds."""
    if looks_like_uri(text):
        return text
    return ToldImages(Path(text) if Path(text).is_dir() else readable_file(Path(text)))


def _unknown(source: Any) -> DataError:
    if isinstance(source, str):
        kind = source.partition(":")[0]
        rule = f"There is no source of the kind '{kind}'."
        return DataError(rule, got=masked(source), do=did_you_mean(kind, SOURCES))
    kinds = "; ".join(entry.summary for entry in SOURCES.values())
    return DataError("A source must be a path or a table in memory.", got=type(source), do=f"Known: {kinds}.")
