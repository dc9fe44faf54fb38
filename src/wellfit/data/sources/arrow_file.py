"""Arrow IPC files: Feather and Arrow streams."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import ipc

from wellfit.data.sources.arrow_table import frame_of
from wellfit.data.sources.contents import checksum_of, first_bytes
from wellfit.data.sources.entry import Header, SourceEntry
from wellfit.data.sources.finish import finished
from wellfit.data.table import Table
from wellfit.errors import DataError

__all__ = ["ENTRY"]

_MAGIC = b"ARROW1"
_SUFFIXES = (".arrow", ".feather", ".ipc", ".arrows")


def read(source: Path, header: Header) -> Table:
    """Read every column with its type, from the file format or the stream format.

    Raises:
        DataError: the file is cut off, damaged or no Arrow file.
    """
    try:
        with source.open("rb") as file:
            opened = ipc.open_file if first_bytes(source, len(_MAGIC)) == _MAGIC else ipc.open_stream
            table = opened(file).read_all()
            table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError, TypeError) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        do = f"Write or fetch it again. The reader says: {reason}."
        raise DataError("The Arrow file is cut off or damaged.", got=str(source), do=do) from None
    details = {"bytes": source.stat().st_size}
    return finished(frame_of(table), uri=str(source), kind="arrow_file", checksum=checksum_of(source), details=details)


def _matches(source: Any) -> bool:
    if not isinstance(source, Path):
        return False
    return source.suffix.lower() in _SUFFIXES or first_bytes(source, len(_MAGIC)) == _MAGIC


ENTRY = SourceEntry(name="arrow_file", summary="an Arrow or Feather file", make=read, matches=_matches)
