"""What the registry holds of one kind of source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from wellfit.registry import Entry

__all__ = ["Header", "SourceEntry"]

Header = Literal["auto"] | bool


@dataclass(frozen=True, kw_only=True)
class SourceEntry(Entry):
    """A kind of source: ``make(source, header)`` reads a `Table` from what ``matches(source)``."""

    matches: Callable[[Any], bool]
    """Tells a source of this kind; a file is given as a `Path` that was found to be readable."""
