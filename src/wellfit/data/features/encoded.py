"""`EncodedColumn`: a category column with its vocabulary and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import polars as pl

from wellfit.data.cleaning.categories import counted
from wellfit.data.compact import as_text, compact_text
from wellfit.data.features.encoders import ENCODERS, Encoder, Levels
from wellfit.data.features.encoders.encoder import Floats
from wellfit.data.features.targets import Targets
from wellfit.data.features.vocabulary import FIRST, SMALL, UNSEEN, Codes, Vocabulary
from wellfit.registry import Choice, Entry

__all__ = ["EncodedColumn", "encode_column"]


@dataclass(frozen=True, kw_only=True)
class EncodedColumn:
    """A category column with its vocabulary and what becomes of it."""

    name: str
    encoder: str
    levels: tuple[str, ...]
    missing: bool
    values: tuple[tuple[float, ...], ...] = ()
    """The numbers of each code, where the encoder learned some."""

    @cached_property
    def step(self) -> Encoder:
        """The encoder, made from the levels."""
        encoder: Encoder = ENCODERS[self.encoder].make(self.levels, self.missing, self.values)
        return encoder

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The levels as numbers."""
        return Vocabulary(self.levels)

    def coded(self, frame: pl.DataFrame) -> pl.Series:
        """Give the codes of the column's cells, as a column of the same name."""
        return pl.Series(self.name, self.vocabulary.codes(frame.get_column(self.name)))

    def apply(self, coded: pl.DataFrame) -> Codes | Floats:
        """Give the column's ids, flags or numbers from its codes."""
        return self.step.apply(coded.get_column(self.name).to_numpy())

    def unseen(self, frame: pl.DataFrame) -> pl.Series:
        """Give the cells whose level is not in the vocabulary."""
        series = frame.get_column(self.name)
        return as_text(series.filter(pl.Series(self.vocabulary.codes(series) == UNSEEN)))

    def as_dict(self) -> dict[str, Any]:
        """Give the column as JSON holds it."""
        record = {"name": self.name, "encoder": self.encoder, "levels": list(self.levels), "missing": self.missing}
        return record | ({"values": [list(numbers) for numbers in self.values]} if self.values else {})

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> EncodedColumn:
        """Read a column back from what `as_dict` gave."""
        values = tuple(tuple(numbers) for numbers in record.get("values", ()))
        return cls(**{**record, "levels": tuple(record["levels"]), "values": values})


def encode_column(
    series: pl.Series, encoding: Choice[Entry], targets: Targets | None
) -> tuple[EncodedColumn, pl.Series, Floats | None]:
    """Learn an encoder from a training column.

    Returns:
        The column, the codes of its training rows, and what they get where that isn't what the same cells get later.
    """
    if len(series) > SMALL and series.dtype == pl.String:
        # Texts are looked up once, and numbers fetched from then on.
        series = series.cast(compact_text())
    levels = Levels(counts=counted(series), missing=series.null_count() > 0)
    entry, options = encoding.entry, encoding.options
    if len(levels.counts) <= options.get("onehot_up_to", -1):
        entry = ENCODERS["onehot"]
    kind: type[Encoder] = entry.make  # type: ignore[assignment]
    chosen = tuple(kind.choose_levels(levels))
    column = EncodedColumn(name=series.name, encoder=entry.name, levels=chosen, missing=levels.missing)
    codes = column.vocabulary.codes(series)
    learned = kind.learn(codes, len(chosen) + FIRST, targets, **options)
    return replace(column, values=learned.values), pl.Series(series.name, codes), learned.training
