"""The folder where shards are kept between runs: what is whole, what is in use, what has to go.

    stamps.json        what files had for a checksum when they had this size, time and number
    <key>/             the shards of one table under some settings; whole, since it was renamed to this name
    .part-<random>/    one that is being written; its writer holds a lock on it

Folders are locked while they are used (``flock``), so that what a killed process left is told from what is at work.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from wellfit.data.sources.contents import checksum_of
from wellfit.errors import RunFailed

__all__ = ["Cache", "Held", "no_room"]

_LOCK = "lock"
_STAMPS = "stamps.json"
_SETTLED = 2.0
"""Seconds after its last change from which on a file's time tells whether it changed: clocks of disks are coarse."""
SHARE = 0.5
"""The part of the disk's free room, what is kept counted as free, that the folder may take."""
SPARE = 1 << 28
"""Bytes that are left free on the disk."""


def default_folder() -> Path:
    """Give the folder of the person's caches."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "wellfit" / "shards"


class Held:
    """A folder that is locked until this is closed or forgotten."""

    def __init__(self, folder: Path, *, alone: bool = False) -> None:
        self.folder = folder
        self._lock = -1
        self._lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._lock, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Let go."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __del__(self) -> None:
        self.close()


class Cache:
    """Shards by the key of what they were made of."""

    def __init__(self, folder: Path | None = None) -> None:
        """Make the folder where there is none, and remove what killed processes left.

        Raises:
            RunFailed: it can't be made or written.
        """
        self.folder = folder or default_folder()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for left in self.folder.glob(".part-*"):
                _remove_unheld(left)
        except OSError as error:
            rule = "Rows that do not fit in memory are laid down in a folder that can be made and written."
            got = f"{error.strerror}: {self.folder}"
            raise RunFailed(rule, got=got, do="Set data.cache to another folder.") from None

    def find(self, key: str) -> Held | None:
        """Give the folder of a key, and note that it is used now; None where there is none."""
        folder = self.folder / key
        if not folder.is_dir():
            return None
        try:
            held = Held(folder)
            os.utime(folder)
        except OSError:
            return None
        return held

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """Give a folder for what is being made; what is left of it in the end is removed."""
        folder = self.folder / f".part-{secrets.token_hex(8)}"
        folder.mkdir()
        held = Held(folder, alone=True)
        try:
            yield folder
        except OSError as error:
            raise no_room(error, self.folder) from None
        finally:
            held.close()
            shutil.rmtree(folder, ignore_errors=True)

    def keep(self, made: Path, key: str) -> None:
        """Give a whole folder its name; one that another process was quicker to make stays."""
        for path in made.iterdir():
            _settle(path)
        _settle(made)
        try:
            os.rename(made, self.folder / key)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        _settle(self.folder)

    def name_too(self, key: str, other: str) -> None:
        """Have another key mean the same folder."""
        place = self.folder / other
        if other != key and not place.exists():
            place.unlink(missing_ok=True)
            with suppress(FileExistsError):
                place.symlink_to(key)

    def drop(self, key: str) -> None:
        """Remove what is under a key."""
        shutil.rmtree((self.folder / key).resolve(), ignore_errors=True)

    def make_room(self, needed: int) -> list[str]:
        """Remove what was not used for longest until there is room; give a line of it where something went.

        Raises:
            RunFailed: there is not that much room on the disk.
        """
        kept = sorted(self._kept(), key=lambda folder: folder.stat().st_mtime)
        sizes = {folder: sum(path.stat().st_size for path in folder.iterdir()) for folder in kept}
        free = shutil.disk_usage(self.folder).free
        bound = SHARE * (free + sum(sizes.values()))
        gone = 0
        for folder in kept:
            if sum(sizes.values()) + needed <= bound and free >= needed + SPARE:
                break
            if _remove_unheld(folder):
                free += sizes[folder]
                gone += sizes.pop(folder)
        if free < needed + SPARE:
            held = f"{needed / 1e6:,.1f} MB of disk beside {SPARE / 1e6:,.0f} MB that stay free"
            rule = f"The rows as training reads them take {held}, and there is less."
            raise RunFailed(rule, got=f"{free / 1e6:,.1f} MB free in {self.folder}", do="Make room, or set data.cache.")
        return [f"Shards of other tables were removed to make room: {gone / 1e9:,.1f} GB."] if gone else []

    def _kept(self) -> list[Path]:
        places = [path for path in self.folder.iterdir() if not path.name.startswith(".")]
        for path in places:
            if path.is_symlink() and not path.exists():
                path.unlink(missing_ok=True)
        return [path for path in places if path.is_dir() and not path.is_symlink()]

    def checksum(self, path: Path) -> str:
        """Give the sha256 of a file's bytes; it is read anew only where its size, times or number changed."""
        info = path.stat()
        # Copying can set the time of the last change of the bytes back; that of the file's record it can't.
        stamp = [info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino, info.st_dev]
        stamps = self._stamps()
        known = stamps.get(str(path.resolve()))
        if known is not None and known["stamp"] == stamp:
            return str(known["checksum"])
        checksum = checksum_of(path)
        if time.time() - info.st_mtime > _SETTLED:
            stamps = {**self._stamps(), str(path.resolve()): {"stamp": stamp, "checksum": checksum}}
            temporary = self.folder / f".{_STAMPS}.{secrets.token_hex(4)}"
            temporary.write_text(json.dumps(stamps))
            os.replace(temporary, self.folder / _STAMPS)
        return checksum

    def _stamps(self) -> dict[str, dict[str, object]]:
        try:
            stamps: dict[str, dict[str, object]] = json.loads((self.folder / _STAMPS).read_text())
            return stamps
        except (OSError, ValueError):
            return {}


def no_room(error: OSError, folder: Path) -> RunFailed:
    """Say that shards could not be written."""
    rule = "The rows as training reads them could not be written down."
    return RunFailed(rule, got=f"{error.strerror or error}: {folder}", do="Make room, or set data.cache.")


def _remove_unheld(folder: Path) -> bool:
    """Remove a folder that nobody uses; say whether it is gone."""
    try:
        held = Held(folder, alone=True)
    except OSError:
        return False
    with suppress(OSError):
        shutil.rmtree(folder)
    held.close()
    return not folder.exists()


def _settle(path: Path) -> None:
    """Have the disk hold what was written."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
