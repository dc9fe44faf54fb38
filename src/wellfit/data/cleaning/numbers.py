"""Numbers as people write them: ``1,234.5``, ``$3``, ``45%``, ``1.234,5``, ``(12)``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import polars as pl

from wellfit.data.cleaning.missing import is_missing_number
from wellfit.data.cleaning.report import Coerced, Status, Tally
from wellfit.errors import ContractError

__all__ = ["LIMIT", "NumberReader", "decimal_mark", "parse_number", "plain_numbers"]

LIMIT = 1e100
"""Numbers beyond count as infinite: they are sentinels such as 1.8e308, and their squares would overflow."""

SMALL = 256
"""Up to so many cells, one by one is faster than a pass by Polars."""

LONGEST = 64
"""Longer texts are no decorated numbers; it bounds the work on a hostile cell."""

_PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INFINITE = re.compile(r"[+-]?(?:inf|infinity|∞)", re.IGNORECASE)
_CURRENCY = r"(?:US\$|[$€£¥₹₽₩]|USD|EUR|GBP|CHF|JPY|CNY|INR)"
_DRESSED = re.compile(
    rf"(?P<paren>\()?\s*(?P<sign>[+-])?\s*{_CURRENCY}?\s*(?P<inner>[+-])?"
    r"(?P<body>[0-9.,][0-9.,'\u2019\s]*(?:[eE][+-]?[0-9]+)?)"
    rf"\s*(?:{_CURRENCY}|%)?\s*(?(paren)\))"
)


def _styled(groups: str, mark: str) -> re.Pattern[str]:
    grouped = rf"[1-9][0-9]{{0,2}}(?P<group>[{groups}'\u2019\s])[0-9]{{3}}(?:(?P=group)[0-9]{{3}})*"
    return re.compile(
        rf"(?:(?P<whole>{grouped}|[0-9]+)(?:{mark}(?P<part>[0-9]*))?|{mark}(?P<only>[0-9]+))(?P<power>[eE][+-]?[0-9]+)?"
    )


_STYLES = {".": _styled(",", r"\."), ",": _styled(r"\.", ",")}
_OTHER = {".": ",", ",": "."}


def parse_number(text: str, decimal: str = ".") -> float | None:
    """Read a number as it is written, or give None where the text is no number.

    The column's decimal mark decides what ``1,234`` is; a text that only the other mark explains is read by that.

    >>> parse_number("$1,234.50"), parse_number("12,5"), parse_number("1.234", decimal=","), parse_number("(45%)")
    (1234.5, 12.5, 1234.0, -45.0)
    >>> parse_number("12 apples") is None
    True
    """
    text = text.strip().replace("\u2212", "-")
    if _PLAIN.fullmatch(text) and (decimal == "." or "." not in text):
        return float(text)
    if _INFINITE.fullmatch(text):
        return -np.inf if text[0] == "-" else np.inf
    dressed = _DRESSED.fullmatch(text) if len(text) <= LONGEST else None
    if dressed is None or (dressed["sign"] and dressed["inner"]):
        return None
    value = _undressed(dressed["body"].strip(), decimal)
    if value is None:
        return None
    negative = dressed["paren"] is not None or "-" in (dressed["sign"], dressed["inner"])
    return -value if negative else value


def _undressed(body: str, decimal: str) -> float | None:
    match = _STYLES[decimal].fullmatch(body) or _STYLES[_OTHER[decimal]].fullmatch(body)
    if match is None:
        return None
    whole = re.sub("[^0-9]", "", match["whole"] or "0")
    return float(f"{whole}.{match['part'] or match['only'] or '0'}{match['power'] or ''}")


def decimal_mark(texts: Iterable[str]) -> str:
    """Give the decimal mark that explains most of a column's different texts; a point where nothing tells.

    >>> decimal_mark(["1.234,5", "1.234"]), decimal_mark(["1,234"]), decimal_mark(["0,5", "2"])
    (',', '.', ',')
    """
    votes = 0
    for text in texts:
        dressed = _DRESSED.fullmatch(text.strip()) if len(text) <= LONGEST else None
        if dressed is None:
            continue
        body = dressed["body"].strip()
        comma, point = (_STYLES[mark].fullmatch(body) is not None for mark in ",.")
        votes += int(comma) - int(point)
    return "," if votes > 0 else "."


def plain_numbers(series: pl.Series, decimal: str = ".") -> np.ndarray[Any, np.dtype[np.float64]]:
    """Read the cells that are plain numbers, all at once; NaN for every other cell."""
    text = pl.col("cell").str.strip_chars()
    if decimal == ",":
        text = text.str.replace_all(".", "_", literal=True).str.replace_all(",", ".", literal=True)
    return series.alias("cell").to_frame().select(text.cast(pl.Float64, strict=False)).to_series().to_numpy()


@dataclass(frozen=True, kw_only=True)
class NumberReader:
    """Reads a column of numbers into Float64, null where a cell is missing."""

    kind: ClassVar[str] = "number"
    decimal: str = "."
    """The decimal mark of the column's texts: ``.`` or ``,``."""
    typed: bool = False
    """Whether the training rows came as typed numbers, so that text is worth a mention."""

    def read(self, series: pl.Series) -> tuple[pl.Series, Coerced]:
        """Read a raw column; every cell becomes a finite number or null."""
        tally = Tally()
        dtype = series.dtype
        if dtype == pl.String or isinstance(dtype, (pl.Categorical, pl.Enum)):
            values = self._from_text(series if dtype == pl.String else series.cast(pl.String), tally)
        else:
            values = _from_typed(series, tally)
        return pl.Series(series.name, values, dtype=pl.Float64, nan_to_null=True), tally.coerced()

    def _from_text(self, series: pl.Series, tally: Tally) -> np.ndarray[Any, np.dtype[np.float64]]:
        if len(series) <= SMALL:
            values, rest = np.full(len(series), np.nan), np.arange(len(series))
            cells = series.to_list()
        else:
            values = plain_numbers(series, self.decimal).copy()
            rest = np.flatnonzero(~(np.abs(values) < LIMIT))
            cells = series.gather(rest).to_list()
        known: dict[str | None, tuple[float, Status]] = {}
        for row, cell in zip(rest.tolist(), cells, strict=True):
            if cell not in known:
                known[cell] = self._cell(cell)
            values[row], status = known[cell]
            tally.add(status, cell)
        if self.typed:
            tally.add("converted", next((cell for cell in cells if cell), None), int(np.isfinite(values).sum()))
        return values

    def _cell(self, text: str | None) -> tuple[float, Status]:
        if text is None or is_missing_number(text):
            return np.nan, "missing"
        value = parse_number(text, self.decimal)
        if value is None:
            return np.nan, "unparsed"
        if abs(value) >= LIMIT:
            return np.nan, "infinite"
        plain = self.typed or _PLAIN.fullmatch(text.strip()) or self.decimal == ","
        return value, "plain" if plain else "converted"

    def as_dict(self) -> dict[str, Any]:
        """Give the reader's settings as JSON holds them."""
        return {"decimal": self.decimal, "typed": self.typed}


def _from_typed(series: pl.Series, tally: Tally) -> np.ndarray[Any, np.dtype[np.float64]]:
    values = _as_floats(series).to_numpy().copy()
    absent = np.isnan(values)
    beyond = np.abs(values) >= LIMIT
    tally.add("missing", None, int(absent.sum()))
    if beyond.any():
        tally.add("infinite", str(values[beyond][0]), int(beyond.sum()))
        values[beyond] = np.nan
    return values


def _as_floats(series: pl.Series) -> pl.Series:
    dtype = series.dtype
    if dtype.is_numeric() or dtype in (pl.Boolean, pl.Null):
        return series.cast(pl.Float64)
    if isinstance(dtype, pl.Duration):
        return series.cast(pl.Duration("us")).cast(pl.Int64).cast(pl.Float64) / 1e6
    if dtype == pl.Time:
        return series.cast(pl.Int64).cast(pl.Float64) / 1e9
    raise ContractError(
        f"The column '{series.name}' must hold numbers.",
        got=str(dtype),
        do="Give numbers, or text that reads as numbers.",
    )
