"""The text of an expression as tokens: names, numbers and signs, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from wellfit.errors import ConfigError

__all__ = ["LONGEST", "MOST_TOKENS", "Token", "broken", "tokens"]

LONGEST = 1000
"""The longest expression that is read, in characters."""
MOST_TOKENS = 200

_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![\w.]))"
    r"|(?P<name>[^\W\d][\w.]*)"
    r"""|(?P<quoted>"(?:[^"]|"")+"|'(?:[^']|'')+'|`(?:[^`]|``)+`)"""
    r"|(?P<sign>\*\*|<=|>=|==|!=|[-+*/<>()])"
)

_HINTS = {
    "=": "Write == to compare.",
    "^": "Write ** for a power.",
    "%": "There are + - * / ** and comparisons.",
    "&": "Multiply comparisons: (a > 1) * (b > 1).",
    "|": "Add comparisons: (a > 1) + (b > 1).",
    ",": "A function takes one value, and numbers have a decimal point.",
    '"': "Close the quotes around the name.",
    "'": "Close the quotes around the name.",
    "`": "Close the quotes around the name.",
}


@dataclass(frozen=True)
class Token:
    """A word of an expression."""

    kind: str
    """``number``, ``name``, ``sign`` or ``end``; a name in quotes is ``quoted``, and never a function's."""
    text: str
    """A name without its quotes."""
    place: int
    """Its first character, counted from 1."""


def broken(rule: str, place: int, text: str, do: str = "") -> ConfigError:
    """Give the error for what is wrong at a place of an expression."""
    return ConfigError(f"{rule} at character {place}.", got=text, do=do)


def tokens(text: str) -> Iterator[Token]:
    """Give the tokens of an expression, the last of the kind ``end``.

    >>> [token.text for token in tokens('"total rooms" / 2.5')]
    ['total rooms', '/', '2.5', '']

    Raises:
        ConfigError: A character begins no token, or there are too many.
    """
    if len(text) > LONGEST:
        raise ConfigError(f"An expression has at most {LONGEST} characters.", got=len(text), do="Make two of it.")
    place = _past_blanks(text, 0)
    count = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _no_token(text, place)
        count += 1
        if count > MOST_TOKENS:
            raise ConfigError(f"An expression has at most {MOST_TOKENS} words and signs.", do="Make two of it.")
        yield Token(str(match.lastgroup), _bare(match), place + 1)
        place = _past_blanks(text, match.end())
    yield Token("end", "", len(text) + 1)


def _past_blanks(text: str, place: int) -> int:
    while place < len(text) and text[place].isspace():
        place += 1
    return place


def _bare(match: re.Match[str]) -> str:
    text = match.group()
    return text[1:-1].replace(2 * text[0], text[0]) if match.lastgroup == "quoted" else text


def _no_token(text: str, place: int) -> ConfigError:
    letter = text[place]
    if letter.isdigit() or letter == ".":
        do = "Quote a column's name that begins with a digit, and write numbers as 1000.5."
        return broken("There is no such number", place + 1, text, do)
    do = _HINTS.get(letter, "Quote a column's name that has other characters than letters and digits.")
    return broken(f"{letter!r} can't be read", place + 1, text, do)
