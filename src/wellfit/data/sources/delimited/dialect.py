"""How a text file is laid out: what separates its cells, and where its rows begin."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from wellfit.data.sources.delimited.header import has_header, is_value, names_from
from wellfit.data.sources.entry import Header
from wellfit.errors import DataError, shown

__all__ = ["Dialect", "blanks_of", "detect_dialect", "squeezed"]

WHITESPACE = " "
"""Stands for runs of blanks and tabs between cells; such files are squeezed to one tab a gap before they are parsed."""
_CANDIDATES = (",", "\t", ";", "|", WHITESPACE)
_SAMPLE_ROWS = 200
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

    @property
    def delimiter(self) -> str:
        """The character between cells once the text is squeezed."""
        return "\t" if self.separator == WHITESPACE else self.separator


def detect_dialect(head: bytes, whole: bool, header: Header) -> Dialect:
    """Judge the layout by the first megabyte of UTF-8 text; ``whole`` says that this is all there is.

    Raises:
        DataError: there is no row at all, or the header names a column twice.
    """
    samples = {separator: _Sample(head, whole, separator) for separator in _CANDIDATES}
    best = max(samples.values(), key=lambda sample: sample.score)
    if best.score[2] == 0.0:
        best = samples[","]
    if not best.rows:
        raise DataError("The file holds blank lines only.", do="Give a table with at least one row.")
    first = best.rows[0]
    named = has_header(best.rows) if header == "auto" else header
    names, unnamed = names_from(first) if named else ([f"c{place}" for place in range(len(first))], [])
    _refuse_duplicates(names)
    start = best.second if named else best.first
    return Dialect(best.separator, named, tuple(names), tuple(unnamed), start)


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


class _Sample:
    """The first rows of a text as one separator would cut them."""

    def __init__(self, head: bytes, whole: bool, separator: str) -> None:
        text = _squeeze(head) if separator == WHITESPACE else head
        self.separator = separator
        self.first = _blank_start(text, blanks_of(separator))
        self.second = self.first
        self.rows: list[list[str]] = []
        self._read(text[self.first :].decode("utf-8", "ignore"), "\t" if separator == WHITESPACE else separator, whole)
        self.score = self._scored()

    def _read(self, text: str, delimiter: str, whole: bool) -> None:
        used = 0

        def lines() -> Iterator[str]:
            nonlocal used
            for line in io.StringIO(text, newline=""):
                used += len(line.encode())
                yield line

        try:
            for row in csv.reader(lines(), delimiter=delimiter):
                if not self.rows:
                    self.second = self.first + used
                if row:
                    self.rows.append(row)
                if len(self.rows) == _SAMPLE_ROWS:
                    return
        except csv.Error:  # a cell too long for a sample: the strict reading that follows names its line
            return
        if not whole and len(self.rows) > 1:
            self.rows.pop()

    def _scored(self) -> tuple[bool, float, float]:
        """Give (rows agree on their number of cells, share of cells that are numbers or dates, share that agrees)."""
        if not self.rows:
            return (False, 0.0, 0.0)
        usual, count = Counter(map(len, self.rows)).most_common(1)[0]
        share = count / len(self.rows) if usual > 1 else 0.0
        numbers = _share_of_values(self.rows)
        if self.separator == WHITESPACE and (share < 1.0 or numbers < 0.5):
            share = 0.0
        return (share >= 0.9, numbers if share else 0.0, share)


def _share_of_values(rows: Sequence[Sequence[str]]) -> float:
    cells = [cell for row in rows[1:] or rows for cell in row]
    return sum(map(is_value, cells)) / max(len(cells), 1)


def _blank_start(text: bytes, blanks: bytes) -> int:
    """Count the bytes of the blank lines that a text begins with."""
    filled = len(text) - len(text.lstrip(blanks))
    return max(text.rfind(b"\n", 0, filled), text.rfind(b"\r", 0, filled)) + 1


def _refuse_duplicates(names: Sequence[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        listing = ", ".join(shown(name) for name in twice[:5]) + (", ..." if len(twice) > 5 else "")
        raise DataError(
            f"Column names must differ: {listing} {'stands' if len(twice) == 1 else 'stand'} more than once.",
            do="Rename them, or set header to false if the first line is a row of data.",
        )
