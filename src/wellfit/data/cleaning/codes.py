"""Whole numbers that are no amounts but codes: those that begin with a zero, or whose column's name says so."""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from wellfit.data.cleaning.identifiers import named_code

__all__ = ["are_codes", "are_whole", "holds_codes"]

SHARE = 0.005
"""Whole numbers are codes where at least so many of them begin with a zero, as in ``02115``."""

_CODE = re.compile(r"0[0-9]+")
_WHOLE = re.compile(r"[+-]?[0-9]+")


def are_whole(texts: Sequence[str]) -> bool:
    """Say whether every number of a text column is written as a whole one."""
    numerals = [text for text in texts if text[:1].isdigit() or text[:1] in "+-."]
    return bool(numerals) and all(_WHOLE.fullmatch(text) for text in numerals)


def are_codes(name: str, values: pl.Series) -> bool:
    """Say whether whole numbers are codes that return from row to row, as their column's name says."""
    known = values.drop_nulls()
    return named_code(name) and known.n_unique() < len(known)


def holds_codes(series: pl.Series, whole: pl.Series) -> bool:
    """Say whether whole numbers are codes: some begin with a zero, or the column's name says so."""
    zeros = series.str.strip_chars().str.contains(f"^{_CODE.pattern}$").sum()
    return zeros >= max(1, SHARE * series.len()) or are_codes(series.name, whole)
