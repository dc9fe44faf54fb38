"""How the bytes of a text file spell characters, and their spelling in UTF-8."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator

from wellfit.data.sources.contents import Content, foreign_format
from wellfit.errors import DataError

__all__ = ["detect_encoding", "encoding_note", "to_utf8"]

_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_CONTROLS = bytes(set(range(1, 32)) - set(b"\t\n\r\f\v\x1a\x1b"))
_SAVE_AGAIN = "Save the file again as UTF-8 text."


class _Undecodable(DataError):
    """A byte that the encoding does not know, with its line."""

    def __init__(self, line: int, byte: int) -> None:
        super().__init__(f"Line {line} has a byte that can't be decoded.", got=bytes([byte]), do=_SAVE_AGAIN)
        self.line = line
        self.byte = byte


def detect_encoding(content: Content) -> str:
    """Give the codec that reads the whole file: by its mark, else UTF-16, UTF-8 or cp1252.

    Raises:
        DataError: the file is no text, or no codec reads it.
    """
    head = content.head()
    marked = next((name for mark, name in _MARKS.items() if head.startswith(mark)), "") or _unmarked_utf16(head)
    if not marked:
        _refuse_binary(content, head)
    try:
        _read_through(content, marked or "utf-8")
        return marked or "utf-8"
    except _Undecodable as fault:
        if marked or _mostly_utf8(content):
            spelled = (marked or "utf-8").upper().removesuffix("-SIG")
            raise DataError(
                f"Line {fault.line} has a byte that is not {spelled}, as the rest of the file is.",
                got=bytes([fault.byte]),
                do=_SAVE_AGAIN,
            ) from None
    try:
        _read_through(content, "cp1252")
    except _Undecodable as fault:
        rule = f"Line {fault.line} has a byte that is text in neither UTF-8 nor Latin-1 (cp1252)."
        raise DataError(rule, got=bytes([fault.byte]), do=_SAVE_AGAIN) from None
    return "cp1252"


def encoding_note(encoding: str) -> str:
    """Say an encoding that a person would want to know of; empty for UTF-8.

    >>> encoding_note("cp1252")
    'Read as Latin-1 (cp1252).'
    """
    if encoding.startswith("utf-8"):
        return ""
    return "Read as Latin-1 (cp1252)." if encoding == "cp1252" else f"Read as {encoding.upper()}."


def to_utf8(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Spell blocks of a file in UTF-8, without a mark; a NUL character is a `DataError`."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    for block in blocks:
        text = _decoded(decoder, block, line)
        if "\0" in text:
            raise DataError(
                f"Line {line + _newlines(text[: text.index(chr(0))])} has a NUL byte, which no text table holds.",
                do="Check that the file is a text table and not damaged, and save it again as UTF-8 text.",
            )
        line += _newlines(text)
        yield text.encode()
    yield _decoded(decoder, b"", line, final=True).encode()


def _decoded(decoder: codecs.IncrementalDecoder, block: bytes, line: int, final: bool = False) -> str:
    try:
        return decoder.decode(block, final)
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        raise _Undecodable(line + (before.count(b"\n") or before.count(b"\r")), error.object[error.start]) from None
    except UnicodeError:  # UTF-16 and UTF-32 say so of a mark that is missing
        raise _Undecodable(line, block[0] if block else 0) from None


def _newlines(text: str) -> int:
    return text.count("\n") or text.count("\r")


def _read_through(content: Content, encoding: str) -> None:
    for _ in to_utf8(content.blocks(), encoding):
        pass


def _unmarked_utf16(head: bytes) -> str:
    even, odd = head[0::2], head[1::2]
    if len(odd) < 2 or b"\0" not in head:
        return ""
    low, high = even.count(0) / len(even), odd.count(0) / len(odd)
    if min(low, high) > 0.01 or max(low, high) < 0.3:
        return ""
    return "utf-16-le" if high > low else "utf-16-be"


def _refuse_binary(content: Content, head: bytes) -> None:
    named = foreign_format(head)
    if named or _looks_binary(head):
        what = named or "binary"
        do = "Save the sheet as CSV." if "Excel" in what else "Give a delimited text file."
        raise DataError(f"The file is not a text table: it is {what}.", got=str(content.path), do=do)


def _looks_binary(head: bytes) -> bool:
    """Whether control characters abound, beside NUL bytes or bytes that are no UTF-8."""
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if controls <= 0.05 * len(head):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return True
    return b"\0" in head


def _mostly_utf8(content: Content) -> bool:
    """Whether 9 of 10 characters beyond ASCII are good UTF-8, as they never are by chance."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    beyond = bad = 0
    for block in content.blocks():
        text = decoder.decode(block)
        beyond += len(text) - len(text.encode("ascii", "ignore"))
        bad += text.count("\ufffd")
    return beyond - bad >= 9 * bad
