"""How much memory the process may use, and how much a table in memory would take."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

__all__ = ["COPIES", "memory_limit", "memory_share", "table_bytes"]

SHARE = 0.5
"""The part of the memory that a preparation in memory may be expected to take."""

COPIES = 4
"""How many times a table's cells are held at the peak of a preparation in memory: read, dealt, typed, encoded."""

_EXPANSION = {".parquet": 12.0, ".parq": 12.0, ".pq": 12.0, ".gz": 8.0, ".gzip": 8.0, ".zst": 8.0, ".zstd": 8.0}
"""Bytes of cells in memory for a byte of the file; packed files hold several cells a byte."""
_PLAIN = 3.0


def memory_limit() -> int:
    """Give the bytes of memory that this process may use: the machine's, a control group's or ``ulimit``'s."""
    return min(_limits())


def memory_share() -> float:
    """Give the bytes of memory that a preparation in memory may be expected to take."""
    return SHARE * memory_limit()


def _limits() -> Iterator[int]:
    yield os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
        soft = resource.getrlimit(kind)[0]
        if soft != resource.RLIM_INFINITY:
            yield soft
    yield from _group_limits()


def _group_limits() -> Iterator[int]:
    """Give the limits of the control groups that the process is in, of both versions of the interface."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, kinds, place = line.split(":", 2)
        if kinds not in ("", "memory") and "memory" not in kinds.split(","):
            continue
        root, name = (Path("/sys/fs/cgroup"), "memory.max")
        if kinds:
            root, name = root / "memory", "memory.limit_in_bytes"
        group = root / place.lstrip("/")
        for folder in (group, *group.parents):
            if folder.is_relative_to(root):
                yield from _number_in(folder / name)


def _number_in(path: Path) -> Iterator[int]:
    try:
        text = path.read_text().strip()
    except OSError:
        return
    if text.isdigit():
        yield int(text)


def table_bytes(paths: tuple[Path, ...]) -> int:
    """Give about how many bytes of memory a preparation of the table in these files would take.

    A cell of text takes 16 bytes and up, a cell in a file some 8 with what separates it; the figure is of the size on
    disk, since nothing is read for it.
    """
    cells = sum(path.stat().st_size * _EXPANSION.get(path.suffix.lower(), _PLAIN) for path in paths)
    return int(cells * COPIES)
