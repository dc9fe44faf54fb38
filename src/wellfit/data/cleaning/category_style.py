"""How a column writes its categories: what is missing, which spellings are one level, which are typing errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from wellfit.data.cleaning.categories import CategoryReader, spelling_of
from wellfit.data.cleaning.missing import absent_levels, is_missing_level
from wellfit.data.cleaning.settings import ColumnSettings
from wellfit.data.cleaning.spellings import same_forms
from wellfit.data.cleaning.typing_errors import typing_errors

__all__ = ["CategoryStyle", "category_style"]

MOST_FORMS = 5_000
"""Up to so many levels, new spellings of a level are recognised in later rows; beyond, those of the training rows."""

_TRUE = ("true", "t", "yes", "y", "on", "1", "1.0", "wahr", "ja", "oui", "si", "sí")
_FALSE = ("false", "f", "no", "n", "off", "0", "0.0", "falsch", "nein", "non")


@dataclass(frozen=True, kw_only=True)
class CategoryStyle:
    """The reader of a column of categories, and what its spellings are."""

    reader: CategoryReader
    forms: Mapping[str, str] = field(default_factory=dict)
    """Texts of the training rows that are read as another level, as only their form differs."""
    typos: Mapping[str, str] = field(default_factory=dict)
    """Levels that look like typing errors, with the level they mean."""
    cells: Mapping[str, int] = field(default_factory=dict)
    """How often each of those stands in the training rows."""


def category_style(counts: Mapping[str, int], settings: ColumnSettings) -> CategoryStyle:
    """Learn how categories are written from how often each text, without blanks around it, stands in training rows.

    >>> style = category_style({"yes": 40, "Y": 3, "no": 50, "N": 2}, ColumnSettings())
    >>> style.forms, style.reader.level("true")
    ({'Y': 'yes', 'N': 'no'}, 'yes')
    """
    absent, kept = absent_levels(counts)
    absent = tuple(dict.fromkeys((*(text for text in absent if text not in settings.keep), *settings.markers)))
    kept = tuple(dict.fromkeys((*kept, *settings.keep)))
    levels = {
        text: count for text, count in counts.items() if text in kept or not (text in absent or is_missing_level(text))
    }
    spelling = spelling_of(levels)
    if spelling != "text" or settings.spellings == "keep":
        return CategoryStyle(reader=CategoryReader(spelling=spelling, absent=absent, kept=kept))
    merged = _truths(levels)
    forms = {text: merged[text] for text in levels if merged.get(text, text) != text} if merged else same_forms(levels)
    grouped: Counter[str] = Counter()
    for text, count in levels.items():
        grouped[forms.get(text, text)] += count
    typos = {} if merged else typing_errors(grouped)
    if settings.spellings == "merge":
        merged = {**merged, **typos}
    known = tuple(sorted(grouped.keys() - (typos.keys() if settings.spellings == "merge" else ())))
    if len(known) > MOST_FORMS:
        known, merged = (), {**forms, **merged}
    reader = CategoryReader(levels=known, merged=merged, absent=absent, kept=kept)
    cells = {text: levels[text] for text in forms} | {text: grouped[text] for text in typos}
    return CategoryStyle(reader=reader, forms=forms, typos=typos, cells=cells)


def _truths(levels: Mapping[str, int]) -> dict[str, str]:
    """Give the level of each word for true and false, where a column says them in more than one way."""
    words = {text.casefold() for text in levels}
    sides = [[text for text in levels if text.casefold() in side] for side in (_TRUE, _FALSE)]
    if not all(sides) or len(words) < 3 or not words <= {*_TRUE, *_FALSE} or words <= {"0", "1", "0.0", "1.0"}:
        return {}
    merged = {}
    for side, words_of_side in zip(sides, (_TRUE, _FALSE), strict=True):
        level = max(side, key=lambda text: (levels[text], text))
        merged.update(dict.fromkeys((*words_of_side, *side), level))
    return merged
