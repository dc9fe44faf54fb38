"""Parquet files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from wellfit.data.sources.arrow_table import frame_of
from wellfit.data.sources.contents import checksum_of, first_bytes
from wellfit.data.sources.entry import Header, SourceEntry
from wellfit.data.sources.finish import finished
from wellfit.data.table import Table
from wellfit.errors import DataError

__all__ = ["ENTRY"]

_MAGIC = b"PAR1"
_SUFFIXES = (".parquet", ".parq", ".pq")


def read(source: Path, header: Header) -> Table:
    """Read every column with its type.

    Raises:
        DataError: the file is cut off, damaged or no Parquet.
    """
    try:
        # memory mapping is off: a file that shrinks while it is mapped kills the process
        table = parquet.ParquetFile(source, memory_map=False).read()
    except (pa.ArrowException, OSError, ValueError, TypeError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        do = f"Write or fetch it again. The reader says: {reason}."
        raise DataError("The Parquet file is cut off or damaged.", got=str(source), do=do) from None
    details = {"bytes": source.stat().st_size}
    return finished(frame_of(table), uri=str(source), kind="parquet", checksum=checksum_of(source), details=details)


def _matches(source: Any) -> bool:
    return isinstance(source, Path) and (source.suffix.lower() in _SUFFIXES or first_bytes(source) == _MAGIC)


ENTRY = SourceEntry(name="parquet", summary="a Parquet file", make=read, matches=_matches)
