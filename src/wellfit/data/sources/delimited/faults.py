"""What is wrong with a delimited text, named with its line.

The fast parser says that something is wrong, or lets it pass; these checks find it and tell where.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from wellfit.data.sources.finish import CELL_BYTES
from wellfit.errors import DataError

__all__ = ["LINE_BYTES", "QuoteWatch", "find_fault"]

LINE_BYTES = 1 << 23
_LINE = re.compile(rb"[^\r\n]*+(?:\r\n|\n|\r|\Z)")
_QUOTED = re.compile(rb'"(?:[^"]++|"")*+"')


class QuoteWatch:
    """Looks at passing blocks: does every quoted cell begin and end where a cell does?

    Quotes are taken in turn as opening and closing, an escaped one (``""``) as a closing and an opening. `doubtful` is
    set where that reading meets a quote inside an unquoted cell or text after a closing quote; `find_fault` decides.
    """

    def __init__(self, delimiter: str) -> None:
        self.doubtful = False
        self._inside = False
        self._edge = np.zeros(256, dtype=bool)
        self._edge[list(f'{delimiter}\r\n"'.encode())] = True

    def watched(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the blocks unchanged."""
        carried = b"\n"
        for block in blocks:
            carried = self._look(carried + block)
            yield block
        self._look(carried + b"\n")
        self.doubtful = self.doubtful or self._inside

    def _look(self, text: bytes) -> bytes:
        """Judge every byte that has a neighbour on both sides; return what the next look begins with."""
        if not self.doubtful and b'"' in text:
            data = np.frombuffer(text, dtype=np.uint8)
            quotes = np.flatnonzero(data[1:-1] == ord('"')) + 1
            opening = (np.arange(len(quotes)) + self._inside) % 2 == 0
            begins = self._edge[data[quotes[opening] - 1]].all()
            ends = self._edge[data[quotes[~opening] + 1]].all()
            self.doubtful = not (begins and ends)
            self._inside ^= bool(len(quotes) % 2)
        return text[-2:]


@dataclass
class _Row:
    """One row of cells and the lines it stands on."""

    line: int
    cells: int
    longest: int
    """Bytes of the longest cell."""
    start: int
    end: int
    lines: int


def find_fault(text: bytes, delimiter: str, blanks: bytes) -> DataError | None:
    """Read a whole text strictly; give the first fault with its line, or None.

    A quoted cell ends at its closing quote; a quote inside an unquoted cell is a character like others.
    """
    separator = delimiter.encode()
    place, line, expected = 0, 1, 0
    sound: re.Pattern[bytes] | None = None
    try:
        while place < len(text):
            found = sound.match(text, place) if sound else None
            if found and place < found.end() <= place + CELL_BYTES:
                line += _newlines(text, place, found.end())
                place = found.end()
                continue
            row = _row(text, place, line, separator)
            place, line = row.end, line + row.lines
            if expected != 1 and not text[row.start : row.end].strip(blanks if expected == 0 else b"\r\n"):
                continue
            expected = expected or row.cells
            sound = sound or _sound_rows(expected, separator)
            _check(row, expected, delimiter)
    except DataError as fault:
        return fault
    return None


def _sound_rows(cells: int, separator: bytes) -> re.Pattern[bytes]:
    """Match up to a thousand rows that are as they should be, at the speed of C."""
    cell = rb'(?:"(?:[^"]++|"")*+"|(?!")[^%b\r\n]*+)' % re.escape(separator)
    row = rb"(?:%b%b){%d}%b(?:\r\n|\n|\r)" % (cell, re.escape(separator), cells - 1, cell)
    blank = rb"|\r\n|\n|\r" if cells > 1 else b""
    return re.compile(rb"(?:%b%b){1,1000}+" % (row, blank))


def _check(row: _Row, expected: int, delimiter: str) -> None:
    hint = f" The cell begins with a quote on line {row.line}: is its end missing?" if row.lines > 1 else ""
    if row.longest > CELL_BYTES:
        do = "Shorten it or leave the column out." if row.lines == 1 else "Mend or double the quote." + hint
        raise DataError(f"Line {row.line} has a cell over 1 MB, which is the limit.", got=_Size(row.longest), do=do)
    if row.end - row.start > LINE_BYTES:
        raise DataError(
            f"The row on line {row.line} is over {LINE_BYTES >> 20} MB long, which is the limit.",
            do="Shorten its cells.",
        )
    if row.cells != expected:
        have = f"{row.cells} cell{'s' if row.cells != 1 else ''}"
        do = f"Mend the line; a cell that holds the separator {delimiter!r} must stand in double quotes."
        if row.lines > 1:
            last = row.line + row.lines - 1
            do = f"A quoted cell spans lines {row.line} to {last}: check that its closing quote is there."
        raise DataError(f"Line {row.line} has {have}, where the first line has {expected}.", do=do)


class _Size(int):
    """A number of bytes, shown in megabytes."""

    def __repr__(self) -> str:
        return f"{int(self) / 1e6:.1f} MB"


def _row(text: bytes, place: int, line: int, separator: bytes) -> _Row:
    end = _line_end(text, place)
    if text.find(b'"', place, end) < 0:
        return _plain_row(text, place, end, line, separator)
    return _quoted_row(text, place, line, separator)


def _line_end(text: bytes, place: int) -> int:
    found = _LINE.match(text, place)
    return found.end() if found else len(text)


def _plain_row(text: bytes, start: int, end: int, line: int, delimiter: bytes) -> _Row:
    cells = text.count(delimiter, start, end) + 1
    longest = end - start
    if longest > CELL_BYTES:
        longest = max(map(len, text[start:end].rstrip(b"\r\n").split(delimiter)))
    return _Row(line, cells, longest, start, end, 1)


def _quoted_row(text: bytes, start: int, line: int, delimiter: bytes) -> _Row:
    ends = (re.escape(delimiter),) * 2
    cell = re.compile(rb'(?:"(?:[^"]++|"")*+"|(?!")[^%b\r\n]*+)(%b|\r\n|\n|\r|\Z)' % ends)
    place, cells, longest, lines = start, 0, 0, 1
    while True:
        found = cell.match(text, place)
        if found is None:
            raise _broken_quote(text, place, line + lines - 1)
        cells += 1
        longest = max(longest, found.start(1) - place)
        lines += _newlines(text, place, found.start(1))
        place = found.end()
        if found[1] != delimiter:
            return _Row(line, cells, longest, start, place, lines)


def _newlines(text: bytes, start: int, end: int) -> int:
    return text.count(b"\n", start, end) + text.count(b"\r", start, end) - text.count(b"\r\n", start, end)


def _broken_quote(text: bytes, place: int, line: int) -> DataError:
    closed = _QUOTED.match(text, place)
    do = 'Close it, or write a quote inside a cell twice ("").'
    if closed is None:
        return DataError(f"The quote that opens on line {line} is never closed.", do=do)
    until = line + _newlines(text, place, closed.end())
    where = f"line {until}" if until > line else "the same line"
    rule = f"The quote that opens on line {line} is broken: text follows its closing quote on {where}."
    return DataError(rule, got=text[closed.start() : closed.end() + 10].decode("utf-8", "replace"), do=do)
