"""How a text file is laid out: what separates its cells, and where its rows begin."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from wellfit.data.sources.delimited.header import has_header, is_value, names_from
from wellfit.data.sources.entry import Header
from wellfit.data.sources.finish import distinct_names, index_names
from wellfit.errors import DataError

__all__ = ["Dialect", "blanks_of", "detect_dialect", "squeezed"]

WHITESPACE = " "
"""Stands for runs of blanks and tabs between cells; such files are squeezed to one tab a gap before they are parsed."""
_MARKS = (",", "\t", ";", "|")
_SAMPLE_ROWS = 200
_SEPARATOR_LINE = re.compile(rb"\"?sep=.\"?[ \t]*\r?\n", re.IGNORECASE)
_GAP = re.compile(rb'"(?:[^"]++|"")*+"|[ \t]+')
_EDGES = re.compile(rb"[ \t]+(?=[\r\n]|\Z)|(?:(?<=[\r\n])|\A)[ \t]+")


@dataclass(frozen=True)
class Dialect:
    """The layout of a text file."""

    separator: str
    """``,``, a tab, ``;``, ``|``, or a blank for runs of blanks."""
    header: bool
    names: tuple[str, ...]
    unnamed: tuple[int, ...]
    """Places of header cells without a name."""
    start: int
    """Bytes of UTF-8 text, squeezed where squeezing applies, before the first row of data."""
    preamble: bytes = b""
    """The text above the first row, where that is more than blank lines: remarks after ``#``, a line ``sep=;``."""

    @property
    def delimiter(self) -> str:
        """The character between cells once the text is squeezed."""
        return "\t" if self.separator == WHITESPACE else self.separator


def detect_dialect(head: bytes, whole: bool, header: Header) -> Dialect:
    """Judge the layout by the first megabyte of UTF-8 text; ``whole`` says that this is all there is.

    Raises:
        DataError: there is no row at all, or the header names a column twice.
    """
    best = _best_sample(head, whole)
    if not best.rows:
        raise DataError("The file holds blank lines only.", do="Give a table with at least one row.")
    first = best.rows[0]
    named = has_header(best.rows) if header == "auto" else header
    names, unnamed = names_from(first) if named else (index_names(len(first)), [])
    distinct_names(names, "Rename them, or set header to false if the first line is a row of data.")
    start = best.second if named else best.first
    return Dialect(best.separator, named, tuple(names), tuple(unnamed), start, best.preamble)


def _best_sample(head: bytes, whole: bool) -> _Sample:
    """Choose what separates cells; blanks do where nothing else fits, or fits worse (``1,5 2,5`` and padded tabs)."""
    marks = [_Sample(head, whole, separator) for separator in _MARKS]
    best = max(marks, key=lambda sample: sample.score)
    blanks = _Sample(head, whole, WHITESPACE)
    if not best.score.agrees:
        best = max(best, blanks, key=lambda sample: sample.score)
    elif (best.separator == "," and blanks.score > best.score) or (best.padded_tabs and blanks.score == best.score):
        best = blanks
    return best if best.score.share else marks[0]


def blanks_of(separator: str) -> bytes:
    """Give the bytes a line may consist of and still be blank: a tab is none where it separates cells."""
    return b" \r\n" if separator == "\t" else b" \t\r\n"


def squeezed(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Turn runs of blanks and tabs outside quotes into one tab, and drop those at the ends of lines."""
    rest = b""
    for block in blocks:
        lines, newline, tail = (rest + block).rpartition(b"\n")
        if newline:
            yield _squeeze(lines + newline)
        rest = tail
    yield _squeeze(rest)


def _squeeze(text: bytes) -> bytes:
    return _GAP.sub(lambda gap: gap[0] if gap[0][:1] == b'"' else b"\t", _EDGES.sub(b"", text))


class _Score(NamedTuple):
    """How well a separator fits, the weightiest reason first."""

    agrees: bool
    """Nine of ten rows have the same number of cells, more than one."""
    whole: bool
    """Quoted cells end where they should."""
    values: float
    """Share of cells that are numbers or dates."""
    share: float
    """Share of rows with the usual number of cells."""


class _Sample:
    """The first rows of a text as one separator would cut them."""

    def __init__(self, head: bytes, whole: bool, separator: str) -> None:
        text = _squeeze(head) if separator == WHITESPACE else head
        self.separator = separator
        self.first = _blank_start(text, blanks_of(separator))
        blank = self.first
        while above := _above(text[self.first :], "\t" if separator == WHITESPACE else separator):
            self.first += above
            self.first += _blank_start(text[self.first :], blanks_of(separator))
        self.preamble = text[: self.first] if self.first > blank else b""
        self.second = self.first
        self.rows: list[list[str]] = []
        self.broken = False
        self._read(text[self.first :].decode("utf-8", "ignore"), "\t" if separator == WHITESPACE else separator, whole)
        self.score = self._scored()

    @property
    def padded_tabs(self) -> bool:
        """Whether tabs separate cells and blanks stand around them, as where columns were lined up by eye."""
        return self.separator == "\t" and any(cell != cell.strip(" ") for row in self.rows for cell in row)

    def _read(self, text: str, delimiter: str, whole: bool) -> None:
        used = self._take(text, delimiter, strict=True)
        if used >= 0:
            # a sample may end inside a quoted cell or a row
            self.broken = whole or used < len(text)
            self._take(text, delimiter, strict=False)
        if not whole and 1 < len(self.rows) < _SAMPLE_ROWS:
            self.rows.pop()

    def _take(self, text: str, delimiter: str, strict: bool) -> int:
        """Fill the rows; return how many characters a reading that failed had used, or -1."""
        used, self.rows = 0, []

        def lines() -> Iterator[str]:
            nonlocal used
            for line in io.StringIO(text, newline=""):
                used += len(line)
                yield line

        try:
            for row in csv.reader(lines(), delimiter=delimiter, strict=strict):
                if row:
                    self.rows.append(row)
                if row and len(self.rows) == 1:
                    self.second = self.first + len(text[:used].encode())
                if len(self.rows) == _SAMPLE_ROWS:
                    return -1
        except csv.Error:
            return used
        return -1

    def _scored(self) -> _Score:
        if not self.rows:
            return _Score(False, False, 0.0, 0.0)
        usual, count = Counter(map(len, self.rows)).most_common(1)[0]
        share = count / len(self.rows) if usual > 1 else 0.0
        numbers = _share_of_values(self.rows)
        if self.separator == WHITESPACE and (share < 1.0 or numbers < 0.5):
            share = 0.0
        return _Score(share >= 0.9, not self.broken, numbers if share else 0.0, share)


def _share_of_values(rows: Sequence[Sequence[str]]) -> float:
    cells = [cell for row in rows[1:] or rows for cell in row]
    return sum(map(is_value, cells)) / max(len(cells), 1)


def _blank_start(text: bytes, blanks: bytes) -> int:
    """Count the bytes of the blank lines that a text begins with."""
    filled = len(text) - len(text.lstrip(blanks))
    return max(text.rfind(b"\n", 0, filled), text.rfind(b"\r", 0, filled)) + 1


def _above(text: bytes, delimiter: str) -> int:
    """Count the bytes of a line ``sep=;`` and of remarks after ``#`` above a table.

    The last such line is the header where it has as many cells as the first row.
    """
    told = _SEPARATOR_LINE.match(text)
    begin = end = told.end() if told else 0
    remarks: list[bytes] = []
    while text.startswith(b"#", end) and (stop := text.find(b"\n", end)) >= 0:
        remarks.append(text[end : stop + 1])
        end = stop + 1
    cells = text[end:].lstrip(b"\r\n").partition(b"\n")[0].count(delimiter.encode())
    if not remarks or not cells:
        return begin
    return end - len(remarks[-1]) if remarks[-1].count(delimiter.encode()) == cells else end
