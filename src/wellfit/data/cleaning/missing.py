"""What stands for a missing cell: the lists that every reader uses.

markers     ``?``, ``NA``, ``null``, ``-``: missing in every column, the target's too
words       ``unknown``, ``not available``, ``(blank)``: missing in every column but the target's, whose classes
            may well be called so
doubtful    ``none``, ``nil``: missing numbers and dates; in a category column the other levels tell
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping

__all__ = ["MARKERS", "absent_levels", "bare", "is_doubtful", "is_missing", "is_missing_level", "is_missing_number"]

MARKERS = frozenset(
    (
        *("", "?", "??", "???", "na", "n/a", "#n/a", "#na", "n.a.", "nan", "-nan", "+nan", "null", "nat", "-", "--"),
        *("<na>", "<null>", "(null)", "<nan>", "(blank)", "not available", "not_available", "not applicable"),
        *("undefined", "no data", "#value!", "#ref!", "#div/0!", "#name?", "#num!", "#null!"),
    )
)
"""Texts that stand for a missing cell in every column, in lower case."""

_WORDS = frozenset(
    (
        *("na", "n/a", "n.a", "n.a.", "n a", "n/d", "n.d.", "#n/a", "#na", "nan", "-nan", "+nan", "nat", "null"),
        *("nul", "\\n", "unknown", "unk", "unkn", "unknwn", "undefined", "undef", "unspecified"),
        *("unavailable", "unrecorded", "unset", "missing", "missing value", "missing data", "blank"),
        *("not available", "not applicable", "not known", "not given", "not specified", "not provided", "not stated"),
        *("not recorded", "not reported", "not set", "not a number", "not defined", "not entered", "not answered"),
        *("no data", "no value", "no answer", "no response", "no info", "no information", "no entry"),
        *("tbd", "tba", "tbc", "to be determined", "to be defined", "to be confirmed", "dont know", "don't know"),
        *("#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!", "#error!", "#name", "#ref", "#value", "#null"),
        *("unbekannt", "keine angabe", "k.a.", "k. a.", "k.a", "inconnu", "non renseigné", "desconocido", "sin datos"),
        *("s/d", "sconosciuto", "onbekend", "desconhecido", "不明", "未知", "неизвестно", "нет данных"),
    )
)

_JOINED = frozenset(word.replace(" ", "") for word in _WORDS)
_DOUBTFUL = frozenset(("none", "nil", "nothing", "void", "empty", "xxx", "xx"))

_BRACKETS = re.compile(r"[\"'`(\[{<]+(.*?)[\"'`)\]}>]+")
_JOINTS = re.compile(r"(?<=\w)[\s_\-]+(?=\w)")

DOUBT_RATIO = 3.0
"""A doubtful word is missing beside a marker that is no more than so much rarer: dirt of one source is mixed evenly,
while a level such as ``none`` is mostly the default of its column."""

ODD_SHARE = 0.1
"""A doubtful word in a case of its own is missing up to this share: a language's own ``None`` among ``paris``."""


def bare(text: str) -> str:
    """Give a text without what people put around a marker: case, blanks, brackets, quotes, joints.

    >>> bare(" (Not_Available) "), bare("<NA>"), bare("--"), bare("U.S.")
    ('not available', 'na', '--', 'u.s.')
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    text = text.strip().casefold()
    inner = _BRACKETS.fullmatch(text)
    return _JOINTS.sub(" ", inner[1].strip() if inner else text)


def is_missing(text: str) -> bool:
    """Say whether a text stands for a missing cell of any column.

    >>> is_missing(" N/A "), is_missing("none")
    (True, False)
    """
    return text.strip().casefold() in MARKERS


def is_missing_number(text: str) -> bool:
    """Say whether a text stands for a missing number or date; signs alone do.

    >>> is_missing_number("none"), is_missing_number("***"), is_missing_number("12")
    (True, True, False)
    """
    if "0" <= text[:1] <= "9":
        return False  # no marker begins so, and most texts that are asked about do
    word = bare(text)
    return word in _WORDS or word in _JOINED or word in _DOUBTFUL or not any(map(str.isalnum, word))


def is_missing_level(text: str) -> bool:
    """Say whether a text stands for a missing category, whatever the other levels are.

    >>> is_missing_level("Unknown"), is_missing_level("???"), is_missing_level("none"), is_missing_level("<none>")
    (True, True, False, True)
    """
    word = bare(text)
    if word in _DOUBTFUL:
        return text.strip()[:1] in ("(", "<", "[", "{")
    is_sign = len(set(word)) <= 1 and word[:1] in "?-\u2013\u2014_.*/~"
    return is_sign or word in _WORDS or word in _JOINED


def is_doubtful(text: str) -> bool:
    """Say whether a text is a missing marker in some columns and a level in others."""
    return bare(text) in _DOUBTFUL


def absent_levels(counts: Mapping[str, int]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tell levels from markers where the text alone doesn't: which doubtful ones are missing, which markers are levels.

    A minus among ``+`` is a level; ``none`` is missing beside markers that are as frequent, or in another case than
    every level.

    Args:
        counts: How often each text stands in the training rows.

    >>> absent_levels({"a": 50, "b": 40, "?": 4, "none": 5}), absent_levels({"+": 10, "-": 8})
    ((('none',), ()), ((), ('-',)))
    """
    signs = {text.strip() for text in counts}
    kept = tuple(text for text in counts if text.strip() in ("-", "\u2013", "\u2212") and "+" in signs)
    doubtful = [text for text in counts if is_doubtful(text) and not is_missing_level(text)]
    if not doubtful:
        return (), kept
    markers = [count for text, count in counts.items() if text.strip() and text not in kept and is_missing_level(text)]
    levels = [text for text in counts if not is_missing_level(text) and not is_doubtful(text)]
    allowed, few = DOUBT_RATIO * max(markers, default=0), ODD_SHARE * sum(counts.values())
    total: Counter[str] = Counter()
    for text in doubtful:
        total[bare(text)] += counts[text]
    odd = {word for word in total if all(_odd(text, levels) for text in doubtful if bare(text) == word)}
    # All forms of one word are the same: NONE is a level where none is.
    absent = {word for word, count in total.items() if count <= allowed or (count <= few and word in odd)}
    return tuple(text for text in doubtful if bare(text) in absent), kept


def _odd(text: str, levels: Iterable[str]) -> bool:
    styles = {_style(level) for level in levels if any(map(str.isalpha, level))}
    return bool(styles) and _style(text) not in styles


def _style(text: str) -> str:
    letters = "".join(filter(str.isalpha, text))
    return "lower" if letters.islower() else "upper" if letters.isupper() and len(letters) > 1 else "title"
