"""Delimited text: CSV, TSV and the like, plain or packed, in any usual encoding."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
from pyarrow import compute, csv

from wellfit.data.sources.contents import Content, checksum_of, open_content
from wellfit.data.sources.delimited.decimal_mark import decimal_mark_of
from wellfit.data.sources.delimited.dialect import WHITESPACE, Dialect, blanks_of, detect_dialect, squeezed
from wellfit.data.sources.delimited.encoding import detect_encoding, encoding_note, to_utf8
from wellfit.data.sources.delimited.faults import LINE_BYTES, QuoteWatch, find_fault
from wellfit.data.sources.delimited.streams import BlockStream, after, without_blank_end
from wellfit.data.sources.entry import Header, SourceEntry
from wellfit.data.sources.finish import CELL_BYTES, finished
from wellfit.data.table import Table
from wellfit.errors import DataError

__all__ = ["ENTRY"]

_HEAD_BYTES = 1 << 20


def read(source: Path, header: Header) -> Table:
    """Read a file of delimited text; every cell is text, exactly as written.

    Raises:
        DataError: the file is no text table, or a line of it is at fault: which line, and how to mend it.
    """
    content = open_content(source)
    encoding = detect_encoding(content)
    dialect = _dialect(content, encoding, header)
    frame = _parse(content, encoding, dialect)
    details: dict[str, str | int | bool] = {
        "encoding": encoding,
        "delimiter": dialect.separator,
        "decimal": decimal_mark_of(frame),
        "header": dialect.header,
        "compression": content.compression,
        "bytes": source.stat().st_size,
    }
    notes = _notes(encoding, dialect, header)
    notes += ["Numbers have a decimal comma."] if details["decimal"] == "," else []
    return finished(
        frame, uri=str(source), kind="delimited", checksum=checksum_of(source), details=details, notes=notes
    )


def _dialect(content: Content, encoding: str, header: Header) -> Dialect:
    head = bytearray()
    for block in to_utf8(content.blocks(_HEAD_BYTES), encoding):
        if len(head) >= _HEAD_BYTES:
            return detect_dialect(bytes(head), False, header)
        head += block
    return detect_dialect(bytes(head), True, header)


def _blocks(content: Content, encoding: str, dialect: Dialect) -> Iterator[bytes]:
    blocks = to_utf8(content.blocks(), encoding)
    return squeezed(blocks) if dialect.separator == WHITESPACE else blocks


def _parse(content: Content, encoding: str, dialect: Dialect) -> pl.DataFrame:
    watch = QuoteWatch(dialect.delimiter)
    rows = after(watch.watched(_blocks(content, encoding, dialect)), dialect.start)
    stream = BlockStream(without_blank_end(rows, blanks_of(dialect.separator)))
    try:
        table = _parsed(stream, dialect)
    except pa.ArrowException as error:
        otherwise = _unexplained(error) if stream.given else _header_only(dialect)
        raise _fault(content, encoding, dialect) or otherwise from None
    if (watch.doubtful or _longest_cell(table) > CELL_BYTES) and (fault := _fault(content, encoding, dialect)):
        raise fault
    frame = pl.from_arrow(table, rechunk=False)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _parsed(stream: BlockStream, dialect: Dialect) -> pa.Table:
    names = list(dialect.names)
    return csv.read_csv(
        pa.PythonFile(stream, mode="r"),
        read_options=csv.ReadOptions(column_names=names, block_size=LINE_BYTES),
        parse_options=csv.ParseOptions(
            delimiter=dialect.delimiter, newlines_in_values=True, ignore_empty_lines=len(names) > 1
        ),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=True,
            null_values=[""],
            quoted_strings_can_be_null=False,
        ),
    )


def _longest_cell(table: pa.Table) -> int:
    def longest(chunk: Any) -> int:
        lengths = compute.max(compute.binary_length(chunk)).as_py()
        return lengths or 0

    return max((longest(chunk) for column in table.columns for chunk in column.chunks), default=0)


def _fault(content: Content, encoding: str, dialect: Dialect) -> DataError | None:
    blanks = blanks_of(dialect.separator)
    text = b"".join(without_blank_end(_blocks(content, encoding, dialect), blanks))
    return find_fault(text, dialect.delimiter, blanks)


def _header_only(dialect: Dialect) -> DataError:
    do = "Give a table with at least one row, or set header to false if the first line is a row of data."
    return DataError(f"The file has a header of {len(dialect.names)} names and no rows.", do=do)


def _unexplained(error: Exception) -> DataError:
    return DataError("The file can't be read as delimited text.", do=f"The parser says: {error}.")


def _notes(encoding: str, dialect: Dialect, header: Header) -> list[str]:
    notes = [encoding_note(encoding)]
    if dialect.separator != ",":
        shown = {"\t": "tabs", WHITESPACE: "blanks"}.get(dialect.separator, f"'{dialect.separator}'")
        notes.append(f"Cells are separated by {shown}.")
    if header == "auto" and not dialect.header:
        last = f" to c{len(dialect.names) - 1}" if len(dialect.names) > 1 else ""
        notes.append(f"No header found: columns are named c0{last}.")
    notes += [
        f"Column {place + 1} has no name: it is called '{dialect.names[place]}'." for place in dialect.unnamed[:3]
    ]
    return [note for note in notes if note]


ENTRY = SourceEntry(
    name="delimited",
    summary="CSV, TSV and other delimited text; plain, gzip or zstd; UTF-8, UTF-16 or Latin-1",
    make=read,
    matches=lambda source: isinstance(source, Path),
)
