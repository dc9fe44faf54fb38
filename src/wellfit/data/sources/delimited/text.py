"""A file of delimited text as a whole: its layout, its blocks, and what to say of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from pyarrow import compute, csv

from wellfit.data.sources.contents import Content
from wellfit.data.sources.delimited.dialect import WHITESPACE, Dialect, blanks_of, detect_dialect, squeezed
from wellfit.data.sources.delimited.encoding import encoding_note, to_utf8
from wellfit.data.sources.delimited.faults import LINE_BYTES, find_fault
from wellfit.data.sources.delimited.streams import without_blank_end
from wellfit.data.sources.entry import Header
from wellfit.errors import DataError
from wellfit.errors import shown as shown_text

__all__ = [
    "dialect_of",
    "fault_in",
    "header_only",
    "layout_notes",
    "longest_cell",
    "parser_options",
    "text_blocks",
    "unexplained",
]

_HEAD_BYTES = 1 << 20


def parser_options(dialect: Dialect) -> dict[str, Any]:
    """Give the parser's options under which every cell is text, exactly as written."""
    names = list(dialect.names)
    return {
        "read_options": csv.ReadOptions(column_names=names, block_size=LINE_BYTES),
        "parse_options": csv.ParseOptions(
            delimiter=dialect.delimiter, newlines_in_values=True, ignore_empty_lines=len(names) > 1
        ),
        "convert_options": csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=True,
            null_values=[""],
            quoted_strings_can_be_null=False,
        ),
    }


def dialect_of(content: Content, encoding: str, header: Header) -> Dialect:
    """Judge how the file is laid out by its first megabyte."""
    head = bytearray()
    for block in to_utf8(content.blocks(_HEAD_BYTES), encoding):
        if len(head) >= _HEAD_BYTES:
            return detect_dialect(bytes(head), False, header)
        head += block
    return detect_dialect(bytes(head), True, header)


def text_blocks(content: Content, encoding: str, dialect: Dialect) -> Iterator[bytes]:
    """Give the file's text in UTF-8, blanks between cells squeezed where they separate."""
    blocks = to_utf8(content.blocks(), encoding)
    return squeezed(blocks) if dialect.separator == WHITESPACE else blocks


def longest_cell(table: pa.Table) -> int:
    """Give the bytes of the longest cell."""

    def longest(chunk: Any) -> int:
        lengths = compute.max(compute.binary_length(chunk)).as_py()
        return lengths or 0

    return max((longest(chunk) for column in table.columns for chunk in column.chunks), default=0)


def fault_in(content: Content, encoding: str, dialect: Dialect) -> DataError | None:
    """Read the whole text strictly; give its first fault, or None."""
    blanks = blanks_of(dialect.separator)
    text = b"".join(without_blank_end(text_blocks(content, encoding, dialect), blanks))
    if dialect.preamble:
        # Lines are counted from the beginning of the file.
        text = b"\n" * dialect.preamble.count(b"\n") + text[len(dialect.preamble) :]
    return find_fault(text, dialect.delimiter, blanks)


def header_only(dialect: Dialect) -> DataError:
    """Say that there are no rows."""
    do = "Give a table with at least one row, or set header to false if the first line is a row of data."
    return DataError(f"The file has a header of {len(dialect.names)} names and no rows.", do=do)


def unexplained(error: Exception) -> DataError:
    """Say what the parser says."""
    return DataError("The file can't be read as delimited text.", do=f"The parser says: {error}.")


def layout_notes(encoding: str, dialect: Dialect, header: Header) -> list[str]:
    """Give what a person should know of the layout."""
    notes = [encoding_note(encoding)]
    if dialect.separator != ",":
        shown = {"\t": "tabs", WHITESPACE: "blanks"}.get(dialect.separator, f"'{dialect.separator}'")
        notes.append(f"Cells are separated by {shown}.")
    if dialect.preamble:
        first = dialect.preamble.strip().partition(b"\n")[0].decode().strip()
        notes.append(f"Lines above the table are left out, such as {shown_text(first)}.")
    if header == "auto" and not dialect.header:
        last = f" to c{len(dialect.names) - 1}" if len(dialect.names) > 1 else ""
        notes.append(f"No header found: columns are named c0{last}.")
    notes += [
        f"Column {place + 1} has no name: it is called '{dialect.names[place]}'." for place in dialect.unnamed[:3]
    ]
    return [note for note in notes if note]
