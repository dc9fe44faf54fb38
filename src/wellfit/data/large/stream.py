"""`RowStream`: a source whose rows come in batches, as often as they are asked for, read as in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from wellfit.data.large.memory import memory_limit, table_bytes
from wellfit.data.large.opened import KINDS, Opened, opened
from wellfit.data.large.spool import Spool
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
from wellfit.data.sources.paths import masked
from wellfit.data.sources.sql import database_batches, names_one, no_rows
from wellfit.data.table import SourceRecord
from wellfit.errors import DataError

__all__ = ["RowStream", "files_of", "identity", "outgrows_memory", "passes_by", "streamed"]

CELLS = 2_000_000
"""Cells of a batch: what is held at once is some times their size."""

SHARE = 0.5
"""The part of the memory that a preparation in memory may be expected to take."""

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
        source: what `wellfit.data.sources.located` gave.
    """
    if isinstance(source, FileSet):
        return source
    if is_folder(source):
        return None if _holds_images(source) else files_of_folder(source)
    if isinstance(source, Path) and not names_one(source):
        return source
    return None


def identity(files: FileSet | Path, checksum: Checksum) -> str:
    """Give a checksum of files as one table, by the bytes of each and the folders that give columns."""
    if isinstance(files, Path):
        return checksum(files)
    partitions = [partition_of(path, files.root) for path in files.paths]
    return joint_checksum([checksum(path) for path in files.paths], partitions)


def _holds_images(folder: Path) -> bool:
    from wellfit.data.sources.images import ENTRY

    return bool(ENTRY.matches(folder))


def outgrows_memory(source: Any) -> bool:
    """Say whether the table in some files would take more than its share of the memory.

    Args:
        source: what `wellfit.data.sources.located` gave.
    """
    files = files_of(source)
    if files is None:
        return False
    paths = files.paths if isinstance(files, FileSet) else (files,)
    return table_bytes(paths) > SHARE * memory_limit()


def passes_by(source: Any) -> bool:
    """Say whether a source is of a kind whose rows come in batches, by its first file; Excel's and JSON lists do not.

    Args:
        source: what `wellfit.data.sources.located` gave.
    """
    files = files_of(source)
    if files is None:
        return names_one(source)
    first = files.paths[0] if isinstance(files, FileSet) else files
    kind = next(entry.name for entry in FILE_KINDS if entry.matches(first))
    return record_batches(first, 1) is not None if kind == "json" else kind in KINDS


def streamed(
    source: Any, header: Header, *, workspace: Path, checksum: Checksum, most: int | None = None
) -> RowStream | None:
    """Open a source to walk through it; None where its kind is read as a whole.

    Args:
        source: what `wellfit.data.sources.located` gave: the path of a file, files, or the address of a database.
        header: whether the first line of delimited text names the columns.
        workspace: a folder for rows that come once.
        checksum: what gives a file's.
        most: rows of a batch.

    Raises:
        DataError: a file is at fault, or the files differ.
    """
    files = files_of(source)
    if files is not None:
        return _of_files(files, header, workspace, checksum, most)
    if isinstance(source, (str, Path)) and names_one(source):
        return _of_database(source, workspace, most)
    return None


def _of_database(source: str | Path, workspace: Path, most: int | None) -> RowStream:
    batches, details = database_batches(source, lambda frames: Spool.of(frames, _folder(workspace)))
    if not batches.rows and details.get("query"):
        raise no_rows(str(details["query"]))
    if not batches.rows:
        raise DataError("The table has no rows.", got=masked(str(source)), do="Give a table with at least one row.")
    record = finished(pl.DataFrame({"rows": [0]}), uri=str(source), kind="sql", checksum=batches.checksum).record
    record = replace(record, rows=batches.rows, columns=len(batches.kinds), details=details)
    return RowStream(record=record, notes=(), schema=batches.kinds, parts=[batches], most=most)


def _folder(workspace: Path) -> Path:
    made = workspace / f"spool-{sum(1 for _ in workspace.iterdir())}"
    made.mkdir()
    return made


def _of_files(
    files: FileSet | Path, header: Header, workspace: Path, checksum: Checksum, most: int | None
) -> RowStream | None:
    paths = files.paths if isinstance(files, FileSet) else (files,)
    kind = next(entry for entry in FILE_KINDS if entry.matches(paths[0]))
    first = opened(kind.name, paths[0], header, _Spooling(workspace))
    if first is None:
        return None
    rest = []
    for path in paths[1:]:
        other = next(entry for entry in FILE_KINDS if entry.matches(path))
        if other.name != kind.name:
            kinds = f"'{paths[0]}' is {kind.name} and '{path}' is {other.name}"
            raise DataError(f"The files of one table must be of one format: {kinds}.", do="Narrow the pattern.")
        more = opened(kind.name, path, common_header(first.table, header), _Spooling(workspace))
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


class _Spooling:
    """Lays rows that come once down in a folder of their own."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace

    def __call__(self, frames: Iterable[pl.DataFrame]) -> Spool:
        return Spool.of(frames, _folder(self.workspace))


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
