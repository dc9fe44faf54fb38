"""Free text: sentences, reviews, descriptions, whose words tell something although no two cells are equal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import polars as pl

from wellfit.data.cleaning.missing import is_missing_level
from wellfit.data.cleaning.report import Coerced, Tally
from wellfit.errors import ContractError

__all__ = ["TextReader", "is_prose"]

WORDS = 6
"""Texts of so many words in the middle are prose; names, keys and titles are shorter."""

REPEATED = 1.5
"""How often a word of prose returns at the least, in the mean over all words."""

LONGEST_MARKER = 40
_PROBE = 2_000


@dataclass(frozen=True, kw_only=True)
class TextReader:
    """Reads a column of free text into String, null where a cell is empty or a missing marker.

    >>> TextReader().read(pl.Series("review", [" Works well. ", "N/A", None]))[0].to_list()
    ['Works well.', None, None]
    """

    kind: ClassVar[str] = "text"
    absent: tuple[str, ...] = ()
    """Texts that stand for a missing cell in this column alone."""
    kept: tuple[str, ...] = ()
    """Texts that are texts in this column, and missing markers in others."""

    def read(self, series: pl.Series) -> tuple[pl.Series, Coerced]:
        """Read a raw column; cells of other types become their text.

        Raises:
            ContractError: The cells have no text.
        """
        if series.dtype.is_nested() or series.dtype in (pl.Object, pl.Binary):
            raise ContractError(f"The column '{series.name}' must hold text.", got=str(series.dtype))
        texts = series.cast(pl.String).str.strip_chars()
        short = texts.filter(texts.str.len_bytes() <= LONGEST_MARKER).unique().to_list()
        markers = pl.Series([text for text in short if text is not None and self._is_absent(text)], dtype=pl.String)
        read = pl.select(pl.when(~texts.is_in(markers)).then(texts).alias(series.name)).to_series()
        tally = Tally()
        tally.add("missing", None, read.null_count())
        return read, tally.coerced()

    def _is_absent(self, text: str) -> bool:
        return text not in self.kept and (text in self.absent or is_missing_level(text))

    def as_dict(self) -> dict[str, Any]:
        """Give the reader's settings as JSON holds them."""
        return {"absent": list(self.absent), "kept": list(self.kept)}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> TextReader:
        """Read the settings back from what `as_dict` gave."""
        return cls(absent=tuple(record["absent"]), kept=tuple(record["kept"]))


def is_prose(series: pl.Series) -> bool:
    """Say whether the texts of a column are prose: many words each, which return from text to text.

    >>> is_prose(pl.Series(["Braund, Mr. Owen Harris", "Heikkinen, Miss. Laina"]))
    False
    """
    texts = series.drop_nulls().head(10 * _PROBE).unique(maintain_order=True).head(_PROBE).to_list()
    words = [text.casefold().split() for text in texts]
    lengths = sorted(len(its) for its in words)
    if not lengths or lengths[len(lengths) // 2] < WORDS:
        return False
    different = {word for its in words for word in its}
    return sum(lengths) >= REPEATED * len(different)
