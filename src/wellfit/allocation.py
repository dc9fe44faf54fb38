"""How soon memory that Polars has freed goes back to the system: at once, so that steps don't add up their peaks.

Polars on Linux allocates with jemalloc, which keeps freed pages for ten seconds; a table is prepared in less, and would
be held several times over. The setting is read where Polars is first loaded, so it must be there before: a process that
loads Polars earlier keeps its own, and so does one that has set the variable itself.

Source: jemalloc, ``opt.dirty_decay_ms`` and ``opt.muzzy_decay_ms``.
"""

from __future__ import annotations

import os

__all__ = ["give_freed_memory_back"]

_VARIABLE = "_RJEM_MALLOC_CONF"
_SETTING = "dirty_decay_ms:200,muzzy_decay_ms:0"


def give_freed_memory_back() -> None:
    """Have jemalloc return freed pages after a fifth of a second.

    >>> give_freed_memory_back()
    >>> _VARIABLE in os.environ
    True
    """
    os.environ.setdefault(_VARIABLE, _SETTING)
