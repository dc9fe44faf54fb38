"""Whether the files of one table have the same columns, of the same types; and the rows of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from wellfit.data.sources.delimited.header import MISSING_WORDS, is_value
from wellfit.data.sources.entry import Header
from wellfit.data.table import Table
from wellfit.errors import DataError, shown

__all__ = ["common_header", "joined"]

_PROBE = 1000
"""Cells of a text column that are looked at."""
_LEAST = 3
"""Cells from which on a text column is taken for one of numbers, or for one of words."""
_MEND = "Mend that file, or leave it out of the pattern."


def common_header(first: Table, header: Header) -> Header:
    """Give what holds for the header of every file: as stated, else as the first file has it."""
    found = first.record.details.get("header")
    return found if header == "auto" and isinstance(found, bool) else header


def joined(frames: Sequence[pl.DataFrame], paths: Sequence[Path], *, declared: bool) -> pl.DataFrame:
    """Lay frames one below the other, columns in the order of the first.

    Args:
        frames: one a file.
        paths: of the files, for errors.
        declared: types stand in the files and must be equal; else numbers of different widths go together.

    Raises:
        DataError: names or types differ: which file, which column, which types.
    """
    first = frames[0]
    for frame, path in zip(frames[1:], paths[1:], strict=True):
        _same_names(first, frame, paths[0], path)
    columns = []
    for name in first.columns:
        parts = [frame.get_column(name) for frame in frames]
        kind = _common_type(parts, paths, declared)
        if kind == pl.String:
            _same_texts(parts, paths)
        columns.append(pl.concat([part.cast(kind) for part in parts], rechunk=False))
    return pl.DataFrame(columns)


def _same_names(first: pl.DataFrame, frame: pl.DataFrame, known: Path, path: Path) -> None:
    lacking = [name for name in first.columns if name not in frame.columns]
    added = [name for name in frame.columns if name not in first.columns]
    if not lacking and not added:
        return
    differ = [f"lacks column {shown(lacking[0])} ({_kind(first[lacking[0]])})"] if lacking else []
    differ += [f"has column {shown(added[0])} ({_kind(frame[added[0]])}) beside them"] if added else []
    rule = f"Files of one table must have the same columns: '{path}' {' and '.join(differ)}, unlike '{known}'."
    raise DataError(rule, do=_MEND)


def _common_type(parts: Sequence[pl.Series], paths: Sequence[Path], declared: bool) -> pl.DataType:
    """Give the type that all parts have; a part without any value has no say where types are told from cells."""
    told = [place for place, part in enumerate(parts) if part.dtype != pl.Null and (declared or not _blank(part))]
    kind = parts[told[0]].dtype if told else parts[0].dtype
    for place in told[1:]:
        other = parts[place].dtype
        wider = kind if other == kind else _wider(kind, other, declared)
        if wider is None:
            raise _differ(parts, paths, told[0], place, str(kind), str(other))
        kind = wider
    return pl.String() if kind == pl.Null else kind


def _blank(part: pl.Series) -> bool:
    return part.null_count() == len(part)


def _wider(kind: pl.DataType, other: pl.DataType, declared: bool) -> pl.DataType | None:
    words = (pl.String, pl.Categorical, pl.Enum)
    if isinstance(kind, words) and isinstance(other, words):
        return pl.String()
    if declared or not (kind.is_numeric() and other.is_numeric()):
        return None
    return pl.Int64() if kind.is_integer() and other.is_integer() else pl.Float64()


def _same_texts(parts: Sequence[pl.Series], paths: Sequence[Path]) -> None:
    """Refuse a column that is all numbers in one file and all words in another: text alone would let it pass."""
    kinds = [_kind(part) for part in parts]
    clear = [place for place, kind in enumerate(kinds) if kind in ("numbers", "words")]
    for place in clear[1:]:
        if kinds[place] != kinds[clear[0]]:
            raise _differ(parts, paths, clear[0], place, kinds[clear[0]], kinds[place])


def _kind(part: pl.Series) -> str:
    """Say what a column holds: its type, or of text whether it is numbers, words or both."""
    if part.dtype != pl.String:
        return str(part.dtype)
    cells = [cell for cell in part.drop_nulls().head(_PROBE).to_list() if cell.strip().lower() not in MISSING_WORDS]
    numbers = sum(map(is_value, cells))
    if len(cells) < _LEAST or 0 < numbers < len(cells):
        return "text"
    return "numbers" if numbers else "words"


def _differ(
    parts: Sequence[pl.Series], paths: Sequence[Path], known: int, place: int, kind: str, other: str
) -> DataError:
    name = shown(parts[known].name)
    rule = (
        f"Files of one table must agree in their types: column {name} is {other} in '{paths[place]}' and {kind} in "
        f"'{paths[known]}'."
    )
    return DataError(rule, do=_MEND)
