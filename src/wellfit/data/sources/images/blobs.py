"""Files by name and content, out of a folder or an archive; an archive is read and never unpacked onto the disk.

So no path in an archive can leave its folder; sizes are taken from the directory and bounded before anything is read.
"""

from __future__ import annotations

import os
import tarfile
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import final

from wellfit.data.sources.contents import refuse_trap
from wellfit.errors import DataError

__all__ = ["LARGEST", "Blobs", "blobs_of", "is_archive"]

LARGEST = 1 << 28
"""Bytes of one file; a larger one is no image of a data set."""
_MOST_FILES = 20_000_000
_HELD = 1 << 29
"""Bytes of a tar archive that are kept while it is listed: it has no directory, and reading it again takes as long."""
_TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, ValueError)


class Blobs(ABC):
    """Files of one place: names with ``/`` between folders and sizes in bytes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sizes: dict[str, int] = {}
        for name, size in self._listed():
            self.sizes[name] = size
            if len(self.sizes) > _MOST_FILES:
                raise DataError(f"There are more than {_MOST_FILES:,} files.", got=str(path), do="Give a part of them.")

    @abstractmethod
    def _listed(self) -> Iterator[tuple[str, int]]:
        """Yield names and sizes of regular files."""

    @abstractmethod
    def read(self, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the content of files, in the order in which they lie; nothing for one that is damaged or too large.

        Raises:
            DataError: the archive as a whole is damaged.
        """

    def _fits(self, name: str) -> bool:
        return self.sizes[name] <= LARGEST


@final
class _Folder(Blobs):
    """Files below a folder, hidden ones left out."""

    def _listed(self) -> Iterator[tuple[str, int]]:
        for folder, below, names in os.walk(self.path):
            below[:] = sorted(name for name in below if not _is_hidden(name))
            for name in sorted(names):
                path = Path(folder) / name
                if not _is_hidden(name) and path.is_file():
                    yield path.relative_to(self.path).as_posix(), path.stat().st_size

    def read(self, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the content of files."""
        for name in self.sizes:
            if name in names:
                yield name, self._content(name)

    def _content(self, name: str) -> bytes:
        try:
            return (self.path / name).read_bytes() if self._fits(name) else b""
        except OSError:
            return b""


@final
class _Zip(Blobs):
    """Files of a zip archive."""

    def _listed(self) -> Iterator[tuple[str, int]]:
        try:
            with zipfile.ZipFile(self.path) as archive:
                entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        except _DAMAGED:
            raise _damaged(self.path) from None
        if any(entry.flag_bits & 1 for entry in entries):
            raise DataError("The archive is locked by a password.", got=str(self.path), do="Pack it without one.")
        refuse_trap(self.path, "zip archive", sum(entry.file_size for entry in entries))
        for entry in entries:
            name = _plain(entry.filename)
            if not _is_hidden_below(name):
                yield name, entry.file_size

    def read(self, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the content of files."""
        try:
            with zipfile.ZipFile(self.path) as archive:
                for entry in archive.infolist():
                    name = PurePosixPath(entry.filename).as_posix()
                    if name in names and not entry.is_dir():
                        yield name, self._content(archive, entry) if self._fits(name) else b""
        except _DAMAGED:
            raise _damaged(self.path) from None

    @staticmethod
    def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
        try:
            with archive.open(entry) as file:
                return file.read()  # no more than the size in the directory
        except _DAMAGED:
            return b""


@final
class _Tar(Blobs):
    """Files of a tar archive, packed or not; links and devices are left out."""

    def _listed(self) -> Iterator[tuple[str, int]]:
        unpacked = 0
        self._held: dict[str, bytes] = {}
        self._is_held = True
        try:
            with tarfile.open(self.path) as archive:
                for member in archive:
                    unpacked += member.size
                    refuse_trap(self.path, "tar archive", unpacked)
                    name = _plain(member.name)
                    if member.isreg() and not _is_hidden_below(name):
                        self._hold(archive, member, name, unpacked)
                        yield name, member.size
        except DataError:
            raise
        except _DAMAGED:
            raise _damaged(self.path) from None

    def _hold(self, archive: tarfile.TarFile, member: tarfile.TarInfo, name: str, unpacked: int) -> None:
        if unpacked > _HELD:
            self._held, self._is_held = {}, False
        elif self._is_held:
            self._held[name] = self._content(archive, member)

    def read(self, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the content of files."""
        if self._is_held:
            yield from ((name, content) for name, content in self._held.items() if name in names)
            return
        try:
            with tarfile.open(self.path) as archive:
                for member in archive:
                    name = PurePosixPath(member.name).as_posix()
                    if member.isreg() and name in names:
                        yield name, self._content(archive, member)
        except _DAMAGED:
            raise _damaged(self.path) from None

    @staticmethod
    def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
        file = archive.extractfile(member) if member.size <= LARGEST else None
        return file.read() if file else b""


def is_archive(path: Path) -> bool:
    """Tell a tar or zip archive by its name."""
    return path.name.lower().endswith((*_TAR, ".zip"))


def blobs_of(path: Path) -> Blobs:
    """Open a folder or an archive.

    Raises:
        DataError: the archive is damaged, or a path in it leaves its folder.
    """
    if path.is_dir():
        return _Folder(path)
    return _Zip(path) if path.name.lower().endswith(".zip") else _Tar(path)


def _plain(name: str) -> str:
    """Refuse a path that would leave its folder: such an archive is made to do harm."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or (path.parts and ":" in path.parts[0]):
        raise DataError("A path in the archive leaves its folder.", got=name, do="Don't trust this archive.")
    return PurePosixPath(name).as_posix()


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def _is_hidden_below(name: str) -> bool:
    return any(_is_hidden(part) for part in PurePosixPath(name).parts)


def _damaged(path: Path) -> DataError:
    return DataError("The archive is cut off or damaged.", got=str(path), do="Fetch or pack it again.")
