"""Delimited text that passes by in batches, read as `read` of the package reads it as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
from pyarrow import csv

from wellfit.data.sources.contents import Content, open_content
from wellfit.data.sources.delimited.dialect import Dialect, blanks_of
from wellfit.data.sources.delimited.encoding import detect_encoding
from wellfit.data.sources.delimited.faults import QuoteWatch
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
from wellfit.data.sources.entry import Header
from wellfit.data.sources.finish import CELL_BYTES
from wellfit.errors import DataError

__all__ = ["TextBatches"]

MOST_SEARCHED = 1 << 28
"""Bytes of a file in which a fault is searched for by line: it is held in memory for that."""


class TextBatches:
    """The rows of a file of delimited text, a few megabytes at a time."""

    def __init__(self, source: Path, header: Header) -> None:
        self.content: Content = open_content(source)
        self.encoding = detect_encoding(self.content)
        self.dialect: Dialect = dialect_of(self.content, self.encoding, header)

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """Walk through the file from its beginning.

        Raises:
            DataError: a line is at fault.
        """
        watch = QuoteWatch(self.dialect.delimiter)
        rows = after(watch.watched(text_blocks(self.content, self.encoding, self.dialect)), self.dialect.start)
        stream = BlockStream(without_blank_end(rows, blanks_of(self.dialect.separator)))
        suspect = False
        try:
            reader = csv.open_csv(pa.PythonFile(stream, mode="r"), **parser_options(self.dialect))
            for batch in reader:
                table = pa.Table.from_batches([batch])
                suspect = suspect or longest_cell(table) > CELL_BYTES
                if table.num_rows:
                    yield pl.DataFrame(pl.from_arrow(table))
        except pa.ArrowException as error:
            otherwise = unexplained(error) if stream.given else header_only(self.dialect)
            raise self._fault() or otherwise from None
        if (watch.doubtful or suspect) and (fault := self._fault()):
            raise fault

    def _fault(self) -> DataError | None:
        size = self.content.path.stat().st_size
        return fault_in(self.content, self.encoding, self.dialect) if size <= MOST_SEARCHED else None

    def details(self) -> dict[str, str | int | bool]:
        """Give what was decided, but the decimal mark, which the cells tell."""
        return {
            "encoding": self.encoding,
            "delimiter": self.dialect.separator,
            "decimal": ".",
            "header": self.dialect.header,
            "compression": self.content.compression,
            "bytes": self.content.path.stat().st_size,
        }

    def notes(self, header: Header) -> list[str]:
        """Give what a person should know of the layout."""
        return layout_notes(self.encoding, self.dialect, header)
