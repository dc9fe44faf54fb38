"""The short way for text that has nothing to unpack, decode or unquote: Polars reads it on every core."""

from __future__ import annotations

import codecs
import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from wellfit.data.sources.contents import BLOCK_BYTES, foreign_format
from wellfit.data.sources.delimited.dialect import WHITESPACE, Dialect
from wellfit.data.sources.delimited.faults import LINE_BYTES
from wellfit.data.sources.finish import CELL_BYTES

__all__ = ["FEWEST_BYTES", "Survey", "begins_plain", "read_plain", "survey"]

FEWEST_BYTES = 1 << 24
"""Smaller files are read in a moment either way."""

_NEWLINE = b"\n"


@dataclass(frozen=True)
class Survey:
    """What one walk through the bytes of a plain file told."""

    checksum: str
    """sha256 of the bytes."""
    lines: int
    delimiters: int


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


def read_plain(path: Path, dialect: Dialect) -> tuple[pl.DataFrame, Survey] | None:
    """Read a file, every cell as text and an empty one as null; None where its text is not plain or a line at fault."""
    if dialect.separator == WHITESPACE or len(dialect.names) < 2:
        return None
    with ThreadPoolExecutor(1, thread_name_prefix="wellfit-survey") as pool:
        surveyed = pool.submit(survey, path, dialect)
        try:
            frame = pl.scan_csv(path, **_layout(dialect)).collect(engine="streaming")
        except pl.exceptions.PolarsError:
            return None
        found = surveyed.result()
    return (frame, found) if found is not None and _is_whole(frame, dialect, found) else None


def _is_whole(frame: pl.DataFrame, dialect: Dialect, found: Survey) -> bool:
    """Say whether no line is blank, too short or too long."""
    # No line has more cells, or Polars would have said so; and by the count of all, none has fewer.
    if found.delimiters != found.lines * (len(dialect.names) - 1):
        return False
    sizes = [size or 0 for size in frame.select(pl.all().str.len_bytes().max()).row(0)]
    whole = 0 < frame.height == found.lines - dialect.header
    return whole and max(sizes) <= CELL_BYTES and sum(sizes) + len(sizes) <= LINE_BYTES


def _layout(dialect: Dialect) -> dict[str, Any]:
    return {
        "separator": dialect.separator,
        "has_header": False,
        "skip_lines": int(dialect.header),
        "schema": dict.fromkeys(dialect.names, pl.String),
        "quote_char": None,
        "glob": False,
    }
