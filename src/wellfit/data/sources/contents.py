"""The bytes of a file: compression, streaming, checksum, and what is plainly not a table."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from wellfit.errors import DataError

__all__ = ["Content", "checksum_of", "first_bytes", "foreign_format", "open_content", "refuse_trap"]

BLOCK_BYTES = 1 << 22
_HEAD_BYTES = 1 << 20
_UNPACKED_FLOOR = 1 << 30
_UNPACKED_RATIO = 200
"""A file that unpacks to more than this many times its size, and over a gigabyte, is taken for a trap."""

_COMPRESSED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_FOREIGN = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF": "a PDF document",
    b"SQLite format 3\0": "an SQLite database",
    b"\x89HDF": "an HDF5 file",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Excel or Word file",
    b"\xfd7zXZ\0": "an xz archive",
    b"BZh": "a bzip2 archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"\x7fELF": "a program",
    b"\x93NUMPY": "a NumPy array file",
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
}


@dataclass(frozen=True)
class Content:
    """A file's content, unpacked as it is read."""

    path: Path
    compression: str
    """``none``, ``gzip`` or ``zstd``."""

    def blocks(self, size: int = BLOCK_BYTES) -> Iterator[bytes]:
        """Yield the unpacked bytes block by block; a damaged archive is a `DataError`."""
        given = 0
        with self.path.open("rb") as file:
            stream: Any = file if self.compression == "none" else pa.CompressedInputStream(file, self.compression)
            while block := self._read(stream, size):
                given += len(block)
                if self.compression != "none":
                    refuse_trap(self.path, f"{self.compression} file", given)
                yield block

    def head(self) -> bytes:
        """Give the first megabyte of the unpacked bytes."""
        return next(self.blocks(_HEAD_BYTES), b"")

    def _read(self, stream: Any, size: int) -> bytes:
        try:
            return bytes(stream.read(size))
        except (OSError, pa.ArrowException) as error:
            packed = f"The {self.compression} file is cut off or damaged" if self.compression != "none" else ""
            rule = packed or "Reading the file failed"
            do = "Fetch or pack it again." if packed else f"The system says: {error}."
            raise DataError(f"{rule}.", got=str(self.path), do=do) from None


def refuse_trap(path: Path, what: str, unpacked: int) -> None:
    """Raise `DataError` where a packed file grows out of all proportion."""
    if unpacked > _UNPACKED_FLOOR and unpacked > _UNPACKED_RATIO * path.stat().st_size:
        rule = f"The {what} unpacks to over {_UNPACKED_RATIO} times its size."
        raise DataError(rule, got=str(path), do="Unpack it first, if it's meant so.")


def first_bytes(path: Path, count: int = 4) -> bytes:
    """Give the bytes that tell a format."""
    with path.open("rb") as file:
        return file.read(count)


def open_content(path: Path) -> Content:
    """Tell how a file is packed, by its first bytes and not by its name."""
    start = first_bytes(path)
    found = (name for magic, name in _COMPRESSED.items() if start.startswith(magic))
    return Content(path, next(found, "none"))


def foreign_format(head: bytes) -> str:
    """Name what the bytes are where they are plainly no text; empty where they may be text."""
    if head.startswith(b"PK\x03\x04"):
        return "an Excel workbook" if b"xl/" in head else "a zip archive"
    if head[257:262] == b"ustar":
        return "a tar archive"
    return next((name for magic, name in _FOREIGN.items() if head.startswith(magic)), "")


def checksum_of(path: Path) -> str:
    """Give the sha256 of a file's bytes as they lie on disk."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
