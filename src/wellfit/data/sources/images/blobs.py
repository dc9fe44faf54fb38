"""Files by name and content, out of a folder or an archive; an archive is read and never unpacked onto the disk.

So no path in an archive can leave its folder; sizes are taken from the directory and bounded before anything is read.
"""

from __future__ import annotations

import os
import tarfile
import zipfile
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
_TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_DAMAGED = (tarfile.TarError, zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


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
        """Yield the content of files, in the order in which they lie.

        Raises:
            DataError: the archive is damaged, or a file is too large to be held.
        """

    def _bounded(self, name: str) -> None:
        if self.sizes[name] > LARGEST:
            rule = f"A file in it must have at most {LARGEST >> 20} MiB."
            raise DataError(rule, got=name, do="Leave it out, or make it smaller.")


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
                self._bounded(name)
                try:
                    yield name, (self.path / name).read_bytes()
                except OSError:
                    yield name, b""


@final
class _Zip(Blobs):
    """Files of a zip archive."""

    def _listed(self) -> Iterator[tuple[str, int]]:
        try:
            with zipfile.ZipFile(self.path) as archive:
                entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        except _DAMAGED:
            raise _damaged(self.path) from None
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
                    name = entry.filename
                    if name not in names:
                        continue
                    self._bounded(name)
                    with archive.open(entry) as file:
                        # the size stands in the directory and may be a lie
                        yield name, file.read(self.sizes[name] + 1)[: self.sizes[name]]
        except _DAMAGED as error:
            raise _own(error, self.path) from None


@final
class _Tar(Blobs):
    """Files of a tar archive, packed or not; links and devices are left out."""

    def _listed(self) -> Iterator[tuple[str, int]]:
        unpacked = 0
        try:
            with tarfile.open(self.path) as archive:
                for member in archive:
                    unpacked += member.size
                    refuse_trap(self.path, "tar archive", unpacked)
                    name = _plain(member.name)
                    if member.isreg() and not _is_hidden_below(name):
                        yield name, member.size
        except _DAMAGED as error:
            raise _own(error, self.path) from None

    def read(self, names: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the content of files."""
        try:
            with tarfile.open(self.path) as archive:
                for member in archive:
                    name = PurePosixPath(member.name).as_posix()
                    if member.isreg() and name in names:
                        self._bounded(name)
                        file = archive.extractfile(member)
                        yield name, file.read() if file else b""
                    archive.members = []  # a list of all members is of no use here, and grows
        except _DAMAGED as error:
            raise _own(error, self.path) from None


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


def _own(error: Exception, path: Path) -> DataError:
    return error if isinstance(error, DataError) else _damaged(path)
