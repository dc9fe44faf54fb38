"""The kinds of files that hold one table each, and `read_file`, which finds the kind by name and first bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wellfit.data.sources import arrow_file, delimited, excel, json_records, parquet
from wellfit.data.sources.entry import Header, Reading, SourceEntry
from wellfit.data.sources.paths import masked
from wellfit.data.table import Table
from wellfit.errors import DataError

__all__ = ["FILE_KINDS", "naming", "read_file", "read_with"]

FILE_KINDS: tuple[SourceEntry, ...] = (
    parquet.ENTRY,
    arrow_file.ENTRY,
    excel.ENTRY,
    json_records.ENTRY,
    delimited.ENTRY,
)
"""In the order in which they are asked; delimited text takes every file that no other kind knows."""


def read_file(path: Path, header: Header = "auto") -> Table:
    """Read the table that a file holds.

    Raises:
        DataError: the file is at fault.
    """
    return read_with(next(entry for entry in FILE_KINDS if entry.matches(path)), path, header)


def read_with(entry: SourceEntry, located: Any, told: Header | Reading) -> Table:
    """Read a source, and say in an error which file it speaks of."""
    with naming(located):
        table: Table = entry.make(located, told)
        return table


@contextmanager
def naming(located: Any) -> Iterator[None]:
    """Have errors say which source they speak of."""
    try:
        yield
    except OSError as error:
        raise DataError("Reading the file failed.", got=masked(str(located)), do=f"The system says: {error}.") from None
    except DataError as error:
        if not isinstance(located, Path) or str(located) in str(error):
            raise
        raise DataError(f"{located.name}: {error.rule}", got=error.got, do=error.do) from None
