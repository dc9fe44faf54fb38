"""How many trainings fit beside one another: cores, memory, and whether it is worth a process."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cores", "free_memory", "worker_count"]

_PROCESS = 600e6
"""Bytes that a process takes before it has read a row: torch alone is half of that."""

_A_CELL = 60.0
"""Bytes that a cell of the table takes at the most: text, numbers, and the copies of both while they are prepared."""

_SMALL = 3_000_000
"""Training cells up to which one core trains as fast as several together."""

_WORTH = 20_000
"""Training rows times trials from which on the seconds that a process takes to start are repaid."""


def cores() -> int:
    """Give the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_memory() -> float:
    """Give the bytes that are free, within the limit of a container; infinity where the system does not say."""
    free = float("inf")
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines() if ":" in line)
        free = float(lines["MemAvailable"].split()[0]) * 1024
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = float(Path("/sys/fs/cgroup/memory.current").read_text())
        return free if limit == "max" else min(free, float(limit) - used)
    except (OSError, KeyError, ValueError):
        return free


def worker_count(*, cells: int, rows: int, trials: int) -> int:
    """Give the number of processes: one a core where the table is small and there is enough to do, else one in all.

    >>> worker_count(cells=10_000_000, rows=500_000, trials=50)
    1
    """
    if cells > _SMALL or rows * trials < _WORTH:
        return 1
    room = int(free_memory() / 2 // (_PROCESS + _A_CELL * cells)) if free_memory() != float("inf") else cores()
    return max(1, min(cores(), room, trials))
