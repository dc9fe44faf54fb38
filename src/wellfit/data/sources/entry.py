"""What the registry holds of one kind of source, and how a source is to be read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from wellfit.registry import Entry

__all__ = ["LAID", "Fetched", "Header", "ImageEntry", "Reading", "RemoteEntry", "SourceEntry", "StayText"]

Header = Literal["auto"] | bool

LAID = "files"
"""The folder into which the many files of one address are laid, within the one that they are fetched into."""

StayText = Callable[[Sequence[str]], Collection[str]]
"""Tells, of the names of a table's columns, those whose cells stay text exactly as written, and are never numbers."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What ``data`` of a config says of the reading, beside the source and the header; most sources need none of it."""

    records: str | None = None
    """The way to the list of records in a JSON answer, keys with dots between; None finds it."""
    paging: str | None = None
    """How a web API gives its pages: ``none``, ``link``, ``next``, ``cursor``, ``page``, ``offset``; None finds it."""
    page_param: str | None = None
    """The parameter of the address that asks for a page; None takes the usual name."""
    cursor: str | None = None
    """The way to the field of the answer that names the next page; None finds it."""
    max_pages: int = 10_000
    """The most pages that are asked for."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of web requests; secrets stand in them as ``${env:NAME}``."""
    image_size: tuple[int, int] | None = None
    """Height and width of images in pixels; None takes the most common size."""
    image_mode: str | None = None
    """``grey`` or ``rgb``; None takes what most images are."""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Reading:
        """Take what a saved config's ``data`` says of it.

        >>> Reading.of({"source": "t.csv", "records": "data.items"}).records
        'data.items'
        """
        return cls(**{name: data[name] for name in cls.__dataclass_fields__ if name in data})


@dataclass(frozen=True, kw_only=True)
class SourceEntry(Entry):
    """A kind of source: ``make(source, header)`` reads a `Table` from what ``matches(source)``."""

    matches: Callable[[Any], bool]
    """Tells a source of this kind; a file is given as a `Path` that was found to be readable."""
    compactly: Callable[[Any, Header, StayText], Any] | None = None
    """The same as ``make``, with columns of text held as what they say, where that takes less memory."""

    def compact(self, texts: StayText | None) -> SourceEntry:
        """Give the entry that reads compactly, but for columns that stay text; as it is where ``texts`` is None."""
        compactly = self.compactly
        if texts is None or compactly is None:
            return self
        return replace(self, make=lambda source, header: compactly(source, header, texts))


@dataclass(frozen=True, kw_only=True)
class RemoteEntry(SourceEntry):
    """A source that is brought here first: ``make(address, folder, reading)`` gives what was `Fetched`."""


@dataclass(frozen=True, kw_only=True)
class ImageEntry(SourceEntry):
    """A source of images: ``make(source, reading)`` gives a `Table` whose ``images`` are decoded."""


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """Files that a remote source gave, in a folder that is removed after they are read."""

    source: str
    """The path of the file, or the pattern of the files."""
    details: Mapping[str, str | int | bool]
    """What was decided while fetching: pages, how they follow each other and the like."""
    notes: tuple[str, ...] = ()
