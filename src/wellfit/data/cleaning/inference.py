"""What a raw column is, decided on its training cells alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from wellfit.data.cleaning.categories import CategoryReader, canonical, counted, spelling_of
from wellfit.data.cleaning.dates import DateReader, date_order, fast_format
from wellfit.data.cleaning.identifiers import named_code, running_number, unusable_text
from wellfit.data.cleaning.missing import is_missing_number
from wellfit.data.cleaning.numbers import NumberReader, decimal_mark, plain_numbers
from wellfit.data.cleaning.report import Coerced
from wellfit.errors import DataError

__all__ = ["Inferred", "Reader", "as_reader", "infer", "number_reader", "refuse_nested"]

Reader = NumberReader | CategoryReader | DateReader

READABLE = 0.95
"""The share of a column's cells that must read as a number or a date for it to be one."""

CODE_SHARE = 0.005
"""Whole numbers are codes where at least so many of them begin with a zero, as in ``02115``."""

PRESENCE = (0.05, 0.95)
"""Free text whose missing share lies within is kept as whether it is there."""

_PROBE = 10_000
_CODE = re.compile(r"0[0-9]+")
_WHOLE = re.compile(r"[+-]?[0-9]+")


@dataclass(frozen=True, kw_only=True)
class Inferred:
    """What a column is and how it is read, with what reading its training cells changed."""

    reader: Reader
    counts: Coerced
    drop: str = ""
    """Why it is of no use; empty where it is used."""
    code: str = ""
    """The code of the finding that says so."""
    note: str = ""
    """What was done instead of dropping it."""


def refuse_nested(series: pl.Series) -> None:
    """Raise `DataError` where the cells are lists, structures, bytes or objects."""
    if series.dtype.is_nested() or series.dtype in (pl.Object, pl.Binary):
        do = "Give one number, text or date a cell, or leave the column out."
        raise DataError(f"The column '{series.name}' must hold single values.", got=str(series.dtype), do=do)


def infer(series: pl.Series, *, kind: str | None = None, types: str = "correct") -> Inferred:
    """Decide what a column of training rows is.

    Args:
        series: The raw training cells.
        kind: ``number``, ``category`` or ``datetime`` where a person said so.
        types: ``correct`` reads numbers out of decorated text; ``keep`` takes only plain numbers for numbers.

    Raises:
        DataError: The cells are nested.
    """
    refuse_nested(series)
    texts = _texts(series)
    reader = _stated(kind, series, texts) if kind else _inferred(series, texts, types)
    typed, counts = reader.read(series)
    if typed.null_count() == len(typed):
        return Inferred(reader=reader, counts=counts, drop="it has no value", code="constant_column")
    if typed.null_count() == 0 and typed.n_unique() == 1:
        return Inferred(reader=reader, counts=counts, drop="it has one value only", code="constant_column")
    if kind:
        return Inferred(reader=reader, counts=counts)
    return _useful(series, reader, typed, counts, texts)


def _texts(series: pl.Series) -> list[str]:
    """Give the different texts of a column that may be values, the first `_PROBE` of them."""
    if series.dtype != pl.String:
        return []
    cells = series.drop_nulls().unique(maintain_order=True).head(_PROBE).to_list()
    return sorted({text.strip() for text in cells if not is_missing_number(text)})


def _stated(kind: str, series: pl.Series, texts: Sequence[str]) -> Reader:
    if kind == "number":
        return number_reader(series, texts)
    if kind == "datetime":
        order = date_order(texts, share=0.0) or "ymd"
        return DateReader(order=order, format=fast_format(texts, order), typed=series.dtype.is_temporal())
    return _category(series)


def number_reader(series: pl.Series, texts: Sequence[str]) -> NumberReader:
    """Give the reader for a column that holds numbers, with the decimal mark that its texts use."""
    decimal = decimal_mark(texts) if any("," in text for text in texts) else "."
    return NumberReader(decimal=decimal, typed=series.dtype.is_numeric())


def _category(series: pl.Series) -> CategoryReader:
    levels = {text for cell in series.unique().to_list() if (text := canonical(cell)) is not None}
    return CategoryReader(spelling=spelling_of(levels))


def _inferred(series: pl.Series, texts: Sequence[str], types: str) -> Reader:
    dtype = series.dtype
    if dtype == pl.Date or isinstance(dtype, pl.Datetime):
        return DateReader(typed=True)
    if dtype.is_integer():
        return _category(series) if _are_codes(series.name, series) else NumberReader(typed=True)
    if dtype.is_numeric() or isinstance(dtype, pl.Duration) or dtype in (pl.Time, pl.Null):
        return NumberReader(typed=True)
    if dtype != pl.String or not texts:
        return CategoryReader(spelling="bool" if dtype == pl.Boolean else "text")
    return _from_text(series, texts, types)


def _from_text(series: pl.Series, texts: Sequence[str], types: str) -> Reader:
    reader = number_reader(series, texts)
    if _reads_as_number(series, reader, types):
        whole = _whole_numbers(series, texts)
        if whole is None:
            return reader
        zeros = series.str.strip_chars().str.contains(f"^{_CODE.pattern}$").sum()
        if zeros >= max(1, CODE_SHARE * series.len()) or _are_codes(series.name, whole):
            return _category(series)
        return reader
    order = date_order(texts[: _PROBE // 10], READABLE)
    if order is not None:
        dates = DateReader(order=order, format=fast_format(texts, order))
        counts = dates.read(series)[1]
        if counts.unparsed <= (1 - READABLE) * (len(series) - counts.missing):
            return dates
    return _category(series)


def _reads_as_number(series: pl.Series, reader: NumberReader, types: str) -> bool:
    head = reader.read(series.head(2_000))[1]
    if len(series) > 2_000 and head.unparsed > 0.5 * (2_000 - head.missing):
        return False
    counts = reader.read(series)[1]
    present = len(series) - counts.missing
    if types == "keep" and (counts.converted or reader.decimal == ","):
        return False
    return present > 0 and counts.unparsed <= (1 - READABLE) * present


def _whole_numbers(series: pl.Series, texts: Sequence[str]) -> pl.Series | None:
    """Give the numbers of a text column in which every number is written as a whole one."""
    numerals = [text for text in texts if text[:1].isdigit() or text[:1] in "+-."]
    if not numerals or not all(_WHOLE.fullmatch(text) for text in numerals):
        return None
    return pl.Series(series.name, plain_numbers(series), nan_to_null=True)


def _are_codes(name: str, values: pl.Series) -> bool:
    """Say whether whole numbers are codes that return from row to row, as their column's name says."""
    known = values.drop_nulls()
    return named_code(name) and known.n_unique() < len(known)


def _useful(series: pl.Series, reader: Reader, typed: pl.Series, counts: Coerced, texts: Sequence[str]) -> Inferred:
    reason = None
    if isinstance(reader, NumberReader):
        whole = typed if series.dtype.is_integer() else _whole_numbers(series, texts) if texts else None
        reason = running_number(series.name, whole) if whole is not None else None
    elif isinstance(reader, CategoryReader):
        reason = unusable_text(list(counted(typed).values()))
        missing = typed.null_count() / len(typed)
        if reason and PRESENCE[0] <= missing <= PRESENCE[1]:
            note = f"{reason}; only whether it is given is used"
            return Inferred(reader=CategoryReader(spelling="presence"), counts=counts, note=note, code="id_column")
    return Inferred(reader=reader, counts=counts, drop=reason or "", code="id_column" if reason else "")


def as_reader(kind: str, settings: dict[str, Any]) -> Reader:
    """Give back the reader of which a plan keeps the kind and the settings."""
    readers: dict[str, Any] = {reader.kind: reader for reader in (NumberReader, CategoryReader, DateReader)}
    reader: Reader = readers[kind](**settings)
    return reader
