"""Levels that look like typing errors: rare, and a few edits from a frequent one.

One edit (a letter too many, too few or another, two neighbours swapped) is allowed in a word of four letters or more,
two from eight letters on. Digits, short codes in capitals and words that stand in other levels too are never errors.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache

from wellfit.data.cleaning.spellings import plain

__all__ = ["edits_between", "typing_errors"]

RARITY, RARITY_LONG = 0.2, 0.5
"""A typing error is at most so frequent beside the right form, since real levels that differ in a letter are mostly
nearer; among long names, which are seldom one letter apart, so frequent."""

CERTAINLY = 0.01
"""A candidate so much rarer than another is not looked at."""

LONG = 10
"""Letters from which on a name is long."""

RARITY_SHORT, RARITY_LETTER = 0.05, 0.01
"""The same for words of three letters, with a letter too many or too few, and with another letter: many real words are
one letter away from another."""

SHORT = 6
"""Letters of a whole level from which on the other words vouch for a word of three letters; two more for one of two."""

CODE = 4
"""Up to so many capitals are a code, such as ``LAX`` and ``LEX``, and not a word."""

TWO_EDITS = 8
"""Letters from which on two edits are allowed."""

MOST_LEVELS = 20_000
"""Beyond so many levels, a column is no list of categories that somebody typed."""

_WORDS = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")
_SPACED = re.compile(r"[\s_\-./,&]+")
_CALENDAR = frozenset(
    (
        *("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "june", "july", "march"),
        *("mon", "tue", "wed", "thu", "fri", "sat", "sun", "sunday", "monday"),
    )
)
_PREFIXES = frozenset(
    ("un", "in", "im", "ir", "il", "non", "dis", "anti", "de", "re", "pre", "a", "ab", "sub", "sup", "bi", "tri")
)
"""Beginnings that turn a word into another one: legal and illegal, typical and atypical."""


def typing_errors(counts: Mapping[str, int]) -> dict[str, str]:
    """Give the level that each rare level is a misspelling of; digits never differ in one.

    Args:
        counts: How often each level stands in the training rows, its forms already taken together.

    >>> typing_errors({"Amsterdam": 80, "Amsterdma": 2, "Rotterdam": 60, "north end": 40, "south end": 1})
    {'Amsterdma': 'Amsterdam'}
    """
    if len(counts) > MOST_LEVELS:
        return {}
    words = {text: tuple(_WORDS.findall(plain(text))) for text in counts}
    common = _common_words(words, counts)
    neighbours = _Neighbours(words, counts)
    found = {}
    for text in counts:
        right = _right_form(text, words, counts, common, neighbours)
        if right is not None:
            found[text] = right
    # A misspelling of a misspelling is one of the right form.
    return {text: found.get(right, right) for text, right in found.items()}


def _common_words(words: Mapping[str, tuple[str, ...]], counts: Mapping[str, int]) -> dict[str, int]:
    """Count each word over the levels that have it: a word that stands in several levels is no slip."""
    common: dict[str, int] = defaultdict(int)
    for text, parts in words.items():
        for part in set(parts):
            common[part] += counts[text]
    return common


class _Neighbours:
    """Levels that may be a few edits away, found by what is left of them when letters are dropped."""

    def __init__(self, words: Mapping[str, tuple[str, ...]], counts: Mapping[str, int]) -> None:
        self._left: dict[str, list[str]] = defaultdict(list)
        rarest = min(counts.values(), default=0)
        for text, parts in words.items():
            if counts[text] * RARITY_LONG >= rarest:
                for rest in _dropped("".join(parts)):
                    self._left[rest].append(text)

    def of(self, parts: tuple[str, ...]) -> set[str]:
        return {text for rest in _dropped("".join(parts)) for text in self._left.get(rest, ())}


def _dropped(word: str) -> Iterator[str]:
    """Give a word with none, one and, if it is long, two letters left out."""
    once = {word[:at] + word[at + 1 :] for at in range(len(word))}
    yield word
    yield from once
    if len(word) >= TWO_EDITS and len(word) <= 24:
        yield from {rest[:at] + rest[at + 1 :] for rest in once for at in range(len(rest))} - once


def _right_form(
    text: str,
    words: Mapping[str, tuple[str, ...]],
    counts: Mapping[str, int],
    common: Mapping[str, int],
    neighbours: _Neighbours,
) -> str | None:
    edits: dict[str, int] = {}
    top = ""
    frequent = [level for level in neighbours.of(words[text]) if counts[text] <= RARITY_LONG * counts[level]]
    for other in sorted(frequent, key=lambda level: (-counts[level], level)):
        ratio = counts[other] / counts[top] if top else 1.0
        if ratio < CERTAINLY:
            break
        share = counts[text] / counts[other]
        if _differ_in_code(text, other):
            continue
        # A level that is rare beside another candidate, and a slip of it, is itself a misspelling.
        if ratio < RARITY and _slips(words[other], words[top], common, ratio) is not None:
            continue
        found = _slips(words[text], words[other], common, share)
        clear = sum(map(len, words[other])) >= LONG or _is_swap_or_double(words[text], words[other])
        if found is not None and (share <= RARITY or (found == 1 and clear)):
            edits[other] = found
            top = top or other
    return min(
        edits, key=lambda other: _unlikeness(words[text], words[other], edits[other], counts[other]), default=None
    )


def _unlikeness(ours: tuple[str, ...], theirs: tuple[str, ...], edits: int, count: int) -> tuple[object, ...]:
    """Rank a candidate: by edits, then the same letters, a letter lost and not added, the same first letter."""
    our, their = "".join(ours), "".join(theirs)
    return edits, sorted(our) != sorted(their), len(our) > len(their), our[0] != their[0], -count, their


def _is_swap_or_double(ours: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    """Say whether two neighbouring letters of a level that is not short were swapped, or one was doubled or halved."""
    our, their = "".join(ours), "".join(theirs)
    if len(our) == len(their) or len(their) < SHORT:
        return len(their) >= SHORT and sorted(our) == sorted(their)
    longer, shorter = (our, their) if len(our) > len(their) else (their, our)
    doubled = (at for at in range(1, len(longer)) if longer[at] == longer[at - 1])
    return any(longer[:at] + longer[at + 1 :] == shorter for at in doubled)


def _slips(ours: tuple[str, ...], theirs: tuple[str, ...], common: Mapping[str, int], share: float) -> int | None:
    """Count the edits that turn one level into another, None where a word differs that is right by itself."""
    if len(ours) != len(theirs):
        return _joined_slips(ours, theirs)
    pairs = [(our, their) for our, their in zip(ours, theirs, strict=True) if our != their]
    letters = sum(map(len, theirs))
    least = 2 if letters >= SHORT + 2 and share <= RARITY_LETTER else 3
    edits = [_slip(our, their, share, least, alone=letters < SHORT) for our, their in pairs]
    most = RARITY_LONG if letters >= SHORT else RARITY
    if not edits or None in edits or any(common[our] > most * common[their] for our, their in pairs):
        return None
    total = sum(edit for edit in edits if edit is not None)
    return total if total <= 2 else None


def _differ_in_code(left: str, right: str) -> bool:
    """Say whether two levels differ in a part that is a code, such as ``GasA`` and ``GasW``, ``N3AA`` and ``N3AB``."""
    ours, theirs = _parts(left), _parts(right)
    if any(part not in ours and _is_code(part) for part in theirs):
        return True
    pairs = zip(ours, theirs, strict=True) if len(ours) == len(theirs) else ()
    return any(_differ_in_capital(our, their) for our, their in pairs if our != their)


@lru_cache(maxsize=MOST_LEVELS)
def _parts(text: str) -> tuple[str, ...]:
    return tuple(_SPACED.split(text))


@lru_cache(maxsize=MOST_LEVELS)
def _is_code(part: str) -> bool:
    digits, letters = any(map(str.isdigit, part)), any(map(str.isalpha, part))
    capitals = len(part) <= CODE and any(map(str.isupper, part[1:]))
    return capitals or (digits and letters)


def _differ_in_capital(our: str, their: str) -> bool:
    """Say whether a capital within a word is another one: ``FuseA`` and ``FuseP``."""
    if len(our) != len(their) or their.isupper():
        return False
    apart = [place for place, two in enumerate(their) if our[place].casefold() != two.casefold()]
    return len(apart) == 1 and apart[0] > 0 and their[apart[0]].isupper()


def _joined_slips(ours: tuple[str, ...], theirs: tuple[str, ...]) -> int | None:
    """Compare levels of which one has a blank too many or too few."""
    if abs(len(ours) - len(theirs)) != 1 or max(len(ours), len(theirs)) > 6:
        return None
    our, their = "".join(ours), "".join(theirs)
    return 1 if len(their) >= TWO_EDITS and their.isalpha() and edits_between(our, their, 1) == 1 else None


def _slip(our: str, their: str, share: float, least: int, *, alone: bool) -> int | None:
    """Give the number of edits between two words, None where they are too many, or make another word."""
    if len(their) < least or not their.isalpha() or _is_prefixed(our, their, share):
        return None
    if {our, their} <= _CALENDAR:
        return None
    if alone and len(their) == 3 and share > (RARITY_SHORT if len(our) != 3 else RARITY_LETTER):
        return None
    most = 2 if len(their) >= TWO_EDITS else 1
    edits = edits_between(our, their, most)
    return edits if 0 < edits <= most else None


def _is_prefixed(our: str, their: str, share: float) -> bool:
    longer, shorter = (our, their) if len(our) > len(their) else (their, our)
    prefix = longer.removesuffix(shorter) if longer.endswith(shorter) else ""
    return len(shorter) >= 4 and prefix in _PREFIXES and (len(prefix) > 1 or share > RARITY_SHORT)


def edits_between(left: str, right: str, most: int) -> int:
    """Count insertions, deletions, substitutions and swaps of neighbours (optimal string alignment), up to a limit.

    >>> edits_between("amsterdma", "amsterdam", 2), edits_between("east", "west", 1)
    (1, 2)
    """
    if abs(len(left) - len(right)) > most:
        return most + 1
    before, above = [0] * (len(right) + 1), list(range(len(right) + 1))
    for row, letter in enumerate(left, 1):
        current = [row]
        for column, other in enumerate(right, 1):
            cost = min(above[column] + 1, current[column - 1] + 1, above[column - 1] + (letter != other))
            if row > 1 and column > 1 and letter == right[column - 2] and left[row - 2] == other:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        before, above = above, current
    return above[-1]
