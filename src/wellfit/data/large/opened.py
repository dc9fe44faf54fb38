"""A file whose rows come in batches: its first rows as a table, and a way through all of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
from pyarrow import ipc, parquet

from wellfit.data.large.spool import Spooling
from wellfit.data.sources.arrow_table import frame_of
from wellfit.data.sources.contents import first_bytes, open_content
from wellfit.data.sources.delimited.batches import TextBatches
from wellfit.data.sources.delimited.decimal_mark import decimal_mark_of
from wellfit.data.sources.delimited.encoding import detect_encoding, encoding_note
from wellfit.data.sources.entry import Header
from wellfit.data.sources.file_kinds import naming
from wellfit.data.sources.finish import finished
from wellfit.data.sources.json_records import record_batches
from wellfit.data.table import Table
from wellfit.errors import DataError

__all__ = ["KINDS", "Named", "Opened", "opened"]

HEAD = 1000
"""Rows that tell a file's types and are held against those of other files."""
ROWS = 65_536
"""Rows that are taken from a typed file at once."""


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A file whose rows come in batches."""

    table: Table
    """Its first rows, and what was decided while they were read."""
    batches: Iterable[pl.DataFrame]

    def with_checksum(self, checksum: str) -> Opened:
        """Give the file with the checksum of its bytes."""
        record = replace(self.table.record, checksum=checksum)
        return replace(self, table=replace(self.table, record=record))


def opened(kind: str, path: Path, header: Header, spooling: Spooling) -> Opened | None:
    """Open a file of a kind; None where files of the kind are read as a whole.

    Raises:
        DataError: the file is at fault.
    """
    with naming(path):
        found = _opened(kind, path, header, spooling)
    return None if found is None else replace(found, batches=Named(found.batches, partial(naming, path)))


@dataclass(frozen=True)
class Named:
    """Rows on their way, whose errors say where they come from."""

    rows: Iterable[pl.DataFrame]
    naming: Callable[[], AbstractContextManager[None]]

    def __iter__(self) -> Iterator[pl.DataFrame]:
        with self.naming():
            yield from self.rows


def _opened(kind: str, path: Path, header: Header, spooling: Spooling) -> Opened | None:
    if kind == "delimited":
        return _of_text(path, header)
    if kind in _READERS:
        batches = _Typed(path, *_READERS[kind])
        return Opened(table=_head(batches, path, kind, {"bytes": path.stat().st_size}), batches=batches)
    lines = record_batches(path, ROWS) if kind == "json" else None
    if lines is None:
        return None
    spool = spooling(lines)
    content = open_content(path)
    encoding = detect_encoding(content)
    details = {"layout": "lines", "encoding": encoding, "compression": content.compression}
    notes = [note for note in [encoding_note(encoding)] if note]
    table = _head(spool, path, kind, {**details, "bytes": path.stat().st_size})
    return Opened(table=replace(table, notes=(*notes, *table.notes)), batches=spool)


def _of_text(path: Path, header: Header) -> Opened:
    text = TextBatches(path, header)
    first = _first_rows(text)
    details = {**text.details(), "decimal": decimal_mark_of(first)}
    notes = text.notes(header) + (["Numbers have a decimal comma."] if details["decimal"] == "," else [])
    table = finished(first, uri=str(path), kind="delimited", checksum="-", details=details, notes=notes)
    return Opened(table=table, batches=text)


def _head(batches: Iterable[pl.DataFrame], path: Path, kind: str, details: dict[str, Any]) -> Table:
    return finished(_first_rows(batches), uri=str(path), kind=kind, checksum="-", details=details)


def _first_rows(batches: Iterable[pl.DataFrame]) -> pl.DataFrame:
    found = list(itertools.islice(batches, 1))
    return found[0].head(HEAD) if found else pl.DataFrame()


Reader = Callable[[Path], Iterator[pa.Table]]


@dataclass(frozen=True)
class _Typed:
    """The rows of a file that states its columns' types."""

    path: Path
    read: Reader
    name: str

    def __iter__(self) -> Iterator[pl.DataFrame]:
        empty: pl.DataFrame | None = None
        try:
            for table in self.read(self.path):
                frame = frame_of(table)
                if frame.height:
                    empty = frame[:0]
                    yield frame
        except (pa.ArrowException, OSError, ValueError, TypeError) as error:
            if isinstance(error, DataError):
                raise
            reason = str(error).partition("\n")[0].rstrip(".")
            do = f"Write or fetch it again. The reader says: {reason}."
            raise DataError(f"The {self.name} file is cut off or damaged.", got=str(self.path), do=do) from None
        if empty is None:
            raise DataError("The table has no rows.", got=str(self.path), do="Give a table with at least one row.")


def _parquet(path: Path) -> Iterator[pa.Table]:
    file = parquet.ParquetFile(path, memory_map=False, pre_buffer=False)
    for batch in file.iter_batches(batch_size=ROWS):
        yield pa.Table.from_batches([batch])


def _arrow(path: Path) -> Iterator[pa.Table]:
    with path.open("rb") as file:
        if first_bytes(path, 6) == b"ARROW1":
            reader = ipc.open_file(file)
            batches: Iterable[pa.RecordBatch] = map(reader.get_batch, range(reader.num_record_batches))
        else:
            batches = ipc.open_stream(file)
        for batch in batches:
            batch.validate(full=True)
            yield pa.Table.from_batches([batch])


_READERS: dict[str, tuple[Reader, str]] = {"parquet": (_parquet, "Parquet"), "arrow_file": (_arrow, "Arrow")}

KINDS = ("delimited", *_READERS)
"""Kinds of files whose rows always come in batches; of JSON, those of one record a line do."""
