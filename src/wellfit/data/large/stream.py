"""`RowStream`: a source whose rows come in batches, as often as they are asked for, read as in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from wellfit.data.large.memory import memory_share, table_bytes
from wellfit.data.large.opened import KINDS, Named, Opened, opened
from wellfit.data.large.spool import Spooling
from wellfit.data.sources import images, located
from wellfit.data.sources.entry import Header
from wellfit.data.sources.file_kinds import FILE_KINDS
from wellfit.data.sources.finish import finished
from wellfit.data.sources.json_records import record_batches
from wellfit.data.sources.many import (
    declares_types,
    joint_checksum,
    joint_details,
    joint_notes,
    with_partitions,
)
from wellfit.data.sources.many.agreement import common_header, joined
from wellfit.data.sources.many.finding import FileSet, files_of_folder, is_folder
from wellfit.data.sources.many.partitions import partition_columns, partition_of
from wellfit.data.sources.remote import Near
from wellfit.data.sources.sql import names_one
from wellfit.data.table import SourceRecord
from wellfit.errors import DataError

__all__ = ["RowStream", "files_of", "identity", "outgrows_memory", "passes_by", "streamed"]

CELLS = 2_000_000
"""Cells of a batch: what is held at once is some times their size."""

Checksum = Callable[[Path], str]


@dataclass(frozen=True, kw_only=True)
class RowStream:
    """A source whose rows come in batches."""

    record: SourceRecord
    """Its record; the rows are 0 until they were counted."""
    notes: tuple[str, ...]
    schema: Mapping[str, pl.DataType]
    parts: Sequence[Iterable[pl.DataFrame]]
    paths: tuple[Path, ...] = ()
    """The files that are read with each walk."""
    most: int | None = None
    """Rows of a batch; None takes as many as have the usual number of cells."""

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """Walk through the rows; a batch has so many, the last one fewer."""
        most = self.most or max(1, CELLS // max(len(self.schema), 1))
        yield from _regrouped(self._plain(), most)

    def _plain(self) -> Iterator[pl.DataFrame]:
        for part in self.parts:
            for frame in part:
                yield finished(frame, uri=self.record.uri, kind=self.record.kind, checksum="-").frame


def _regrouped(frames: Iterable[pl.DataFrame], most: int) -> Iterator[pl.DataFrame]:
    """Give frames of so many rows each; a frame is not held beyond its use."""
    held: list[pl.DataFrame] = []
    count = 0
    for frame in frames:
        held.append(frame)
        count += frame.height
        while count >= most:
            joint = pl.concat(held) if len(held) > 1 else held[0]
            yield joint[:most]
            held, count = [joint[most:]], count - most
    if count:
        yield pl.concat(held) if len(held) > 1 else held[0]


def files_of(source: Any) -> FileSet | Path | None:
    """Give the files that a source means; None where it is none of files that are read in batches.

    Args:
        source: what `wellfit.data.large.arrival.arrived` gave.
    """
    if isinstance(source, Near):
        with source.naming():
            return files_of(located(source.fetched.source))
    if isinstance(source, FileSet):
        return source
    if not isinstance(source, Path) or names_one(source) or images.ENTRY.matches(source):
        return None
    return files_of_folder(source) if is_folder(source) else source


def identity(files: FileSet | Path, checksum: Checksum) -> str:
    """Give a checksum of files as one table, by the bytes of each and the folders that give columns."""
    if isinstance(files, Path):
        return checksum(files)
    partitions = [partition_of(path, files.root) for path in files.paths]
    return joint_checksum([checksum(path) for path in files.paths], partitions)


def outgrows_memory(source: Any) -> bool:
    """Say whether a table would take more than its share of the memory: the one in files, or rows that are on disk.

    Args:
        source: what `wellfit.data.large.arrival.arrived` gave.
    """
    files = files_of(source)
    if files is None:
        return isinstance(source, RowStream)
    paths = files.paths if isinstance(files, FileSet) else (files,)
    return table_bytes(paths) > memory_share()


def passes_by(source: Any) -> bool:
    """Say whether a source is of a kind whose rows come in batches, by its first file; Excel's and JSON lists do not.

    Args:
        source: what `wellfit.data.large.arrival.arrived` gave.
    """
    files = files_of(source)
    if files is None:
        return isinstance(source, RowStream)
    first = files.paths[0] if isinstance(files, FileSet) else files
    kind = next(entry.name for entry in FILE_KINDS if entry.matches(first))
    return record_batches(first, 1) is not None if kind == "json" else kind in KINDS


def streamed(
    source: Any, header: Header, *, spooling: Spooling, checksum: Checksum, most: int | None = None
) -> RowStream | None:
    """Open a source to walk through it; None where its kind is read as a whole.

    Args:
        source: what `wellfit.data.large.arrival.arrived` gave.
        header: whether the first line of delimited text names the columns.
        spooling: lays down rows that come once.
        checksum: what gives a file's.
        most: rows of a batch.

    Raises:
        DataError: a file is at fault, or the files differ.
    """
    if isinstance(source, RowStream):
        return replace(source, most=most)
    files = files_of(source)
    if files is None:
        return None
    if not isinstance(source, Near):
        return _of_files(files, header, spooling, checksum, most)
    with source.naming():
        found = _of_files(files, header, spooling, checksum, most)
    return None if found is None else _of_near(source, found)


def _of_near(near: Near, found: RowStream) -> RowStream:
    """Give files that were brought here as the source that they come from."""
    parts = [Named(part, near.naming) for part in found.parts]
    return replace(found, record=near.recorded(found.record), notes=(*near.fetched.notes, *found.notes), parts=parts)


def _of_files(
    files: FileSet | Path, header: Header, spooling: Spooling, checksum: Checksum, most: int | None
) -> RowStream | None:
    paths = files.paths if isinstance(files, FileSet) else (files,)
    kind = next(entry for entry in FILE_KINDS if entry.matches(paths[0]))
    first = opened(kind.name, paths[0], header, spooling)
    if first is None:
        return None
    rest = []
    for path in paths[1:]:
        other = next(entry for entry in FILE_KINDS if entry.matches(path))
        if other.name != kind.name:
            kinds = f"'{paths[0]}' is {kind.name} and '{path}' is {other.name}"
            raise DataError(f"The files of one table must be of one format: {kinds}.", do="Narrow the pattern.")
        more = opened(kind.name, path, common_header(first.table, header), spooling)
        if more is None:
            return None
        rest.append(more)
    found = [one.with_checksum(checksum(path)) for one, path in zip([first, *rest], paths, strict=True)]
    if isinstance(files, FileSet):
        return _joined(files, found, most)
    table = found[0].table
    plain = finished(table.frame, uri=str(files), kind=kind.name, checksum=table.record.checksum)
    record = replace(table.record, rows=0, columns=table.frame.width)
    notes = (*table.notes, *plain.notes)
    return RowStream(
        record=record, notes=notes, schema=plain.frame.schema, parts=[found[0].batches], paths=paths, most=most
    )


def _joined(files: FileSet, found: Sequence[Opened], most: int | None) -> RowStream:
    """Lay files below each other; their first rows are held against each other, as whole files are in memory."""
    tables = [one.table for one in found]
    heads = joined([table.frame for table in tables], files.paths, declared=declares_types(tables))
    partitions = [partition_of(path, files.root) for path in files.paths]
    text = tables[0].record.kind == "delimited"
    heights = [table.frame.height for table in tables]
    columns = partition_columns(partitions, files.paths, heights, text=text)
    whole = finished(with_partitions(heads, columns), uri=files.uri, kind="files", checksum="-")
    kinds = heads.schema
    parts = [
        _Part(one, kinds, [column[[first]] for column in columns], path)
        for one, first, path in zip(found, _firsts(heights), files.paths, strict=True)
    ]
    record = replace(
        whole.record,
        checksum=joint_checksum([table.record.checksum for table in tables], partitions),
        rows=0,
        details=joint_details(tables),
    )
    notes = (*joint_notes(files, tables, partitions), *whole.notes)
    return RowStream(record=record, notes=notes, schema=whole.frame.schema, parts=parts, paths=files.paths, most=most)


def _firsts(heights: Sequence[int]) -> list[int]:
    return [sum(heights[:place]) for place in range(len(heights))]


@dataclass(frozen=True)
class _Part:
    """The rows of one file of several: its columns in the order of the first, and those of its folders."""

    one: Opened
    kinds: Mapping[str, pl.DataType]
    partitions: Sequence[pl.Series]
    path: Path

    def __iter__(self) -> Iterator[pl.DataFrame]:
        for frame in self.one.batches:
            columns = [frame.get_column(name).cast(kind) for name, kind in self.kinds.items()]
            constant = [column.new_from_index(0, frame.height) for column in self.partitions]
            yield with_partitions(pl.DataFrame(columns), constant)
