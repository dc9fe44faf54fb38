"""Kinds of sources, one a file, and `read_table`, which finds the kind of what it is given.

>>> read_table({"age": [31, 44], "job": ["clerk", "cook"]}).frame.shape
(2, 2)
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from wellfit.data.sources import (
    arrow_file,
    arrow_table,
    delimited,
    json_records,
    mapping,
    numpy_array,
    pandas_frame,
    parquet,
    polars_frame,
)
from wellfit.data.sources.entry import Header, SourceEntry
from wellfit.data.sources.paths import looks_like_uri, masked, readable_file
from wellfit.data.table import Table
from wellfit.errors import ConfigError, DataError, did_you_mean
from wellfit.registry import Family

__all__ = ["SOURCES", "SourceEntry", "read_table"]

SOURCES: Family[SourceEntry] = Family(
    "sources",
    "source",
    [
        polars_frame.ENTRY,
        pandas_frame.ENTRY,
        numpy_array.ENTRY,
        mapping.ENTRY,
        arrow_table.ENTRY,
        parquet.ENTRY,
        arrow_file.ENTRY,
        json_records.ENTRY,
        delimited.ENTRY,
    ],
)
"""In the order in which they are asked; delimited text takes every file that no other kind knows."""


def read_table(source: Any, *, header: Header = "auto") -> Table:
    """Read a table from a path or from memory.

    Args:
        source: a path, or a frame of pandas, Polars or pyarrow, a 2-D NumPy array, a dictionary of columns.
        header: whether the first line of delimited text names the columns; ``auto`` judges. Other kinds ignore it.

    Raises:
        DataError: the source is unknown, missing, unreadable, empty or at fault.
        ConfigError: ``header`` is neither ``auto`` nor true nor false.

    >>> read_table({"a": [1, 2]}).record.kind
    'dict'
    """
    if header not in ("auto", True, False):
        raise ConfigError("'header' must be auto, true or false.", got=header, do="Try auto.")
    located = _located(source)
    for entry in SOURCES.values():
        if entry.matches(located):
            return _made(entry, located, header)
    raise _unknown(located)


def _located(source: Any) -> Any:
    """Turn what names a file into the path of a readable one; leave the rest."""
    if not isinstance(source, (str, os.PathLike)):
        return source
    text = os.fsdecode(source)
    if not text.strip():
        raise DataError("A source must be named.", got=text, do="Give the path of a file.")
    if looks_like_uri(text) and not Path(text).exists():
        return text
    return readable_file(Path(text))


def _made(entry: SourceEntry, located: Any, header: Header) -> Table:
    """Read, and say in an error which file it speaks of."""
    try:
        table: Table = entry.make(located, header)
        return table
    except OSError as error:
        raise DataError("Reading the file failed.", got=str(located), do=f"The system says: {error}.") from None
    except DataError as error:
        if not isinstance(located, Path) or str(located) in str(error):
            raise
        raise DataError(f"{located.name}: {error.rule}", got=error.got, do=error.do) from None


def _unknown(source: Any) -> DataError:
    if isinstance(source, str):
        kind = source.partition(":")[0]
        rule = f"There is no source of the kind '{kind}'."
        return DataError(rule, got=masked(source), do=did_you_mean(kind, SOURCES))
    kinds = "; ".join(entry.summary for entry in SOURCES.values())
    return DataError("A source must be a path or a table in memory.", got=type(source), do=f"Known: {kinds}.")
