"""Many files read as one table: a pattern, a list of paths, or a folder of partitions.

The files come in the order of their paths, whatever order the system lists them in; parts of a path such as
``year=2024`` become columns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from wellfit.data.sources.entry import Header, SourceEntry
from wellfit.data.sources.file_kinds import read_file
from wellfit.data.sources.finish import finished
from wellfit.data.sources.many.agreement import common_header, joined
from wellfit.data.sources.many.finding import FileSet, files_of_folder, is_folder
from wellfit.data.sources.many.partitions import partition_columns, partition_of
from wellfit.data.table import Table
from wellfit.errors import DataError

__all__ = ["ENTRY", "declares_types", "joint_checksum", "joint_details", "joint_notes", "with_partitions"]


def read(source: FileSet | Path, header: Header) -> Table:
    """Read every file and lay the rows one below the other; columns may stand in another order.

    Raises:
        DataError: a file is at fault, or its columns are not those of the first file: which file, column and types.
    """
    files = source if isinstance(source, FileSet) else files_of_folder(source)
    tables = _tables(files, header)
    frame = joined([table.frame for table in tables], files.paths, declared=declares_types(tables))
    found = [partition_of(path, files.root) for path in files.paths]
    heights = [table.frame.height for table in tables]
    text = tables[0].record.kind == "delimited"
    frame = with_partitions(frame, partition_columns(found, files.paths, heights, text=text))
    return finished(
        frame,
        uri=files.uri,
        kind="files",
        checksum=joint_checksum([table.record.checksum for table in tables], found),
        details=joint_details(tables),
        notes=joint_notes(files, tables, found),
    )


def _tables(files: FileSet, header: Header) -> list[Table]:
    """Read the files as the first one is laid out: what it has for a header, the others have too."""
    first = read_file(files.paths[0], header)
    header = common_header(first, header)
    tables = [first, *(read_file(path, header) for path in files.paths[1:])]
    for path, table in zip(files.paths, tables, strict=True):
        if table.record.kind != first.record.kind:
            kinds = f"'{files.paths[0]}' is {first.record.kind} and '{path}' is {table.record.kind}"
            raise DataError(f"The files of one table must be of one format: {kinds}.", do="Narrow the pattern.")
    return tables


def declares_types(tables: Sequence[Table]) -> bool:
    """Whether the files state their types, so that these must be the same; else they were told from the cells."""
    return tables[0].record.kind in ("parquet", "arrow_file")


def with_partitions(frame: pl.DataFrame, columns: Sequence[pl.Series]) -> pl.DataFrame:
    """Add the columns that the paths hold; one that the files have themselves stays theirs."""
    return frame.with_columns([column for column in columns if column.name not in frame.columns])


def joint_checksum(checksums: Sequence[str], partitions: Sequence[dict[str, str | None]]) -> str:
    """Take what the files hold and where they are partitioned, not what they are called: they may be moved."""
    digest = hashlib.sha256()
    for checksum, values in zip(checksums, partitions, strict=True):
        digest.update(f"{checksum} {sorted(values.items())}\n".encode())
    return digest.hexdigest()


def joint_details(tables: Sequence[Table]) -> dict[str, str | int | bool]:
    """Give what was detected, where the files differ in it as ``mixed``, and how many files there are."""
    held: dict[str, list[str | int | bool]] = {}
    for table in tables:
        for name, value in table.record.details.items():
            held.setdefault(name, []).append(value)
    details: dict[str, str | int | bool] = {"files": len(tables), "format": tables[0].record.kind}
    for name, values in held.items():
        details[name] = values[0] if len(set(values)) == 1 and len(values) == len(tables) else "mixed"
    details["bytes"] = sum(int(size) for size in held.get("bytes", []))
    return details


def joint_notes(files: FileSet, tables: Sequence[Table], partitions: Sequence[dict[str, str | None]]) -> list[str]:
    """Give what a person should know of the files."""
    keys = ", ".join(partitions[0])
    notes = [f"{len(files.paths):,} files are read as one table."] if len(files.paths) > 1 else []
    notes += [f"Folder names give columns: {keys}."] if keys else []
    notes += [files.note] if files.note else []
    return [*notes, *dict.fromkeys(note for table in tables for note in table.notes)]


def _matches(source: Any) -> bool:
    return isinstance(source, FileSet) or is_folder(source)


ENTRY = SourceEntry(
    name="files",
    summary="a pattern, a list of files, or a folder of partitions (key=value)",
    make=read,
    matches=_matches,
)
