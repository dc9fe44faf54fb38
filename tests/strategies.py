"""Hypothesis strategies for hostile tables, shared by the tests of everything that reads or prepares one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

HOSTILE_CELLS = (
    "",
    " ",
    "\t",
    '"',
    '""',
    '"a","b"',
    "a;b|c\td",
    "line\nbreak",
    "carriage\r\nreturn",
    "1,234.5",
    "-1e309",
    "nan",
    "?",
    "N/A",
    "'1'",
    "=cmd()",
    "日本語",
    "é́",
    "\u200f\u202e",
    "\x1b[31m",
    "🦜" * 20,
    "0" * 400,
)


@dataclass(frozen=True)
class RawTable:
    """Names and rows of text, as a file would hold them."""

    names: Sequence[str]
    rows: Sequence[Sequence[str]]


def cells(alphabet: str | None = None) -> st.SearchStrategy[str]:
    """Text of any kind but NUL, lone surrogates and the byte order mark; drawn from an alphabet where one is given."""
    if alphabet is not None:
        return st.text(alphabet, max_size=12)
    letters = st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff")
    return st.one_of(st.sampled_from(HOSTILE_CELLS), st.text(letters, max_size=12))


def numbers_as_text() -> st.SearchStrategy[str]:
    """Numbers in many spellings, infinite and missing ones too."""
    plain = st.one_of(st.integers(-(10**20), 10**20).map(str), st.floats(width=32).map(repr))
    return st.one_of(plain, st.sampled_from(["", "?", "NA", "1,234", "$3", "45%", "1e400", "-inf", " 7 ", "0007"]))


@st.composite
def raw_tables(
    draw: st.DrawFn, *, alphabet: str | None = None, min_columns: int = 1, max_columns: int = 5, max_rows: int = 8
) -> RawTable:
    """Tables of hostile cells with distinct names that are not blank."""
    width = draw(st.integers(min_columns, max_columns))
    names = draw(
        st.lists(
            cells(alphabet).map(str.strip).filter(bool), min_size=width, max_size=width, unique_by=lambda name: name
        )
    )
    rows = draw(st.lists(st.lists(cells(alphabet), min_size=width, max_size=width), min_size=1, max_size=max_rows))
    return RawTable(names, rows)


def csv_like_bytes() -> st.SearchStrategy[bytes]:
    """Bytes that a reader of delimited text stumbles over: tokens in any order, and any bytes at all."""
    tokens = [b",", b";", b"\t", b"|", b" ", b"\n", b"\r\n", b"\r", b'"', b'""', b"a", b"1", b"-2.5", b"?", b"\0"]
    tokens += [
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xfe\xff",
        b"\xe9",
        b"\xc3\xa9",
        b"\x81",
        b"\x1f\x8b",
        b"PAR1",
        b"PK\3\4",
    ]
    joined = st.lists(st.sampled_from(tokens), max_size=40).map(b"".join)
    return st.one_of(joined, st.binary(max_size=200))
