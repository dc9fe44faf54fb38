"""Numbers as people write them: ``1,234.5``, ``$3``, ``45%``, ``1.234,5``, ``(12)``, ``5 kg``, ``2.5k``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import polars as pl

from wellfit.data.cleaning.missing import is_missing_number
from wellfit.data.cleaning.report import Coerced, Status, Tally
from wellfit.errors import ContractError

__all__ = ["DRESSED", "LIMIT", "PLAIN", "STYLES", "NumberReader", "parse_number", "plain_numbers", "unit_of"]

LIMIT = 1e100
"""Numbers beyond count as infinite: they are sentinels such as 1.8e308, and their squares would overflow."""

SMALL = 32
"""Up to so many cells, one by one is faster than a pass by Polars."""

LONGEST = 64
"""Longer texts are no decorated numbers; it bounds the work on a hostile cell."""

PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INFINITE = re.compile(r"[+-]?(?:inf|infinity|∞)", re.IGNORECASE)
_CURRENCY = (
    r"(?:(?:US|A|C|R|S|HK|NZ)\$|[$€£¥₹₽₩₺₪₫₴₦฿¢₱]|(?i:rs\.?|kr\.?|zł|fr\.|euros?|dollars?|USD|EUR|GBP|CHF|JPY|CNY|INR|"
    r"AUD|CAD|BRL|SEK|NOK|DKK|PLN|RUB|KRW|MXN|ZAR|TRY|SGD|HKD|NZD|CZK|HUF|THB|IDR|ILS))"
)
DRESSED = re.compile(
    rf"(?P<paren>\()?\s*(?P<about>[~≈]\s*)?(?P<sign>[+-])?\s*{_CURRENCY}?\s*(?P<inner>[+-])?\s*"
    r"(?P<body>[0-9.,][0-9.,'\u2019\s]*(?:[eE][+-]?[0-9]+)?)"
    r"\s*(?:(?P<scale>[kK]|M|B|bn|mn|mio|Mio\.?|million|billion|thousand)(?![^\W\d_]))?"
    rf"\s*(?:{_CURRENCY}|(?P<percent>%)|(?P<unit>[^\W\d_]{{1,12}}[²³]?\.?(?:/[^\W\d_]{{1,6}}[²³]?)?|[°\"']\s?[CF]?))?"
    r"\s*(?P<after>-)?(?(paren)\))[*\u2020\u2021]?"
)
_SCALES = {"k": 1e3, "t": 1e3, "m": 1e6, "b": 1e9}
"""What a magnitude's first letter stands for, in lower case."""


def _styled(groups: str, mark: str) -> re.Pattern[str]:
    grouped = rf"[1-9][0-9]{{0,2}}(?P<group>[{groups}'\u2019\s])[0-9]{{3}}(?:(?P=group)[0-9]{{3}})*"
    # In India the last three digits are a group and those before go by two.
    lakhs = rf"[1-9][0-9]?(?:[{groups}][0-9]{{2}})+[{groups}][0-9]{{3}}"
    return re.compile(
        rf"(?:(?P<whole>{grouped}|{lakhs}|[0-9]+)(?:{mark}(?P<part>[0-9]*))?|{mark}(?P<only>[0-9]+))"
        r"(?P<power>[eE][+-]?[0-9]+)?"
    )


STYLES = {".": _styled(",", r"\."), ",": _styled(r"\.", ",")}
"""How a number without its decoration looks, by the decimal mark."""

_OTHER = {".": ",", ",": "."}
_THREE = {".": re.compile(r"[0-9]{1,3},[0-9]{3}"), ",": re.compile(r"[0-9]{1,3}\.[0-9]{3}")}
"""Texts in which the other mark may group thousands or begin decimals, by the decimal mark."""

_NO_UNITS: Mapping[str, float] = {}

Values = np.ndarray[Any, np.dtype[np.float64]]


def parse_number(
    text: str,
    decimal: str = ".",
    *,
    grouped: bool = True,
    percent: float = 1.0,
    units: Mapping[str, float] = _NO_UNITS,
    offsets: Mapping[str, float] = _NO_UNITS,
) -> float | None:
    """Read a number as it is written, or give None where the text is no number.

    Args:
        text: The cell.
        decimal: The column's decimal mark; a text that only the other mark explains is read by that.
        grouped: Whether ``1,234`` groups thousands, or is a decimal written with the other mark.
        percent: What ``1%`` stands for: 1, or 0.01 where the other cells are shares.
        units: The factor of each unit, in lower case; numbers with another unit are none.
        offsets: What zero of a unit is, where that is not zero.

    >>> parse_number("$1,234.50"), parse_number("12,5"), parse_number("1.234", decimal=","), parse_number("(45%)")
    (1234.5, 12.5, 1234.0, -45.0)
    >>> parse_number("5 kg", units={"kg": 1.0}), parse_number("2.5k"), parse_number("12 apples") is None
    (5.0, 2500.0, True)
    """
    text = _folded(text)
    if PLAIN.fullmatch(text) and (decimal == "." or "." not in text):
        return float(text)
    if _INFINITE.fullmatch(text):
        return -np.inf if text[0] == "-" else np.inf
    dressed = DRESSED.fullmatch(text) if len(text) <= LONGEST else None
    if dressed is None or sum(dressed[name] is not None for name in ("sign", "inner", "after")) > 1:
        return None
    value = _undressed(dressed["body"].strip(), decimal, grouped)
    factor = _factor(dressed, percent, units)
    if value is None or factor is None:
        return None
    negative = dressed["paren"] is not None or "-" in (dressed["sign"], dressed["inner"], dressed["after"])
    signed = (-value if negative else value) * factor
    return signed + offsets.get(dressed["unit"].casefold(), 0.0) if offsets and dressed["unit"] else signed


def _folded(text: str) -> str:
    """Give full-width digits and signs their usual form; digits of other scripts stay what they are."""
    text = text.strip().strip("'\"").strip() if text[:1] in "'\"" else text.strip()
    if text.isascii():
        return text
    text = "".join(
        unicodedata.normalize("NFKC", letter) if "\uff00" <= letter <= "\uffef" else letter for letter in text
    )
    return text.replace("\u2212", "-").replace("\u2013", "-")


def _factor(dressed: re.Match[str], percent: float, units: Mapping[str, float]) -> float | None:
    factor = _SCALES[dressed["scale"][0].lower()] if dressed["scale"] else 1.0
    if dressed["percent"]:
        return factor * percent
    if dressed["unit"] is None:
        return factor
    unit = units.get(dressed["unit"].casefold())
    return None if unit is None else factor * unit


def unit_of(text: str) -> str | None:
    """Give the unit behind a number in lower case, ``""`` where there is none, None where the text is no number.

    >>> unit_of("5 KG"), unit_of("1,000"), unit_of("kg")
    ('kg', '', None)
    """
    text = _folded(text)
    dressed = DRESSED.fullmatch(text) if len(text) <= LONGEST else None
    if dressed is None or not any(map(str.isdigit, dressed["body"])):
        return None
    return (dressed["unit"] or "").casefold()


def _undressed(body: str, decimal: str, grouped: bool) -> float | None:
    mark = decimal if grouped or not _THREE[decimal].fullmatch(body) else _OTHER[decimal]
    match = STYLES[mark].fullmatch(body) or STYLES[_OTHER[mark]].fullmatch(body)
    if match is None:
        return None
    whole = re.sub("[^0-9]", "", match["whole"] or "0")
    return float(f"{whole}.{match['part'] or match['only'] or '0'}{match['power'] or ''}")


def plain_numbers(series: pl.Series, decimal: str = ".") -> Values:
    """Read the cells that are plain numbers, all at once; NaN for every other cell."""
    if decimal == ",":
        return _as_plain(series, comma=True).to_numpy(writable=True)
    read = series.cast(pl.Float64, strict=False)
    values = read.to_numpy(writable=True)
    if read.null_count() > series.null_count():
        # Few cells have blanks around them, which takes as long to see as to read a number.
        rest = np.flatnonzero((read.is_null() & series.is_not_null()).to_numpy())
        values[rest] = _as_plain(series.gather(rest)).to_numpy()
    return values


def _as_plain(series: pl.Series, *, comma: bool = False) -> pl.Series:
    text = pl.col("cell").str.strip_chars()
    if comma:
        text = text.str.replace_all(".", "_", literal=True).str.replace_all(",", ".", literal=True)
    return series.alias("cell").to_frame().select(text.cast(pl.Float64, strict=False)).to_series()


@dataclass(frozen=True, kw_only=True)
class NumberReader:
    """Reads a column of numbers into Float64, null where a cell is missing."""

    kind: ClassVar[str] = "number"
    decimal: str = "."
    """The decimal mark of the column's texts: ``.`` or ``,``."""
    typed: bool = False
    """Whether the training rows came as typed numbers, so that text is worth a mention."""
    grouped: bool = True
    """Whether ``1,234`` groups thousands, or is a decimal written with the other mark."""
    percent: float = 1.0
    """What ``1%`` stands for: 1, or 0.01."""
    units: Mapping[str, float] = field(default_factory=dict)
    """The factor of each unit that may follow a number, in lower case."""
    offsets: Mapping[str, float] = field(default_factory=dict)
    """What zero of a unit is in the column's, where that is not zero: of °F in °C."""
    absent: tuple[float, ...] = ()
    """Numbers that stand for a missing cell, as a person said: -999."""

    def read(self, series: pl.Series, plain: Values | None = None) -> tuple[pl.Series, Coerced]:
        """Read a raw column; every cell becomes a finite number or null.

        Args:
            series: The raw cells.
            plain: What `plain_numbers` gives for them, where it is known.
        """
        tally = Tally()
        dtype = series.dtype
        if dtype == pl.String or isinstance(dtype, (pl.Categorical, pl.Enum)):
            values = self._from_text(series if dtype == pl.String else series.cast(pl.String), tally, plain)
        elif not self.absent and len(series) > SMALL and _all_finite(floats := _as_floats(series)):
            tally.add("missing", None, floats.null_count())
            return floats.alias(series.name), tally.coerced()
        else:
            values = _from_typed(series, tally)
        if self.absent:
            marked = np.isin(values, self.absent)
            tally.add("missing", None, int(marked.sum()))
            values[marked] = np.nan
        return pl.Series(series.name, values, dtype=pl.Float64, nan_to_null=True), tally.coerced()

    def _from_text(self, series: pl.Series, tally: Tally, plain: Values | None) -> Values:
        if len(series) <= SMALL:
            values, rest = np.full(len(series), np.nan), np.arange(len(series))
            self._each(series.to_list(), values, tally)
        else:
            known = plain is not None and self.decimal == "."
            values = plain.copy() if known and plain is not None else plain_numbers(series, self.decimal)
            rest = np.flatnonzero(~(np.abs(values) < LIMIT) & series.is_not_null().to_numpy())
            tally.add("missing", None, series.null_count())
            if len(rest):
                values[rest] = self._different(series.gather(rest), tally)
        if self.typed:
            example = series.gather(rest).drop_nulls()
            tally.add("converted", example[0] if len(example) else None, int(np.isfinite(values).sum()))
        return values

    def _each(self, cells: list[str | None], values: np.ndarray[Any, Any], tally: Tally) -> None:
        known: dict[str | None, tuple[float, Status]] = {}
        for row, cell in enumerate(cells):
            if cell not in known:
                known[cell] = self._cell(cell)
            values[row], status = known[cell]
            tally.add(status, cell)

    def _different(self, series: pl.Series, tally: Tally) -> Values:
        """Read each different text once: a column of two million decorated prices has few of them, or is read twice."""
        counted = series.alias("cell").to_frame().group_by("cell", maintain_order=True).len()
        cells = counted["cell"].to_list()
        read = [self._cell(cell) for cell in cells]
        for cell, (_, status), count in zip(cells, read, counted["len"].to_list(), strict=True):
            tally.add(status, cell, count)
        table = counted.select("cell", value=pl.Series([value for value, _ in read], dtype=pl.Float64))
        joined = (
            series.alias("cell").to_frame().join(table, on="cell", how="left", nulls_equal=True, maintain_order="left")
        )
        return joined["value"].to_numpy()

    def _cell(self, text: str | None) -> tuple[float, Status]:
        if text is None or is_missing_number(text):
            return np.nan, "missing"
        value = parse_number(
            text, self.decimal, grouped=self.grouped, percent=self.percent, units=self.units, offsets=self.offsets
        )
        if value is None:
            return np.nan, "unparsed"
        if abs(value) >= LIMIT:
            return np.nan, "infinite"
        plain = self.typed or PLAIN.fullmatch(text.strip()) or self.decimal == ","
        return value, "plain" if plain else "converted"

    def as_dict(self) -> dict[str, Any]:
        """Give the reader's settings as JSON holds them."""
        return {
            "decimal": self.decimal,
            "typed": self.typed,
            "grouped": self.grouped,
            "percent": self.percent,
            "units": dict(self.units),
            "offsets": dict(self.offsets),
            "absent": list(self.absent),
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> NumberReader:
        """Read the settings back from what `as_dict` gave."""
        return cls(**{**record, "absent": tuple(record["absent"])})


def _all_finite(floats: pl.Series) -> bool:
    """Say whether no number is NaN, infinite or beyond the limit: the column then needs no copy."""
    low, high = floats.min(), floats.max()
    return low is None or bool(not floats.is_nan().any() and low > -LIMIT and high < LIMIT)  # type: ignore[operator]


def _from_typed(series: pl.Series, tally: Tally) -> Values:
    values = _as_floats(series).to_numpy(writable=True)
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
