"""What happens to memory that was freed: tables give it back soon, training keeps it from one update to the next.

Polars on Linux allocates with jemalloc, which keeps freed pages for ten seconds; a table is prepared in less, and would
be held several times over. The setting is read where Polars is first loaded, so it must be there before: a process that
loads Polars earlier keeps its own, and so does one that has set the variable itself.

torch allocates with the C library's malloc, which gives large pieces back at once, and the end of its heap as soon as
it is free: an update's tensors are then new, empty pages at each update, which takes up to a quarter of the time.

Sources: jemalloc, ``opt.dirty_decay_ms`` and ``opt.muzzy_decay_ms``; glibc, ``mallopt(3)``.
"""

from __future__ import annotations

import ctypes
import os
import platform

__all__ = ["give_freed_memory_back", "keep_freed_memory"]

_VARIABLE = "_RJEM_MALLOC_CONF"
_SETTING = "dirty_decay_ms:200,muzzy_decay_ms:0"
_PIECE = 2**25
"""Bytes from which on a piece is the system's again once it is freed: as many as glibc allows."""
_KEPT = 2**29
"""Bytes at the end of the heap that are kept."""
_GROWTH = 2**26
"""Bytes by which the heap grows at once; the system counts those that are used."""
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3
"""The parameters as ``malloc.h`` numbers them."""
_OWN = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_")


def give_freed_memory_back() -> None:
    """Have jemalloc return freed pages after a fifth of a second.

    >>> give_freed_memory_back()
    >>> _VARIABLE in os.environ
    True
    """
    os.environ.setdefault(_VARIABLE, _SETTING)


def keep_freed_memory() -> None:
    """Have glibc keep up to half a gigabyte that was freed, unless the person has set its parameters.

    Other C libraries are left as they are.

    >>> keep_freed_memory()
    """
    own = any(name in os.environ for name in _OWN) or "glibc.malloc" in os.environ.get("GLIBC_TUNABLES", "")
    if own or platform.libc_ver()[0] != "glibc":
        return
    settings = ((_M_MMAP_THRESHOLD, _PIECE), (_M_TRIM_THRESHOLD, _KEPT), (_M_TOP_PAD, _GROWTH))
    library = ctypes.CDLL(None)
    for parameter, value in settings:
        library.mallopt(parameter, value)
