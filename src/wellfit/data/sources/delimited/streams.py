"""Blocks of text on their way to the parser: what is cut off, and how they become a file."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable, Iterator

__all__ = ["BlockStream", "after", "without_blank_end"]


def after(blocks: Iterable[bytes], start: int) -> Iterator[bytes]:
    """Leave out the first bytes.

    >>> b"".join(after([b"abc", b"def"], 4))
    b'ef'
    """
    for block in blocks:
        if kept := block[start:]:
            yield kept
        start = max(0, start - len(block))


def without_blank_end(blocks: Iterable[bytes], blanks: bytes) -> Iterator[bytes]:
    r"""Leave out the lines at the end that consist of blanks only, and end with a newline.

    The parser takes an empty cell for a quoted one where it follows such a one and ends the file without a newline.

    >>> b"".join(without_blank_end([b"a, \n", b" \n\n"], b" \n"))
    b'a, \n'
    """
    held: list[bytes] = []
    filled = False
    for block in blocks:
        if kept := block.rstrip(blanks):
            yield b"".join([*held, kept])
            held, filled = [], True
        held.append(block[len(kept) :])
    if filled and (end := re.match(rb"[^\r\n]*", b"".join(held))):
        yield end[0] + b"\n"


class BlockStream(io.RawIOBase):
    """A file for the parser, made of blocks.

    It begins with a UTF-8 mark: the parser drops one, and a first cell that begins with that character stays whole.
    """

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self._rest = memoryview(codecs.BOM_UTF8)
        self.given = 0
        """Bytes given out, the mark not counted."""

    def readable(self) -> bool:
        """Say that the file can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Give the next bytes, as many as asked for unless the blocks end."""
        parts, wanted = [], size if size >= 0 else 1 << 62
        while wanted > 0 and (self._rest or self._next_block()):
            part = self._rest[:wanted]
            self._rest = self._rest[len(part) :]
            wanted -= len(part)
            parts.append(part)
        return b"".join(parts)

    def _next_block(self) -> bool:
        block = next((block for block in self._blocks if block), b"")
        self._rest = memoryview(block)
        self.given += len(block)
        return bool(block)
