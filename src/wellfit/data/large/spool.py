"""Rows that come once, from a database or line by line, laid down on disk so that they can be walked through again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from wellfit.data.sources.fingerprint import content_checksum
from wellfit.data.sources.room import MEND, Room
from wellfit.data.sources.sql.rows import as_type, common_type
from wellfit.errors import RunFailed

__all__ = ["Spool", "Spooling"]


@dataclass(frozen=True, kw_only=True)
class Spool:
    """Batches in files of a folder, and the types that hold the cells of all of them."""

    folder: Path
    parts: tuple[Path, ...]
    kinds: dict[str, pl.DataType]
    checksum: str
    rows: int

    @classmethod
    def of(cls, batches: Iterable[pl.DataFrame], folder: Path) -> Spool:
        """Lay batches down; a column may have another type in each of them, or be missing.

        Raises:
            RunFailed: there is no room.
        """
        room, digest = Room(folder), hashlib.sha256()
        parts: list[Path] = []
        kinds: dict[str, list[pl.DataType]] = {}
        rows = 0
        for batch in batches:
            for series in batch.get_columns():
                kinds.setdefault(series.name, []).append(series.dtype)
            digest.update(content_checksum(batch).encode())
            parts.append(_written(batch, folder / f"{len(parts):06d}.arrow", room))
            rows += batch.height
        return cls(
            folder=folder,
            parts=tuple(parts),
            kinds={name: common_type(held) for name, held in kinds.items()},
            checksum=digest.hexdigest(),
            rows=rows,
        )

    @classmethod
    def within(cls, workspace: Path, batches: Iterable[pl.DataFrame]) -> Spool:
        """Lay batches down in a folder of their own."""
        folder = workspace / f"spool-{sum(1 for _ in workspace.iterdir())}"
        folder.mkdir()
        return cls.of(batches, folder)

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """Walk through the batches."""
        for part in self.parts:
            frame = pl.read_ipc(part)
            columns = [
                as_type(frame.get_column(name), kind)
                if name in frame.columns
                else pl.Series(name, [None], dtype=kind).new_from_index(0, frame.height)
                for name, kind in self.kinds.items()
            ]
            if frame.height:
                yield pl.DataFrame(columns)


Spooling = Callable[[Iterable[pl.DataFrame]], Spool]
"""Lays batches down in some folder."""


def _written(batch: pl.DataFrame, path: Path, room: Room) -> Path:
    room.start()
    room.take(int(batch.estimated_size()))
    try:
        batch.write_ipc(path, compression="lz4")
    except (OSError, pl.exceptions.PolarsError) as error:
        said = str(error).partition("\n")[0]
        raise RunFailed("There is no room for the rows that a source sends.", got=said, do=MEND) from None
    room.left -= path.stat().st_size
    return path
