"""Categories: one text for each level, however a source writes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import polars as pl

from wellfit.data.cleaning.missing import is_missing, is_missing_level
from wellfit.data.cleaning.numbers import SMALL
from wellfit.data.cleaning.report import Coerced, Tally
from wellfit.data.cleaning.spellings import form_of, levels_by_form
from wellfit.data.cleaning.words import first_of
from wellfit.data.compact import is_compact, level_counts, translated
from wellfit.errors import ContractError

__all__ = ["CategoryReader", "canonical", "counted", "numeral", "spelling_of"]

_NUMERAL = re.compile(r"[+-]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_TRUTH = {"true": "true", "1": "true", "1.0": "true", "false": "false", "0": "false", "0.0": "false"}


def canonical(value: Any) -> str | None:
    """Give the one text that stands for a cell's value, or None where the cell is missing.

    >>> canonical(" blue "), canonical(3), canonical(3.0), canonical(True), canonical("?")
    ('blue', '3', '3', 'true', None)
    """
    text = _text(value)
    return None if text is None or is_missing(text) else text


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return _float_text(value) if isinstance(value, float) else str(value).strip()


def _float_text(value: float) -> str | None:
    if value != value:
        return None
    return str(int(value)) if abs(value) < 1e16 and value == int(value) else repr(value)


def numeral(text: str) -> str:
    """Give a numeral in its shortest form, and any other text as it is.

    >>> numeral("1.0"), numeral("+1"), numeral("1.50"), numeral("02115"), numeral("a")
    ('1', '1', '1.5', '02115', 'a')
    """
    if not _is_numeral(text):
        return text
    digits = text.removeprefix("+")
    if digits.removeprefix("-").isdigit():
        return "0" if digits == "-0" else digits
    return _float_text(float(text)) or text


def _is_numeral(text: str) -> bool:
    return _NUMERAL.fullmatch(text) is not None and abs(float(text)) < float("inf")


def spelling_of(levels: Iterable[str]) -> str:
    """Say what the levels of a column are: ``bool``, ``number`` or ``text``.

    >>> spelling_of(["True", "false"]), spelling_of(["1", "2"]), spelling_of(["1", "a"]), spelling_of(["01", "02"])
    ('bool', 'number', 'text', 'text')
    """
    texts = list(levels)
    if texts and all(text.casefold() in ("true", "false") for text in texts):
        return "bool"
    return "number" if texts and all(map(_is_numeral, texts)) else "text"


_SPELLINGS: dict[str, Callable[[str], str]] = {
    "text": lambda text: text,
    "number": numeral,
    "bool": lambda text: _TRUTH.get(text.casefold(), text),
    "presence": lambda text: "given",
}


@dataclass(frozen=True, kw_only=True)
class CategoryReader:
    """Reads a column of categories into text, null where a cell is missing.

    Text that is held compactly stays so, but for a few rows.

    >>> reader = CategoryReader(levels=("Paris", "Rome"), merged={"Pariss": "Paris"})
    >>> reader.read(pl.Series("city", ["PARIS", "Pariss", "unknown", "Oslo"]))[0].to_list()
    ['Paris', 'Paris', None, 'Oslo']
    """

    kind: ClassVar[str] = "category"
    spelling: str = "text"
    """``text`` as it is; ``number`` takes 1, 1.0 and "1" for one level; ``bool`` true, TRUE and 1; ``presence`` says
    only whether anything is there; ``words`` which of the levels is the first that stands in it as a word."""
    levels: tuple[str, ...] = ()
    """The levels of the training rows: a text of the same form as one of them is that level."""
    merged: Mapping[str, str] = field(default_factory=dict)
    """Texts that stand for a level although their form is another: typing errors, ``y`` for ``yes``."""
    absent: tuple[str, ...] = ()
    """Texts that stand for a missing cell in this column alone."""
    kept: tuple[str, ...] = ()
    """Texts that are levels in this column, and missing markers in others."""
    words: bool = True
    """Whether words such as ``unknown`` are missing cells; classes of a target may be called so."""

    def read(self, series: pl.Series, different: pl.Series | None = None) -> tuple[pl.Series, Coerced]:
        """Read a raw column; every cell becomes a level's text or null.

        Args:
            series: The raw cells.
            different: Each different one of them, where these are known.
        """
        plain = _flat(series)
        tally = Tally()
        if len(plain) <= SMALL:
            cells = plain.to_list()
            levels = {cell: self.level(cell) for cell in set(cells)}
            read = pl.Series(series.name, [levels[cell] for cell in cells], dtype=pl.String)
        else:
            levels = {
                cell: self.level(cell) for cell in (plain.unique() if different is None else _flat(different)).to_list()
            }
            read = translated(plain, levels) if is_compact(plain) else _translated(plain, levels)
        tally.add("missing", None, read.null_count())
        other = {cell: level for cell, level in levels.items() if self._is_otherwise_written(cell, level)}
        if other:
            tally.add("merged", min(other), int(plain.is_in(list(other)).sum()))
        return read, tally.coerced()

    def level(self, cell: Any) -> str | None:
        """Give the level of one cell, None where it is missing."""
        text = _text(cell)
        if text is None or self._is_absent(text):
            return None
        if self.spelling == "words":
            return first_of(self.levels, text)
        text = _SPELLINGS[self.spelling](text)
        if text in self._known:
            return text
        return self.merged.get(text) or self._forms.get(form_of(text)) or self._merged_forms.get(form_of(text), text)

    def _is_absent(self, text: str) -> bool:
        if text in self.kept:
            return False
        return text in self.absent or (is_missing_level(text) if self.words else is_missing(text))

    def _is_otherwise_written(self, cell: Any, level: str | None) -> bool:
        return level is not None and self.spelling == "text" and isinstance(cell, str) and cell.strip() != level

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.levels)

    @cached_property
    def _forms(self) -> dict[str, str]:
        return levels_by_form(self.levels)

    @cached_property
    def _merged_forms(self) -> dict[str, str]:
        return {form_of(text): level for text, level in self.merged.items()}

    def as_dict(self) -> dict[str, Any]:
        """Give the reader's settings as JSON holds them."""
        return {
            "spelling": self.spelling,
            "levels": list(self.levels),
            "merged": dict(self.merged),
            "absent": list(self.absent),
            "kept": list(self.kept),
            "words": self.words,
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> CategoryReader:
        """Read the settings back from what `as_dict` gave."""
        lists = {name: tuple(record[name]) for name in ("levels", "absent", "kept")}
        return cls(**{**record, **lists})


def counted(series: pl.Series) -> dict[str, int]:
    """Count the levels of a column that was read, in the order of their texts."""
    if is_compact(series):
        return dict(sorted(level_counts(series).items()))
    return dict(series.alias("level").drop_nulls().value_counts(name="count").sort("level").rows())


def _flat(series: pl.Series) -> pl.Series:
    """Give the column in a type whose cells are hashable values of Python."""
    dtype = series.dtype
    if isinstance(dtype, (pl.Categorical, pl.Enum)):
        return series if is_compact(series) and len(series) > SMALL else series.cast(pl.String)
    if dtype.is_float() or dtype.is_decimal():
        return series.cast(pl.Float64).fill_nan(None)
    if dtype in (pl.String, pl.Boolean, pl.Null) or dtype.is_integer():
        return series
    if dtype.is_temporal():
        return series.cast(pl.String)
    raise ContractError(f"The column '{series.name}' must hold categories.", got=str(dtype), do="Give text or numbers.")


def _translated(series: pl.Series, levels: Mapping[Any, str | None]) -> pl.Series:
    if all(cell == text for cell, text in levels.items()) and series.dtype == pl.String:
        return series
    old = [cell for cell in levels if cell is not None]
    new = [levels[cell] for cell in old]
    if not old:
        return pl.Series(series.name, [None] * len(series), dtype=pl.String)
    keys = pl.Series("old", old, dtype=series.dtype)
    return series.replace_strict(keys, pl.Series("new", new, dtype=pl.String), default=None, return_dtype=pl.String)
