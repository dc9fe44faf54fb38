"""Room for what is brought here: bounded before the disk is full."""

from __future__ import annotations

import shutil
from pathlib import Path

from wellfit.errors import RunFailed

__all__ = ["MEND", "Room"]

_KEPT_FREE = 1 << 28
"""Bytes that are left free on the disk."""

MEND = "Make room, or let TMPDIR or data.cache name a larger disk."


class Room:
    """How many bytes may still be laid down in a folder.

    >>> import tempfile
    >>> Room(Path(tempfile.gettempdir()), most=10).take(10)
    """

    def __init__(self, folder: Path, *, most: int = 1 << 38) -> None:
        """Take the disk's room, and ``most`` bytes at the most."""
        self.folder = folder
        self.left = min(most, max(shutil.disk_usage(folder).free - _KEPT_FREE, 0))
        self._taken = 0

    def start(self) -> None:
        """Begin a file: what an earlier attempt at it laid down is overwritten."""
        self._taken = 0

    def keep(self) -> None:
        """Count the file that was begun as one that stays."""
        self.left -= self._taken
        self._taken = 0

    def take(self, count: int) -> None:
        """Take bytes for the file that was begun.

        Raises:
            RunFailed: there is not that much room.
        """
        self._taken += count
        if self._taken > self.left:
            rule = f"There is no room for what the source sends: over {self.left / 1e6:,.0f} MB."
            raise RunFailed(rule, got=str(self.folder), do=MEND)
