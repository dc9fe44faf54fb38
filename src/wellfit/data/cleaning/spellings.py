"""Spellings of one category: ``new-york``, ``New  York`` and ``NEW_YORK`` differ only in how they are written.

Case, blanks, hyphens, accents, quotes, Unicode forms and a final point make no other category.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

__all__ = ["form_of", "levels_by_form", "plain", "same_forms"]

CODES_SHARE = 0.25
"""Single letters in both cases are one letter where one of the cases is at most so frequent beside the other."""

_HIDDEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_LOOKALIKES = str.maketrans(
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456",
    "ABEKMHOPCTXaeopcyxi",
)
"""Cyrillic letters that look like Latin ones, for words that mix both."""
_APOSTROPHES = re.compile("['\u2018\u2019\u02bc`\u00b4]")
_JOINTS = re.compile(r"(?<=[^\W\d_])[\s_\-\u2010-\u2015./,&]+(?=\w)|(?<=\d)[\s_\-\u2010-\u2015./,&]+(?=[^\W\d_])")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s_\u2010-\u2015\-]+(?=\d)")
_BLANKS = re.compile(r"(?<!\d)[\s_]+|[\s_]+(?!\d)")
_EDGES = re.compile(r"^[\s\"'.,;:_]+|[\s\"'.,;:_]+$")


def form_of(text: str) -> str:
    """Give what a level is without the way it is written; levels of one form are one category.

    >>> form_of("New-York"), form_of(" new  york. "), form_of("São Paulo"), form_of("A+"), form_of("10-20")
    ('newyork', 'newyork', 'saopaulo', 'a+', '10 20')
    """
    return _BLANKS.sub("", _JOINTS.sub("", _BETWEEN_DIGITS.sub(" ", plain(text)))) or text


def plain(text: str) -> str:
    """Give a text in lower case, without accents, hidden letters, apostrophes, and signs at its ends.

    >>> plain(" Café de l'Europe. ")
    'cafe de leurope'
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", _HIDDEN.sub("", text))
        text = "".join(letter for letter in unicodedata.normalize("NFD", text) if unicodedata.category(letter) != "Mn")
        text = text.translate(_LOOKALIKES) if re.search("[A-Za-z]", text) else text
    return _APOSTROPHES.sub("", _EDGES.sub("", text)).casefold()


def same_forms(counts: Mapping[str, int], *, letters: int = 2) -> dict[str, str]:
    """Give the level that stands for every level of its form: the most frequent one.

    Single letters in both cases stay apart where both are frequent, and there are more than so many different letters:
    they are codes.

    >>> same_forms({"Paris": 90, "paris": 5, " PARIS": 2, "Rome": 50})
    {'paris': 'Paris', ' PARIS': 'Paris'}
    """
    forms: dict[str, list[str]] = defaultdict(list)
    for text in counts:
        forms[form_of(text)].append(text)
    usual = _usual_style(counts)
    groups = [
        sorted(texts, key=lambda text: (-counts[text], _style(text) != usual, text))
        for texts in forms.values()
        if len(texts) > 1
    ]
    codes = sum(len(form) == 1 for form in forms) > letters
    merged: dict[str, str] = {}
    for texts in groups:
        if codes and _are_codes(texts, counts):
            continue
        merged.update(dict.fromkeys(texts[1:], texts[0]))
    return {text: merged[text] for text in counts if text in merged}


def _usual_style(counts: Mapping[str, int]) -> tuple[bool, ...]:
    """Give how most cells are written, which settles what two equally frequent spellings become."""
    styles: Counter[tuple[bool, ...]] = Counter()
    for text, count in counts.items():
        styles[_style(text)] += count
    return max(styles, key=lambda style: (styles[style], style), default=())


def _style(text: str) -> tuple[bool, ...]:
    return text.islower(), text.isupper(), text.istitle(), text.isascii(), "_" in text, _EDGES.sub("", text) == text


def _are_codes(texts: list[str], counts: Mapping[str, int]) -> bool:
    letter = _EDGES.sub("", texts[0])
    cased = [text for text in texts[1:] if _EDGES.sub("", text) != letter]
    return len(form_of(letter)) == 1 and any(counts[text] > CODES_SHARE * counts[texts[0]] for text in cased)


def levels_by_form(levels: Iterable[str]) -> dict[str, str]:
    """Give the level of each form; forms that several levels share are left out, as those are levels of their own.

    >>> levels_by_form(["Paris", "a", "A"])
    {'paris': 'Paris'}
    """
    forms: dict[str, list[str]] = defaultdict(list)
    for level in levels:
        forms[form_of(level)].append(level)
    return {form: found[0] for form, found in forms.items() if len(found) == 1}
