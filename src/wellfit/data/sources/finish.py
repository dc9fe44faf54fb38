"""The last step of every reader: plain columns, checked names, and the record."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import polars as pl

from wellfit.data.sources.fingerprint import content_checksum
from wellfit.data.sources.paths import masked
from wellfit.data.table import SourceRecord, Table
from wellfit.errors import DataError, shown

__all__ = ["CELL_BYTES", "distinct_names", "finished", "index_names"]

CELL_BYTES = 1_000_000
"""The longest text that a cell may hold."""

MOST_FIELDS = 2_000
"""Columns that a table with records in it becomes at the most."""


def finished(
    frame: pl.DataFrame,
    *,
    uri: str,
    kind: str,
    checksum: str | None = None,
    details: Mapping[str, str | int | bool] | None = None,
    notes: Iterable[str] = (),
    written: Iterable[str] = (),
) -> Table:
    """Make a frame the `Table` that a reader returns; without a checksum, that of the content is taken.

    Raises:
        DataError: the frame has no columns or no rows, or a column holds what no cell can.
    """
    if frame.width == 0:
        raise DataError("The table has no columns.", got=masked(uri), do="Give a table with at least one column.")
    if frame.height == 0:
        raise DataError("The table has no rows.", got=masked(uri), do="Give a table with at least one row.")
    frame, flattened = _plain(frame)
    _refuse_huge_cells(frame, masked(uri))
    record = SourceRecord(
        uri=masked(uri),
        kind=kind,
        rows=frame.height,
        columns=frame.width,
        checksum=content_checksum(frame) if checksum is None else checksum,
        read_at=datetime.now(UTC).isoformat(timespec="seconds"),
        details=dict(details or {}),
    )
    return Table(frame=frame, record=record, notes=(*notes, *flattened), written=frozenset(written))


def distinct_names(names: Iterable[object], do: str = "Rename the columns.") -> list[str]:
    """Give column names as text; two that are the same are a `DataError`."""
    texts = [str(name) for name in names]
    twice = [name for name, count in Counter(texts).items() if count > 1]
    if twice:
        listing = ", ".join(shown(name) for name in twice[:5]) + (", ..." if len(twice) > 5 else "")
        verb = "stands" if len(twice) == 1 else "stand"
        raise DataError(f"Column names must differ: {listing} {verb} more than once.", do=do)
    return texts


def index_names(width: int) -> list[str]:
    """Give the names of columns that have none.

    >>> index_names(2)
    ['c0', 'c1']
    """
    return [f"c{place}" for place in range(width)]


def _plain(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Turn columns of lists, records, bytes and nothing at all into text; other types stay."""
    frame, notes = _opened(frame)
    changed: list[pl.Series] = []
    for series in frame:
        if series.dtype.is_nested():
            changed.append(_as_json(series))
            notes.append(f"Column {shown(series.name)} holds lists: it is read as JSON text.")
        elif series.dtype == pl.Binary:
            changed.append(_as_text(series))
            if changed[-1].null_count() > series.null_count():
                notes.append(f"Column {shown(series.name)} holds bytes that are no text: they count as missing.")
        elif isinstance(series.dtype, pl.BaseExtension):
            changed.append(series.ext.storage())
        elif series.dtype == pl.Null:
            changed.append(series.cast(pl.String))
        elif series.dtype == pl.Object:
            changed.append(pl.Series(series.name, _texts(series.to_list()), dtype=pl.String))
    return (frame.with_columns(changed) if changed else frame), notes


def _opened(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Make a column of each field of records, whose names are joined by dots; lists stay what they are."""
    names = [series.name for series in frame if isinstance(series.dtype, pl.Struct)]
    if not names:
        return frame, []
    columns = [field for series in frame for field in _fields(series)]
    found = [series.name for series in columns]
    if len(found) > MOST_FIELDS or len(set(found)) < len(found):
        # Too many of them are a map and no record; of two of one name none could be told.
        texts = [_as_json(frame.get_column(name)) for name in names]
        return frame.with_columns(texts), [
            f"Column {shown(name)} holds records: it is read as JSON text." for name in names
        ]
    opened = pl.DataFrame(columns)
    first = next((name for name in found if name not in frame.columns), names[0])
    listing = ", ".join(shown(name) for name in names[:5]) + (", ..." if len(names) > 5 else "")
    return opened, [f"Records in {listing} are read as columns of their own, such as {shown(first)}."]


def _fields(series: pl.Series) -> list[pl.Series]:
    """Give the columns within a column of records, or the column itself where it holds none."""
    if not isinstance(series.dtype, pl.Struct) or not series.dtype.fields:
        return [series]
    inner = series.struct.unnest().get_columns()
    return [field for one in inner for field in _fields(one.alias(f"{series.name}.{one.name}"))]


def _refuse_huge_cells(frame: pl.DataFrame, uri: str) -> None:
    """Raise `DataError` where a cell is no value of a table but a document or a file."""
    for series in frame:
        if series.dtype != pl.String or series.estimated_size() <= CELL_BYTES:
            continue
        sizes = series.str.len_bytes()
        place = sizes.arg_max()
        if place is not None and sizes[place] > CELL_BYTES:
            rule = f"Row {place + 1} has a cell over 1 MB in column {shown(series.name)}, which is the limit."
            raise DataError(rule, got=uri, do="Shorten it or leave the column out.")


def _as_json(series: pl.Series) -> pl.Series:
    cells = (None if cell is None else json.dumps(cell, default=str) for cell in series.to_list())
    return pl.Series(series.name, list(cells), dtype=pl.String)


def _as_text(series: pl.Series) -> pl.Series:
    """Give bytes as the text that they are, and as nothing where a cell of the column is none."""
    try:
        return series.cast(pl.String)
    except pl.exceptions.PolarsError:
        return pl.Series(series.name, [None] * len(series), dtype=pl.String)


def _texts(cells: Sequence[object]) -> list[str | None]:
    return [None if cell is None else str(cell) for cell in cells]
