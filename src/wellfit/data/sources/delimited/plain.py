"""The short way for text that has nothing to unpack, decode or unquote: Polars reads it on every core."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from wellfit.data.compact import compact_text
from wellfit.data.sources.contents import BLOCK_BYTES, foreign_format
from wellfit.data.sources.delimited.decimal_mark import PROBE_ROWS
from wellfit.data.sources.delimited.dialect import WHITESPACE, Dialect
from wellfit.data.sources.delimited.faults import LINE_BYTES
from wellfit.data.sources.delimited.kinds import compact_types, sampled_cells
from wellfit.data.sources.entry import StayText
from wellfit.data.sources.finish import CELL_BYTES

__all__ = ["FEWEST_BYTES", "Plain", "Survey", "begins_plain", "read_plain", "survey"]

FEWEST_BYTES = 1 << 24
"""Smaller files are read in a moment either way."""

LIMIT = 1e100
"""A column with numbers beyond stays text: they are sentinels, or too long for a float."""

_NEWLINE = b"\n"


@dataclass(frozen=True)
class Survey:
    """What one walk through the bytes of a plain file told."""

    checksum: str
    """sha256 of the bytes."""
    lines: int
    delimiters: int


@dataclass(frozen=True)
class Plain:
    """A plain file that was read."""

    frame: pl.DataFrame
    head: pl.DataFrame
    """The first rows as text."""
    survey: Survey


def begins_plain(head: bytes) -> bool:
    """Say whether the first bytes of a file are plain text.

    >>> begins_plain(b"a,b"), begins_plain(b'a,"b"'), begins_plain(b"PAR1")
    (True, False, False)
    """
    return not foreign_format(head) and not head.startswith(codecs.BOM_UTF8) and _is_plain(head)


def survey(path: Path, dialect: Dialect) -> Survey | None:
    """Walk through a file once; None where its text is not plain: quotes, returns, no UTF-8."""
    digest, decoder = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    lines = delimiters = 0
    last = _NEWLINE
    with path.open("rb") as file:
        try:
            while block := file.read(BLOCK_BYTES):
                if not _is_plain(block):
                    return None
                if not block.isascii() or decoder.getstate()[0]:
                    decoder.decode(block)
                digest.update(block)
                values = np.frombuffer(block, dtype=np.uint8)
                lines += int(np.count_nonzero(values == _NEWLINE[0]))
                delimiters += int(np.count_nonzero(values == ord(dialect.separator)))
                last = block[-1:]
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return None
    return Survey(digest.hexdigest(), lines + (last != _NEWLINE), delimiters)


def _is_plain(block: bytes) -> bool:
    return not (b'"' in block or b"\r" in block or b"\0" in block)


def read_plain(path: Path, dialect: Dialect, texts: StayText | None = None) -> Plain | None:
    """Read a file, an empty cell as null; None where its text is not plain or a line at fault.

    Args:
        path: The file.
        dialect: Its layout.
        texts: Which columns stay text where others may be held as numbers, and text by its levels; None: all, in full.
    """
    if dialect.separator == WHITESPACE or len(dialect.names) < 2:
        return None
    with ThreadPoolExecutor(1, thread_name_prefix="wellfit-survey") as pool:
        surveyed = pool.submit(survey, path, dialect)
        try:
            frame = (
                _text(path, dialect).collect(engine="streaming") if texts is None else _compact(path, dialect, texts)
            )
            head = _text(path, dialect).head(PROBE_ROWS).collect()
        except pl.exceptions.PolarsError:
            return None
        found = surveyed.result()
    return Plain(frame, head, found) if found is not None and _is_whole(frame, dialect, found) else None


def _compact(path: Path, dialect: Dialect, texts: StayText) -> pl.DataFrame:
    """Read each column as what its sample says; as text where a cell does not fit."""
    cells = sampled_cells(path, dialect.separator, len(dialect.names))
    types: dict[str, Any] = dict.fromkeys(dialect.names, pl.String)
    if cells is not None:
        types = compact_types(dialect.names, cells, texts(dialect.names))
    try:
        frame = _scan(path, dialect, types).collect(engine="streaming")
    except pl.exceptions.PolarsError:
        roomy = {name: compact_text() for name, dtype in types.items() if isinstance(dtype, pl.Categorical)}
        types |= roomy | dict.fromkeys(_misread(path, dialect, types), pl.String)
        frame = _scan(path, dialect, types).collect(engine="streaming")
    frame = pl.DataFrame([series.shrink_dtype() if series.dtype == pl.Int64 else series for series in frame])
    # What is no finite number may be a missing marker, which the cleaning has to see.
    endless = [series.name for series in frame if series.dtype == pl.Float64 and not _is_finite(series)]
    return frame.with_columns(_text(path, dialect).select(endless).collect(engine="streaming")) if endless else frame


def _misread(path: Path, dialect: Dialect, types: Mapping[str, Any]) -> list[str]:
    """Name the columns of numbers that have a cell which is none."""
    numbers = {name: dtype for name, dtype in types.items() if dtype in (pl.Int64, pl.Float64)}
    lost = [
        (pl.col(name).is_not_null() & pl.col(name).cast(dtype, strict=False).is_null()).any()
        for name, dtype in numbers.items()
    ]
    found = _text(path, dialect).select(lost).collect(engine="streaming").row(0)
    return [name for name, misread in zip(numbers, found, strict=True) if misread]


def _is_finite(series: pl.Series) -> bool:
    return not series.is_nan().any() and bool(series.is_between(-LIMIT, LIMIT).all())


def _is_whole(frame: pl.DataFrame, dialect: Dialect, found: Survey) -> bool:
    """Say whether no line is blank, too short or too long."""
    # No line has more cells, or Polars would have said so; and by the count of all, none has fewer.
    if found.delimiters != found.lines * (len(dialect.names) - 1):
        return False
    sizes = [_longest(series) for series in frame]
    whole = 0 < frame.height == found.lines - dialect.header
    return whole and max(sizes) <= CELL_BYTES and sum(sizes) + len(sizes) <= LINE_BYTES


def _longest(series: pl.Series) -> int:
    """Give the bytes of the longest text; numbers are short."""
    texts = series.dtype.categories.to_series() if isinstance(series.dtype, pl.Categorical) else series
    longest: Any = texts.str.len_bytes().max() if texts.dtype == pl.String else 0
    return longest or 0


def _text(path: Path, dialect: Dialect) -> pl.LazyFrame:
    return _scan(path, dialect, dict.fromkeys(dialect.names, pl.String))


def _scan(path: Path, dialect: Dialect, types: Mapping[str, Any]) -> pl.LazyFrame:
    return pl.scan_csv(
        path,
        separator=dialect.separator,
        has_header=False,
        skip_lines=int(dialect.header),
        schema=dict(types),
        quote_char=None,
        glob=False,
    )
