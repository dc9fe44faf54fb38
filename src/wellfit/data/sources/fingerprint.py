"""A checksum of what a frame holds, the same whatever library or version laid it out in memory."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import polars as pl

from wellfit.data.compact import as_text, is_compact

__all__ = ["content_checksum"]

_FEW_CELLS = 10_000
_FULL_CELLS = 50_000_000
"""Beyond this many cells only every k-th row is taken, so that the cost stays bounded."""


def content_checksum(frame: pl.DataFrame) -> str:
    """Give the sha256 of names, types, missing cells and values.

    >>> content_checksum(pl.DataFrame({"a": [1]})) == content_checksum(pl.DataFrame({"a": [2]}))
    False
    """
    if frame.height * frame.width <= _FEW_CELLS:
        return _checksum_of_few(frame)
    digest = hashlib.sha256(f"{frame.height}".encode())
    step = 1 + frame.height * frame.width // _FULL_CELLS
    for series in frame if step == 1 else frame.gather_every(step):
        text = as_text(series)
        digest.update(f"\x1f{text.name}\x1f{text.dtype}\x1f".encode())
        _add(digest, text)
    return digest.hexdigest()


def _checksum_of_few(frame: pl.DataFrame) -> str:
    """Take the cells as Python shows them: for a row or two, much quicker than an operation on every column."""
    frame = frame.with_columns(as_text(series) for series in frame if is_compact(series))
    timed = [series.to_physical() for series in frame if series.dtype.is_temporal()]
    cells = frame.with_columns(timed).rows() if timed else frame.rows()
    names = [(series.name, str(series.dtype)) for series in frame]
    return hashlib.sha256(repr((names, cells)).encode("utf-8", "surrogatepass")).hexdigest()


def _add(digest: Any, series: pl.Series) -> None:
    if series.null_count():
        digest.update(np.packbits(series.is_null().to_numpy()).tobytes())
    if series.dtype.is_temporal():
        series = series.to_physical()
    if series.dtype.is_integer() or series.dtype.is_float() or series.dtype == pl.Boolean:
        filled = series.fill_null(False if series.dtype == pl.Boolean else 0)
        digest.update(filled.to_numpy().tobytes())
        return
    text = series.cast(pl.String).fill_null("")
    digest.update(text.str.len_bytes().to_numpy().tobytes())
    digest.update("".join(text.to_list()).encode())
