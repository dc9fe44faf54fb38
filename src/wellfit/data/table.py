"""A table as it was read, and the record of where it came from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from wellfit.errors import ConfigError, did_you_mean
from wellfit.findings import Finding

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Images", "SourceRecord", "Table", "resolve_column"]


@dataclass(frozen=True, kw_only=True)
class SourceRecord:
    """What was read, from where and when: the entry that a run keeps of its source."""

    uri: str
    """The path, or the kind of a frame in memory; secrets masked."""
    kind: str
    """The name of the entry that read it."""
    rows: int
    columns: int
    checksum: str
    """sha256 of a file's bytes, or of a frame's content."""
    read_at: str
    """Time of reading, ISO 8601, UTC."""
    details: Mapping[str, str | int | bool] = field(default_factory=dict)
    """What was decided while reading: encoding, delimiter, header and the like."""

    def as_dict(self) -> dict[str, Any]:
        """Give the record as JSON holds it."""
        return asdict(self) | {"details": dict(self.details)}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> SourceRecord:
        """Read a record back from what `as_dict` gave."""
        return cls(**record)


@dataclass(frozen=True, kw_only=True)
class Images:
    """Decoded images beside a table's frame, in whose column ``image`` each row has the place of its own.

    Rows of a frame are dealt, dropped and sorted; pixels are not moved with them. So they stay in one tensor, in memory
    or mapped from a file without a name, and a row only points at its image.
    """

    pixels: Tensor
    """Uint8 ``[image, channel, height, width]``: one channel is grey, three are red, green and blue."""
    modes: Mapping[str, int]
    """Images by the mode that their files have: ``L``, ``RGB``, ``RGBA``, ``P`` and the like."""
    sizes: Mapping[str, int]
    """Images by the size that their files have, such as ``28 x 28`` (height x width)."""
    resized: int
    """How many were not of the one size that all have now."""
    converted: int
    """How many were not of the one mode that all have now."""
    duplicates: int
    """How many equal an earlier image in every pixel."""
    broken: Mapping[str, str]
    """Files that could not be decoded and were set aside, each with the reason."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Raw rows, their record, and what a person should know of the reading.

    Columns of delimited text are all text, exactly as written; an empty cell is null, a quoted empty cell is not.
    Typed sources keep their types. Read compactly, text of which every cell is a plain number is held as numbers, and
    text that returns by its levels: ``1.0`` and ``1`` are then the same cell, and rows with them are duplicates.
    """

    frame: pl.DataFrame
    record: SourceRecord
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    """What the reading found at fault, such as images that are broken."""
    written: frozenset[str] = frozenset()
    """Columns of numbers that were text when they were read."""
    images: Images | None = None
    """The images that the rows are of; None for other tables."""


def resolve_column(frame: pl.DataFrame, given: str | int) -> str:
    """Find a column by its name, else by its index (-1 is the last), which may be written as text.

    >>> resolve_column(pl.DataFrame({"age": [1], "income": [2]}), "-1")
    'income'

    Raises:
        ConfigError: no column has that name or index.
    """
    if isinstance(given, bool) or not isinstance(given, (str, int)):
        raise ConfigError("A column is given by its name or its index.", got=given, do="Try -1 for the last column.")
    if str(given) in frame.columns:
        return str(given)
    if re.fullmatch(r"\s*[-+]?[0-9]{1,9}\s*", str(given)):
        return _column_at(frame, int(given))
    parts = [part.strip() for part in str(given).split(",")]
    if len(parts) > 1 and set(parts) <= set(frame.columns):
        raise ConfigError(
            "wellfit trains one target at a time; several targets and multilabel ones are not supported.",
            got=given,
            do="Name one column, and train once for each.",
        )
    raise ConfigError("There is no such column.", got=given, do=did_you_mean(given, frame.columns))


def _column_at(frame: pl.DataFrame, index: int) -> str:
    width = frame.width
    if -width <= index < width:
        return frame.columns[index]
    raise ConfigError(
        f"A column's index must be in [{-width}, {width - 1}].", got=index, do=f"The last column is {width - 1} or -1."
    )
