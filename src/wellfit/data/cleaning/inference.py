"""What a raw column is, decided on its training cells alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from wellfit.data.cleaning.categories import CategoryReader, counted
from wellfit.data.cleaning.category_style import category_style
from wellfit.data.cleaning.cells import PROBE, Cells
from wellfit.data.cleaning.codes import are_codes, are_whole, holds_codes
from wellfit.data.cleaning.date_style import date_style, dates_by_hand, torn_dates
from wellfit.data.cleaning.dates import DateReader
from wellfit.data.cleaning.dates_as_numbers import number_dates
from wellfit.data.cleaning.identifiers import running_number, unusable_text
from wellfit.data.cleaning.missing import is_missing_level, is_missing_number
from wellfit.data.cleaning.number_style import number_style
from wellfit.data.cleaning.numbers import NumberReader, unit_of
from wellfit.data.cleaning.report import Coerced
from wellfit.data.cleaning.settings import ColumnSettings
from wellfit.data.cleaning.texts import TextReader, is_prose
from wellfit.data.cleaning.units import factors, offsets
from wellfit.data.compact import has_one_value, is_worded
from wellfit.errors import ConfigError, DataError

__all__ = ["READABLE", "Inferred", "Reader", "as_reader", "by_words", "infer", "number_reader", "refuse_nested"]

Reader = NumberReader | CategoryReader | DateReader | TextReader

READABLE = 0.95
"""The share of a column's cells that must read as a number or a date for it to be one."""

DATES = 0.8
"""The same for dates, which nothing else looks like."""

MOSTLY = 0.5
"""The share that suffices where the other cells are a few words that return, which then stand for a missing number."""

WORDS = 10
NUMBERS = 20
"""Different words that a column of mostly numbers may have, and different numbers that it must have."""

PRESENCE = (0.05, 0.95)
"""Free text whose missing share lies within is kept as whether it is there."""

EXACT = 2.0**53
"""Whole numbers beyond are not told apart by the numbers that are computed with."""

MOST_READ_AGAIN = 10_000
"""Different cells up to which reading them anew is quicker than to count what was read."""


@dataclass(frozen=True, kw_only=True)
class Inferred:
    """What a column is and how it is read, with what reading its training cells changed."""

    reader: Reader
    counts: Coerced
    typed: pl.Series
    """The training cells as they were read."""
    drop: str = ""
    """Why it is of no use; empty where it is used."""
    code: str = ""
    """The code of the finding that says so."""
    note: str = ""
    """What was done instead of dropping it."""
    short_text: str = ""
    """Why it is short free text, such as names, of which words may tell something; empty where it is none."""
    forms: Mapping[str, str] = field(default_factory=dict)
    """Texts that are read as another level, as only their form differs."""
    typos: Mapping[str, str] = field(default_factory=dict)
    """Levels that look like typing errors, with the level they mean."""
    cells: Mapping[str, int] = field(default_factory=dict)
    """How often each of these stands in the training rows."""
    guessed: str = ""
    """A date of which nothing tells whether the day or the month is first."""
    torn: tuple[str, ...] = ()
    """A date that must have the day first and one that must have the month first, where a column is torn by them."""
    codes: bool = False
    """Whether its cells are whole numbers that were taken for codes."""
    units: Mapping[str, int] = field(default_factory=dict)
    """How often each unit stands behind a number, where they are mixed."""


def refuse_nested(series: pl.Series) -> None:
    """Raise `DataError` where the cells are lists, structures, bytes or objects."""
    if series.dtype.is_nested() or series.dtype in (pl.Object, pl.Binary):
        do = "Give one number, text or date a cell, or leave the column out."
        raise DataError(f"The column '{series.name}' must hold single values.", got=str(series.dtype), do=do)


_DEFAULTS = ColumnSettings()


def infer(series: pl.Series, settings: ColumnSettings = _DEFAULTS, *, written: bool = False) -> Inferred:
    """Decide what a column of training rows is.

    Args:
        series: The raw training cells.
        settings: What a person says of the column.
        written: Whether its numbers were text, so that text is no surprise in later rows.

    Raises:
        DataError: The cells are nested.
    """
    refuse_nested(series)
    cells = Cells(series)
    texts = _texts(cells, settings.markers)
    if settings.type:
        how = _stated(cells, texts, settings)
    elif written:
        how = _how(NumberReader(absent=settings.numbers), cells)
    else:
        how = _inferred(cells, texts, settings)
    typed = how.typed
    if typed.null_count() == len(typed):
        return replace(how, drop="it has no value", code="constant_column")
    if typed.null_count() == 0 and has_one_value(typed):
        return replace(how, drop=_one_value(typed, series), code="constant_column")
    return how if settings.type else _useful(cells, how, texts)


def _one_value(typed: pl.Series, raw: pl.Series) -> str:
    """Say why all cells of a column are the same."""
    if typed.dtype == pl.Float64 and abs(typed[0]) >= EXACT and raw.n_unique() > 1:
        return "its numbers differ only beyond the 15 digits that a number is read with"
    return "it has one value only"


def _how(reader: Reader, cells: Cells, /, **facts: Any) -> Inferred:
    if isinstance(reader, NumberReader) and "numbers" in vars(cells):
        typed, counts = reader.read(cells.series, cells.numbers)
    elif isinstance(reader, CategoryReader) and "counts" in vars(cells):
        typed, counts = reader.read(cells.series, cells.counts["cell"])
    else:
        typed, counts = reader.read(cells.series)
    return Inferred(reader=reader, counts=counts, typed=typed, **facts)


def _texts(cells: Cells, markers: Sequence[str]) -> list[str]:
    """Give different texts of a column that may be values: those of a sample, and any that is no plain number."""
    if not is_worded(cells.series):
        return []
    known = cells.sample
    if cells.series.count() > PROBE:
        known = pl.concat([known, cells.strange().head(PROBE)])
    different = {text.strip() for text in known.unique().to_list()}
    return sorted(text for text in different if not is_missing_number(text) and text not in markers)


def _stated(cells: Cells, texts: Sequence[str], settings: ColumnSettings) -> Inferred:
    cells = cells if settings.type == "category" else cells.in_full
    if settings.type == "number":
        return _how(number_reader(cells.series, texts, settings), cells)
    if settings.type == "datetime":
        if cells.series.dtype.is_numeric() or (texts and are_whole(texts)):
            numbers = NumberReader(absent=settings.numbers).read(cells.series)[0]
            # That they are dates is what a person says, so that the name need not.
            found = number_dates(f"{cells.series.name} date", numbers)
            if found is not None:
                return _how(DateReader(numbered=found.form), cells)
        style = date_style(texts, share=0.0, order=settings.dates)
        typed = cells.series.dtype.is_temporal()
        return _how(DateReader(typed=typed) if style is None else replace(style.reader, typed=typed), cells)
    if settings.type == "text":
        return _how(TextReader(absent=settings.markers, kept=settings.keep), cells)
    return _category(cells, settings)


def number_reader(series: pl.Series, texts: Sequence[str], settings: ColumnSettings = _DEFAULTS) -> NumberReader:
    """Give the reader for a column that holds numbers, as its texts are written."""
    reader = number_style(texts, typed=series.dtype.is_numeric())
    if settings.unit is not None:
        found = {unit for text in texts if (unit := unit_of(text))}
        basis = settings.unit.casefold()
        units = factors(sorted({*found, basis}), basis)
        if found and found.isdisjoint(units):
            rule = f"'clean.columns.{series.name}.unit' must be a unit that its numbers can be turned into."
            raise ConfigError(rule, got=settings.unit, do=f"They are in {', '.join(sorted(found)[:5])}.")
        return replace(reader, absent=settings.numbers, units=units, offsets=offsets(units, basis))
    return replace(reader, absent=settings.numbers)


def _category(cells: Cells, settings: ColumnSettings) -> Inferred:
    if cells.series.dtype == pl.Boolean:
        return _how(CategoryReader(spelling="bool"), cells)
    counts = _level_counts(cells)
    if _is_free_text(counts):
        return _how(CategoryReader(absent=settings.markers, kept=settings.keep), cells)
    style = category_style(counts, settings)
    return _how(style.reader, cells, forms=style.forms, typos=style.typos, cells=style.cells)


def _level_counts(cells: Cells) -> dict[str, int]:
    """Count the texts of a column, without the blanks around them."""
    raw = CategoryReader(kept=("",), words=False)
    counts: Counter[str] = Counter()
    for cell, count in cells.counts.iter_rows():
        text = cell.strip() if isinstance(cell, str) else raw.level(cell)
        if text is not None:
            counts[text] += count
    return dict(sorted(counts.items()))


def _is_free_text(counts: Mapping[str, int]) -> bool:
    known = [count for text, count in counts.items() if not is_missing_level(text)]
    return unusable_text(known) is not None


def _inferred(cells: Cells, texts: Sequence[str], settings: ColumnSettings) -> Inferred:
    series, dtype = cells.series, cells.series.dtype
    if dtype == pl.Date or isinstance(dtype, pl.Datetime):
        return _how(DateReader(typed=True), cells)
    if dtype.is_integer():
        if are_codes(series.name, series):
            return replace(_category(cells, settings), codes=True)
        return _how(NumberReader(typed=True, absent=settings.numbers), cells)
    if dtype.is_numeric() or isinstance(dtype, pl.Duration) or dtype in (pl.Time, pl.Null):
        return _how(NumberReader(typed=True, absent=settings.numbers), cells)
    if dtype == pl.Boolean or (is_worded(series) and not texts):
        return _how(CategoryReader(spelling="bool" if dtype == pl.Boolean else "text"), cells)
    if not is_worded(series):
        return _category(cells, settings)
    return _from_text(cells, texts, settings)


def _from_text(cells: Cells, texts: Sequence[str], settings: ColumnSettings) -> Inferred:
    how = _as_numbers(cells, texts, settings)
    if how is not None:
        codes = are_whole(texts) and holds_codes(cells.in_full.series, how.typed)
        return replace(_category(cells, settings), codes=True) if codes else how
    # Some thousand texts tell what the format is; the whole column then tells whether it holds.
    some = texts[:: max(1, len(texts) // 1000)]
    style = date_style(some, MOSTLY, settings.dates)
    if style is not None:
        how = _how(style.reader, cells.in_full, guessed=style.example)
        if how.counts.unparsed <= (1 - DATES) * (len(cells.series) - how.counts.missing):
            keep = settings.types == "keep" and settings.dates is None
            if not keep or dates_by_hand(cells.in_full.series, how.typed).is_empty():
                return how
    mixed = Counter(unit for text in texts if (unit := unit_of(text)))
    units = _unit_cells(cells) if len(mixed) > 1 and mixed.total() >= READABLE * len(texts) else {}
    torn = torn_dates(some) if style is None and settings.dates is None else ()
    return replace(_category(cells, settings), units=units, torn=torn)


def _unit_cells(cells: Cells) -> Counter[str]:
    """Count the cells of each unit."""
    counts: Counter[str] = Counter()
    for cell, count in cells.counts.iter_rows():
        if isinstance(cell, str) and (unit := unit_of(cell)):
            counts[unit] += count
    return counts


def _as_numbers(cells: Cells, texts: Sequence[str], settings: ColumnSettings) -> Inferred | None:
    """Read a column as numbers, or give None where too many of its cells are none."""
    series = cells.series
    reader = number_reader(series, texts, settings)
    head = reader.read(series.head(2_000))[1]
    if len(series) > 2_000 and head.unparsed > MOSTLY * (2_000 - head.missing):
        return None
    cells, series = cells.in_full, cells.in_full.series
    how = _how(reader, cells)
    present, unparsed = len(series) - how.counts.missing, how.counts.unparsed
    if settings.types == "keep" and (how.counts.converted or reader.decimal == ","):
        return None
    if present == 0 or unparsed > MOSTLY * present:
        return None
    return how if unparsed <= (1 - READABLE) * present or _are_words(series, how.typed, unparsed) else None


def _are_words(series: pl.Series, read: pl.Series, unparsed: int) -> bool:
    """Say whether what is no number is a few words that return, among many different numbers."""
    frame = pl.DataFrame(
        {"cell": series.alias("cell").str.strip_chars().str.to_lowercase(), "read": read.alias("read")}
    )
    strange = frame.filter(pl.col("read").is_null() & pl.col("cell").is_not_null())["cell"]
    words = {text for text in strange.unique().head(1_000).to_list() if not is_missing_number(text)}
    return len(words) <= min(WORDS, unparsed / 2) and read.n_unique() > NUMBERS


def _useful(cells: Cells, how: Inferred, texts: Sequence[str]) -> Inferred:
    reason, series = None, cells.series
    if isinstance(how.reader, NumberReader):
        whole = series.dtype.is_integer() or are_whole(texts)
        reason = running_number(series.name, how.typed) if whole else None
        reason = None if reason and number_dates(series.name, how.typed) is not None else reason
    elif isinstance(how.reader, CategoryReader):
        reason = unusable_text(list(_levels_read(cells, how).values()))
        if reason and (how.codes or how.units):
            what = "its numbers have several units" if how.units else "its codes hardly return"
            reason = f"{what} ({how.typed.n_unique():,} different ones in {how.typed.count():,} cells)"
        missing = how.typed.null_count() / len(how.typed)
        short = reason if reason and not (how.codes or how.units) else ""
        if short and is_prose(how.typed):
            return _how(TextReader(absent=how.reader.absent, kept=how.reader.kept), cells)
        reader, how = how.reader, replace(how, short_text=short)
        if reason and PRESENCE[0] <= missing <= PRESENCE[1]:
            note = f"{reason}; only whether it is given is used"
            reader = replace(reader, spelling="presence", levels=(), merged={})
            typed, counts = reader.read(series)
            facts: dict[str, Any] = {"note": note, "code": "id_column", "units": how.units, "short_text": short}
            return Inferred(reader=reader, counts=counts, typed=typed, **facts)
    return replace(how, drop=reason or "", code="id_column" if reason else "")


def by_words(series: pl.Series, inferred: Inferred, words: Sequence[str]) -> Inferred:
    """Give a column of short texts as the first of some words that each of them has.

    Args:
        series: The raw training cells.
        inferred: What the column is without.
        words: The words, the most telling one first.
    """
    assert isinstance(inferred.reader, CategoryReader)
    reader = replace(inferred.reader, spelling="words", levels=tuple(words), merged={})
    typed, counts = reader.read(series)
    note = f"{inferred.short_text}; only whether it has a word that tells of the target is used: {', '.join(words)}"
    return Inferred(reader=reader, counts=counts, typed=typed, note=note, code="id_column")


def _levels_read(cells: Cells, how: Inferred) -> Mapping[str, int]:
    """Count the levels of a category column that was read, from its different cells where they are counted and few."""
    if (
        "counts" not in vars(cells)
        or cells.counts.height > MOST_READ_AGAIN
        or not isinstance(how.reader, CategoryReader)
    ):
        return counted(how.typed)
    counts: Counter[str] = Counter()
    for cell, count in zip(
        how.reader.read(cells.counts["cell"])[0].to_list(), cells.counts["len"].to_list(), strict=True
    ):
        if cell is not None:
            counts[cell] += count
    return counts


def as_reader(kind: str, settings: Mapping[str, Any]) -> Reader:
    """Give back the reader of which a plan keeps the kind and the settings."""
    readers: dict[str, Any] = {reader.kind: reader for reader in (NumberReader, CategoryReader, DateReader, TextReader)}
    reader: Reader = readers[kind].from_dict(settings)
    return reader
