"""Which files a pattern, a list or a folder means, in an order that is always the same."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from wellfit.data.sources.paths import files_in, readable_file
from wellfit.errors import DataError

__all__ = ["FileSet", "files_of_folder", "files_of_list", "files_of_pattern", "is_folder", "is_pattern"]

_TABLES = re.compile(
    r".*\.(csv|tsv|tab|txt|dat|data|json|ndjson|jsonl|parquet|parq|pq|arrow|arrows|feather|ipc|xlsx|xlsm|xlsb|xls|ods)"
    r"(\.(gz|gzip|zst|zstd))?",
    re.IGNORECASE,
)
_PARTITION = re.compile(r"[^=/]+=[^/]*")


@dataclass(frozen=True, kw_only=True)
class FileSet:
    """The files of one table."""

    paths: tuple[Path, ...]
    root: Path
    """Where partitions begin: folders below may be called ``key=value``."""
    uri: str
    """What the person wrote."""
    note: str = ""


def is_pattern(text: str) -> bool:
    """Tell ``data/*.csv`` from the path of a file that is there.

    >>> is_pattern("data/part-?.csv"), is_pattern("data/part-1.csv")
    (True, False)
    """
    return glob.has_magic(text) and not os.path.exists(text)


def is_folder(source: Any) -> bool:
    """Whether a source is the path of a folder."""
    return isinstance(source, Path) and source.is_dir()


def files_of_pattern(pattern: str) -> FileSet:
    """Give the files that a pattern means; ``**`` stands for any folders, hidden names are left out.

    Raises:
        DataError: there is none, or one of them can't be read.
    """
    found = [Path(name) for name in glob.glob(pattern, recursive=True)]
    paths = _in_order(path for path in found if path.is_file() and not _hidden(path, fixed_part(pattern)))
    if not paths:
        raise DataError("No file fits the pattern.", got=pattern, do="Check the path, and its * and ?.")
    return FileSet(paths=paths, root=fixed_part(pattern), uri=pattern)


def files_of_list(given: Sequence[Any]) -> FileSet:
    """Give the files of a list, in the list's order; a pattern in it stands for its files.

    Raises:
        DataError: one of them is missing or can't be read.
    """
    paths: list[Path] = []
    for one in map(str, given):
        paths += files_of_pattern(one).paths if is_pattern(one) else [readable_file(Path(one))]
    twice = next((path for place, path in enumerate(paths) if path in paths[:place]), None)
    if twice is not None:
        raise DataError("A file is listed more than once.", got=str(twice), do="Name it once.")
    return FileSet(paths=tuple(paths), root=Path(), uri=", ".join(map(str, given)))


def files_of_folder(folder: Path) -> FileSet:
    """Give the files of a folder that is one table: of partitions (``year=2024/``), or of numbered parts.

    Raises:
        DataError: the folder holds no table, or tables of their own.
    """
    below = [path for path in folder.rglob("*") if path.is_file() and not _hidden(path, folder)]
    tables = [path for path in below if _TABLES.fullmatch(path.name)]
    if not tables:
        raise DataError("A folder is not a table.", got=str(folder), do=files_in(folder))
    partitioned = all(_is_partitioned(path.relative_to(folder)) for path in tables)
    if not partitioned and not _are_parts([path.relative_to(folder) for path in tables]):
        do = (
            files_in(folder)
            + f" All files of one table are named by a pattern, such as '{folder}/*{tables[0].suffix}'."
        )
        raise DataError("A folder is not a table.", got=str(folder), do=do)
    others = len(below) - len(tables)
    note = f"Files of other kinds in the folder are left out: {others:,}." if others else ""
    return FileSet(paths=_in_order(tables), root=folder, uri=str(folder), note=note)


def _is_partitioned(path: PurePath) -> bool:
    return len(path.parts) > 1 and all(_PARTITION.fullmatch(part) for part in path.parts[:-1])


def _are_parts(paths: Sequence[PurePath]) -> bool:
    """Whether names differ in their numbers alone, or say that they are parts, as engines write them."""
    plain = {re.sub(r"[0-9]+", "0", path.as_posix()) for path in paths}
    return len(paths) > 1 and (len(plain) == 1 or all(re.match(r"part[-_.]?[0-9]", path.name) for path in paths))


def _in_order(paths: Iterator[Path] | Sequence[Path]) -> tuple[Path, ...]:
    """Sort by the names from the root on, numbers in them by their size: part-2 stands before part-10."""
    return tuple(readable_file(path) for path in sorted(paths, key=_place))


def _place(path: Path) -> tuple[list[tuple[int, int, str]], ...]:
    return tuple(
        [(0, int(piece), piece) if piece.isdigit() else (1, 0, piece) for piece in re.split(r"([0-9]+)", part)]
        for part in path.parts
    )


def _hidden(path: Path, root: Path) -> bool:
    """Names that begin with a dot or a bar are no data: ``_SUCCESS``, ``.part-0.crc``, ``_delta_log/``."""
    return any(part.startswith((".", "_")) for part in path.relative_to(root).parts) if path != root else False


def fixed_part(pattern: str) -> Path:
    """Give the folders of a pattern before the first one with a magic character."""
    fixed: list[str] = []
    for part in Path(pattern).parts[:-1]:
        if glob.has_magic(part):
            break
        fixed.append(part)
    return Path(*fixed)
