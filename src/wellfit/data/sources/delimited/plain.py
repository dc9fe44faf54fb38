"""The short way for text that has nothing to unpack, decode or unquote: Polars reads it on every core."""

from __future__ import annotations

import codecs
import hashlib
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
    return not foreign_format(head) and not head.startswith(codecs.BOM_UTF8) and _is_plain(b"\n" + head)


def survey(path: Path, dialect: Dialect) -> Survey | None:
    """Walk through a file once; None where its text is not plain: quotes, returns, blank lines, no UTF-8."""
    if dialect.separator == WHITESPACE or len(dialect.names) < 2:
        return None
    digest, decoder = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    lines = delimiters = 0
    last = _NEWLINE
    with path.open("rb") as file:
        try:
            while block := file.read(BLOCK_BYTES):
                if not _is_plain(last + block[:1]) or not _is_plain(block):
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
    return not (b'"' in block or b"\r" in block or b"\0" in block or b"\n\n" in block)


def read_plain(path: Path, dialect: Dialect, found: Survey) -> pl.DataFrame | None:
    """Read a file that was surveyed, every cell as text and an empty one as null; None where a line is at fault."""
    if found.delimiters != found.lines * (len(dialect.names) - 1):
        return None
    try:
        # No line has more cells, or Polars would say so; and by the count of all, none has fewer.
        frame = pl.scan_csv(path, **_layout(dialect)).collect(engine="streaming")
    except pl.exceptions.PolarsError:
        return None
    sizes = [size or 0 for size in frame.select(pl.all().str.len_bytes().max()).row(0)]
    whole = frame.height == found.lines - dialect.header
    return frame if whole and max(sizes) <= CELL_BYTES and sum(sizes) + len(sizes) <= LINE_BYTES else None


def _layout(dialect: Dialect) -> dict[str, Any]:
    return {
        "separator": dialect.separator,
        "has_header": False,
        "skip_lines": int(dialect.header),
        "schema": dict.fromkeys(dialect.names, pl.String),
        "quote_char": None,
        "glob": False,
    }
