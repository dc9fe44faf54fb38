"""JSON files: a list of records, an object of columns, or one record a line (NDJSON)."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from wellfit.data.sources.contents import Content, checksum_of, open_content
from wellfit.data.sources.delimited.encoding import detect_encoding, encoding_note, to_utf8
from wellfit.data.sources.entry import Header, SourceEntry
from wellfit.data.sources.finish import finished
from wellfit.data.sources.mapping import frame_of_columns
from wellfit.data.table import Table
from wellfit.errors import DataError

__all__ = ["ENTRY", "Records", "record_batches"]

_SUFFIXES = (".json", ".ndjson", ".jsonl")
_SHAPE = 'Write a list of records, such as [{"a": 1, "b": "x"}], or one record a line.'


@dataclass(frozen=True)
class Records:
    """A JSON file, and the way to the list of records in it."""

    path: Path
    way: str


def read(source: Path | Records, header: Header) -> Table:
    """Read records; a key that a record lacks is a missing cell.

    Raises:
        DataError: the text is no JSON, with the line, or JSON that is no table.
    """
    source, way = (source.path, source.way) if isinstance(source, Records) else (source, "")
    content = open_content(source)
    encoding = detect_encoding(content)
    text = b"".join(to_utf8(content.blocks(), encoding)).decode()
    frame, layout = _frame(text, content, way)
    details: dict[str, str | int | bool] = {
        "layout": layout,
        "encoding": encoding,
        "compression": content.compression,
        "bytes": source.stat().st_size,
        **({"records": way} if way else {}),
    }
    notes = [note for note in [encoding_note(encoding)] if note]
    return finished(frame, uri=str(source), kind="json", checksum=checksum_of(source), details=details, notes=notes)


def record_batches(source: Path, rows: int) -> Iterator[pl.DataFrame] | None:
    """Walk through a file of one record a line; None where it is laid out otherwise.

    Raises:
        DataError: a line is no JSON: which one.
    """
    content = open_content(source)
    first = list(itertools.islice(_numbered(content), 2))
    if len(first) < 2 or not all(_is_record(line) for _, line in first):
        return None
    return _batches(content, rows)


def _batches(content: Content, rows: int) -> Iterator[pl.DataFrame]:
    numbered = _numbered(content)
    while lines := list(itertools.islice(numbered, rows)):
        records = []
        for number, line in lines:
            try:
                records.append(_parsed(line))
            except json.JSONDecodeError as error:
                rule = f"Line {number} is not JSON."
                raise DataError(rule, got=str(content.path), do=f"Mend it: {error.msg}.") from None
        if not all(isinstance(record, dict) for record in records):
            raise DataError("The JSON is not a table.", got=str(content.path), do=_SHAPE)
        yield frame_of_columns(_columns(records))


def _numbered(content: Content) -> Iterator[tuple[int, str]]:
    """Give the lines that are not blank, with their numbers."""
    rest, number = "", 0
    for block in itertools.chain(to_utf8(content.blocks(), detect_encoding(content)), [b"\n"]):
        *lines, rest = (rest + block.decode()).split("\n")
        for line in lines:
            number += 1
            if line.strip():
                yield number, line


def _is_record(line: str) -> bool:
    try:
        return isinstance(_parsed(line), dict)
    except json.JSONDecodeError:
        return False


def _frame(text: str, content: Content, way: str) -> tuple[pl.DataFrame, str]:
    """Give the table of a text, and how the text is laid out: ``records``, ``columns`` or ``lines``."""
    if not text.strip():
        raise DataError("The file is blank.", got=str(content.path), do=_SHAPE)
    layout = "records"
    try:
        held = _parsed(text)
    except json.JSONDecodeError as whole:
        held, layout = _lines(text, content, whole), "lines"
    if way:
        from wellfit.data.sources.web.records import records_at

        return frame_of_columns(_columns(records_at(held, way))), layout
    if isinstance(held, dict) and held and all(isinstance(values, list) for values in held.values()):
        return frame_of_columns(held), "columns"
    if isinstance(held, dict) and not any(isinstance(value, dict) for value in held.values()):
        held = [held]
    if not isinstance(held, list) or not all(isinstance(record, dict) for record in held):
        raise DataError("The JSON is not a table.", got=str(content.path), do=_SHAPE)
    return frame_of_columns(_columns(held)), layout


def _lines(text: str, content: Content, whole: json.JSONDecodeError) -> list[Any]:
    records = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            records.append(_parsed(line))
        except json.JSONDecodeError as error:
            # where the first line is no JSON of its own, the file is one text over many lines
            number, error = (number, error) if records else (whole.lineno, whole)
            do = f"Mend it: {error.msg}."
            raise DataError(f"Line {number} is not JSON.", got=str(content.path), do=do) from None
    return records


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except (RecursionError, ValueError):
        raise json.JSONDecodeError("it is nested too deeply or has a number too long", text, 0) from None


def _columns(records: Iterable[dict[str, Any]]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    for row, record in enumerate(records):
        for key, value in record.items():
            column = columns.setdefault(key, [])
            column.extend([None] * (row - len(column)))
            column.append(value)
    length = max(map(len, columns.values()), default=0)
    for column in columns.values():
        column.extend([None] * (length - len(column)))
    return columns


def _matches(source: Any) -> bool:
    return isinstance(source, Records) or (
        isinstance(source, Path) and any(suffix.lower() in _SUFFIXES for suffix in source.suffixes[-2:])
    )


ENTRY = SourceEntry(name="json", summary="JSON records or NDJSON, plain, gzip or zstd", make=read, matches=_matches)
