"""Delimited text: CSV, TSV and the like, plain or packed, in any usual encoding."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
from pyarrow import csv

from wellfit.data.sources.contents import Content, checksum_of, open_content
from wellfit.data.sources.delimited.decimal_mark import decimal_mark_of
from wellfit.data.sources.delimited.dialect import Dialect, blanks_of
from wellfit.data.sources.delimited.encoding import detect_encoding
from wellfit.data.sources.delimited.faults import QuoteWatch
from wellfit.data.sources.delimited.plain import FEWEST_BYTES, Plain, begins_plain, read_plain
from wellfit.data.sources.delimited.streams import BlockStream, after, without_blank_end
from wellfit.data.sources.delimited.text import (
    dialect_of,
    fault_in,
    header_only,
    layout_notes,
    longest_cell,
    parser_options,
    text_blocks,
    unexplained,
)
from wellfit.data.sources.entry import Header, SourceEntry, StayText
from wellfit.data.sources.finish import CELL_BYTES, finished
from wellfit.data.table import Table
from wellfit.errors import DataError

__all__ = ["ENTRY"]


@dataclass(frozen=True)
class _Read:
    """A file that was read."""

    frame: pl.DataFrame
    head: pl.DataFrame
    """The first rows as text."""
    encoding: str
    dialect: Dialect
    checksum: str
    """sha256 of the file's bytes."""


def read(source: Path, header: Header, texts: StayText | None = None) -> Table:
    """Read a file of delimited text; every cell is text, exactly as written; held compactly where ``texts`` is given.

    Raises:
        DataError: the file is no text table, or a line of it is at fault: which line, and how to mend it.
    """
    content = open_content(source)
    found = _plain(content, header, texts) or _any(content, header)
    encoding, dialect, frame = found.encoding, found.dialect, found.frame
    written = [name for name, dtype in frame.schema.items() if dtype.is_numeric()]
    details: dict[str, str | int | bool] = {
        "encoding": encoding,
        "delimiter": dialect.separator,
        "decimal": decimal_mark_of(found.head),
        "header": dialect.header,
        "compression": content.compression,
        "bytes": source.stat().st_size,
    }
    notes = layout_notes(encoding, dialect, header)
    notes += ["Numbers have a decimal comma."] if details["decimal"] == "," else []
    return finished(
        frame,
        uri=str(source),
        kind="delimited",
        checksum=found.checksum,
        details=details,
        notes=notes,
        written=written,
    )


def _plain(content: Content, header: Header, texts: StayText | None) -> _Read | None:
    """Read a large file the short way, or give None: what is at fault is for the other way to find."""
    if content.compression != "none" or content.path.stat().st_size < FEWEST_BYTES or not begins_plain(content.head()):
        return None
    try:
        dialect = dialect_of(content, "utf-8", header)
    except DataError:
        return None
    if dialect.preamble:
        return None
    found: Plain | None = read_plain(content.path, dialect, texts)
    return None if found is None else _Read(found.frame, found.head, "utf-8", dialect, found.survey.checksum)


def _any(content: Content, header: Header) -> _Read:
    encoding = detect_encoding(content)
    dialect = dialect_of(content, encoding, header)
    frame = _parse(content, encoding, dialect)
    return _Read(frame, frame, encoding, dialect, checksum_of(content.path))


def _parse(content: Content, encoding: str, dialect: Dialect) -> pl.DataFrame:
    watch = QuoteWatch(dialect.delimiter)
    rows = after(watch.watched(text_blocks(content, encoding, dialect)), dialect.start)
    stream = BlockStream(without_blank_end(rows, blanks_of(dialect.separator)))
    try:
        table = _parsed(stream, dialect)
    except pa.ArrowException as error:
        otherwise = unexplained(error) if stream.given else header_only(dialect)
        raise fault_in(content, encoding, dialect) or otherwise from None
    if (watch.doubtful or longest_cell(table) > CELL_BYTES) and (fault := fault_in(content, encoding, dialect)):
        raise fault
    frame = pl.from_arrow(table, rechunk=False)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _parsed(stream: BlockStream, dialect: Dialect) -> pa.Table:
    return csv.read_csv(pa.PythonFile(stream, mode="r"), **parser_options(dialect))


ENTRY = SourceEntry(
    name="delimited",
    summary="CSV, TSV and other delimited text; plain, gzip or zstd; UTF-8, UTF-16 or Latin-1",
    make=read,
    compactly=read,
    matches=lambda source: isinstance(source, Path),
)
