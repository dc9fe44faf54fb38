"""`Sources`: the typed columns by what becomes of them, and the numbers they become before any are scaled."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import polars as pl

from wellfit.data.columnwise import each
from wellfit.data.compact import as_text, is_worded
from wellfit.data.features.calendar import CHOICES, date_parts, varying_parts
from wellfit.data.features.encoded import EncodedColumn, encode_column
from wellfit.data.features.raw_columns import RawColumns
from wellfit.data.features.targets import Targets
from wellfit.data.features.texts import TEXTS, Vectorizer
from wellfit.errors import ConfigError
from wellfit.registry import Choice, Entry

__all__ = ["ROWS_AT_ONCE", "Sources", "TextColumn", "learn_sources"]

ROWS_AT_ONCE = 16_384
"""Rows that are turned into numbers at once: what is between is several times as large as these."""

Floats = np.ndarray[Any, np.dtype[np.float64]]
Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class TextColumn:
    """A column of free text and what turns it into numbers."""

    name: str
    encoder: str
    settings: Mapping[str, Any]
    """What the text encoder is made from."""

    @cached_property
    def step(self) -> Vectorizer:
        """The text encoder, made from its settings."""
        vectorizer: Vectorizer = TEXTS[self.encoder].make(**self.settings)
        return vectorizer

    def apply(self, frame: pl.DataFrame) -> Array:
        """Give the numbers of each text, float32 [row, number]."""
        return self.step.apply(as_text(frame.get_column(self.name)))

    def as_dict(self) -> dict[str, Any]:
        """Give the column as JSON holds it."""
        return {"name": self.name, "encoder": self.encoder, "settings": dict(self.settings)}


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The typed columns by what becomes of them."""

    numbers: tuple[str, ...]
    """Number columns."""
    dates: tuple[tuple[str, tuple[str, ...]], ...]
    """Date columns with the parts that are used."""
    encoded: tuple[EncodedColumn, ...]
    """Category columns."""
    texts: tuple[TextColumn, ...] = ()
    """Columns of free text."""

    def encoded_as(self, gives: str) -> list[EncodedColumn]:
        """Give the category columns that become ids, flags or numbers."""
        return [column for column in self.encoded if column.step.gives == gives]

    def coded(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Put the codes of levels in the place of category cells, in as few bytes as hold them."""
        codes = each(lambda column: column.coded(frame), self.encoded, rows=frame.height)
        return _put(frame, codes)

    def made(self, coded: pl.DataFrame, given: Mapping[str, Floats] | None = None) -> dict[str, Floats]:
        """Give the numbers that dates and codes become, by column, float64 [row] or [row, number].

        Args:
            coded: Typed rows with codes for categories.
            given: What is known for some columns already.
        """
        found = dict(given or {})
        for name, parts in self.dates:
            if name not in found:
                found[name] = date_parts(coded.get_column(name), parts)
        for column in self.encoded_as("number"):
            if column.name not in found:
                found[column.name] = column.apply(coded)
        return found

    def columns(self, coded: pl.DataFrame, made: Mapping[str, Floats]) -> RawColumns:
        """Give what is filled and scaled of training rows, one column at a time; ``made`` is of dates and codes."""
        return RawColumns(coded.height, [*map(coded.get_column, self.numbers), *(made[name] for name in self._makers)])

    def raw(self, coded: pl.DataFrame, given: Mapping[str, Floats] | None = None) -> Floats:
        """Give what is filled and scaled, float64 [row, source], NaN where a cell is missing.

        Args:
            coded: Typed rows with codes for categories.
            given: What the rows get for some dates and categories, by name, where that is known.
        """
        made = self.made(coded, given)
        # Polars fills quicker than it turns nulls to NaN.
        numbers = pl.DataFrame([coded.get_column(name) for name in self.numbers]).fill_null(np.nan)
        blocks: list[Array] = [*map(pl.Series.to_numpy, numbers.get_columns()), *(made[name] for name in self._makers)]
        widths = [1 if block.ndim == 1 else block.shape[1] for block in blocks]
        # By columns, since each is scaled by itself.
        raw = np.empty((coded.height, sum(widths)), dtype=np.float64, order="F")
        first = 0
        for block, width in zip(blocks, widths, strict=True):
            raw[:, first : first + width] = block.reshape(coded.height, width)
            first += width
        return raw

    @property
    def _makers(self) -> list[str]:
        """The columns that numbers are made of, in order."""
        return [name for name, _ in self.dates] + [column.name for column in self.encoded_as("number")]

    def raw_names(self) -> list[tuple[str, str]]:
        """Give the column and the name of each of those."""
        names = [(name, name) for name in self.numbers]
        names += [(name, f"{name} {part}") for name, parts in self.dates for part in parts]
        of_levels = ((column.name, column.step.names(column.name)) for column in self.encoded_as("number"))
        return names + [(owner, name) for owner, its in of_levels for name in its]

    def fixed(self, coded: pl.DataFrame) -> list[Array]:
        """Give what is taken as it is: flags of levels and numbers of texts, each [row, number]."""
        flags: list[Array] = [column.apply(coded) for column in self.encoded_as("flags")]
        return flags + [column.apply(coded) for column in self.texts]

    def flag_names(self) -> list[str]:
        """Name the flags of levels."""
        return [name for column in self.encoded_as("flags") for name in column.step.names(column.name)]

    def text_names(self) -> list[str]:
        """Name the numbers of texts."""
        return [name for column in self.texts for name in column.step.names(column.name)]

    def ids(self, coded: pl.DataFrame) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Give the ids of levels, int64 [row, category]."""
        columns = self.encoded_as("ids")
        ids = np.empty((coded.height, len(columns)), dtype=np.int64)

        def fill(first: int) -> None:
            rows = coded[first : first + ROWS_AT_ONCE]
            for place, column in enumerate(columns):
                ids[first : first + ROWS_AT_ONCE, place] = column.apply(rows)

        # A column is written across the rows, which is quick where all columns of these are near.
        each(fill, range(0, coded.height, ROWS_AT_ONCE), rows=coded.height)
        return ids

    def flagged(self, holes: Iterable[bool]) -> tuple[int, ...]:
        """Give the sources with missing training cells, as ``holes`` says, but of a date only its first part."""
        start = len(self.numbers)
        repeated: set[int] = set()
        for _, parts in self.dates:
            repeated.update(range(start + 1, start + len(parts)))
            start += len(parts)
        return tuple(source for source, has in enumerate(holes) if has and source not in repeated)


def learn_sources(
    frame: pl.DataFrame,
    *,
    encoding: Choice[Entry],
    of_column: Mapping[str, Choice[Entry]],
    dates: str,
    texts: Collection[str],
    text: Choice[Entry],
    targets: Targets | None,
) -> tuple[Sources, pl.DataFrame, dict[str, Floats]]:
    """Sort the training columns by what becomes of them; those without any value become nothing.

    Args:
        frame: Typed training rows.
        encoding: The encoder of categories.
        of_column: The encoder of single columns, where it is another.
        dates: Which parts of dates are taken, one of `CHOICES`.
        texts: The columns of free text.
        text: Their encoder.
        targets: The targets of the rows; None where there are none.

    Returns:
        The sources, the rows with codes for categories, and what they get for category columns where that isn't what
        the same cells get later.
    """
    valued = [series for series in frame.get_columns() if series.null_count() < len(series)]
    _refuse_encoders(valued, of_column, texts)
    moments = ((series.name, series) for series in valued if isinstance(series.dtype, pl.Datetime))
    parts = ((name, varying_parts(series, CHOICES[dates])) for name, series in moments)
    levels = [series for series in valued if is_worded(series) and series.name not in texts]
    encoded = each(
        lambda series: encode_column(series, of_column.get(series.name, encoding), targets), levels, rows=frame.height
    )
    prose = [series for series in valued if is_worded(series) and series.name in texts]
    sources = Sources(
        numbers=tuple(series.name for series in valued if series.dtype == pl.Float64),
        dates=tuple((name, its) for name, its in parts if its),
        encoded=tuple(column for column, _, _ in encoded),
        texts=tuple(_text(series, text) for series in prose),
    )
    given = {column.name: block for column, _, block in encoded if block is not None}
    return sources, _put(frame, [codes for _, codes, _ in encoded]), given


def _put(frame: pl.DataFrame, columns: Iterable[pl.Series]) -> pl.DataFrame:
    """Put columns in the place of those of the same names."""
    instead = {series.name: series for series in columns}
    return pl.DataFrame([instead.get(series.name, series) for series in frame.get_columns()])


def _text(series: pl.Series, text: Choice[Entry]) -> TextColumn:
    learned = cast(type[Vectorizer], text.entry.make).fit(as_text(series), **text.options)
    return TextColumn(name=series.name, encoder=text.name, settings=learned.as_dict())


def _refuse_encoders(valued: list[pl.Series], of_column: Mapping[str, Any], texts: Collection[str]) -> None:
    for series in valued:
        if series.name in of_column and (not is_worded(series) or series.name in texts):
            raise ConfigError(
                f"'features.columns.{series.name}.encode' is for a column of categories.",
                got="text" if series.name in texts else "dates" if series.dtype.is_temporal() else "numbers",
                do="Set its type to category, or leave encode out.",
            )
