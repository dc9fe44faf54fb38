"""Words of short texts (names, titles, part numbers), and the one word that a cell is read as."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["OTHER", "first_of", "words_in"]

OTHER = "other words"
"""What a text is read as that has none of the words that are looked for."""

_LETTERS = re.compile(r"[^\W\d_]+")


def words_in(text: str) -> list[str]:
    """Give the runs of letters of a text, without their case: numbers in names hardly return.

    >>> words_in("Braund, Mr. Owen"), words_in("A/5 21171"), words_in("C85")
    (['braund', 'mr', 'owen'], ['a'], ['c'])
    """
    return _LETTERS.findall(text.casefold())


def first_of(words: Sequence[str], text: str) -> str:
    """Give the first of some words that a text has, or `OTHER`.

    >>> first_of(("diesel", "vw"), "VW Rabbit (Diesel)"), first_of(("diesel",), "audi fox")
    ('diesel', 'other words')
    """
    there = set(words_in(text))
    return next((word for word in words if word in there), OTHER)
