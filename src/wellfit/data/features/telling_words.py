"""Which words of short texts tell of the target what the other columns do not: found on training rows.

Of names, titles and part numbers hardly two are equal, and yet a word of them may tell much: that a car is a diesel,
that a passenger is a boy.

Legend: ``n`` rows, ``o`` outputs, ``t`` terms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from wellfit.data.cleaning.words import words_in
from wellfit.data.features.chance import chance_of
from wellfit.data.features.crosses.additive import GroupMeans, left_by_curves, unexplained
from wellfit.data.features.crosses.nearest import of_nearest
from wellfit.data.features.crosses.values import Floats, outputs_of, values_of
from wellfit.data.features.selection import sampled_rows
from wellfit.data.features.targets import Targets

__all__ = ["telling_words"]

Flags = np.ndarray[Any, np.dtype[np.bool_]]

FEWEST_ROWS = 100
MOST_ROWS = 10_000
"""Rows that are looked at: a third of a second's work of one core."""
FEWEST_CELLS = 5
"""Rows that must have a word, and rows that must not."""
MOST_TERMS = 2_000
"""Words of a column that are looked at, the most frequent ones."""
MOST_WORDS = 8
"""Words of a column that are taken."""
CHANCE = 0.01
"""How often a word would be taken although none tells anything."""
MATTERS = 0.01
"""The share of what is left that a word has to explain."""
PRIORS = (3.0, 20.0)
"""For how many rows the overall mean stands where the mean of a word's rows is taken."""


def telling_words(typed: pl.DataFrame, texts: Mapping[str, pl.Series], targets: Targets) -> dict[str, tuple[str, ...]]:
    """Give the words of each column that tell something, the strongest first; columns without any are left out.

    What curves over the other columns and the nearest rows tell of the target is taken out first, as for crosses. A
    word then has to be surer than the surest of as many words would be by chance (Bonferroni), numbers by their normal
    scores, so that a few outlying rows decide nothing; and it has to explain a share of what is left, each row being
    foretold by the other rows that have the word. One word is taken after the other, of rows that have none yet.

    Args:
        typed: The typed training rows of the columns that are used.
        texts: The texts of the same rows, null where a cell is missing, by column.
        targets: The targets of the rows.

    >>> rng = np.random.default_rng(0)
    >>> diesel, made = rng.random(400) < 0.05, rng.normal(size=400)
    >>> names = [f"car {number}{' diesel' if its else ''}" for number, its in enumerate(diesel)]
    >>> telling_words(pl.DataFrame(), {"name": pl.Series(names)}, Targets(made + 3 * diesel))
    {'name': ('diesel',)}
    """
    rows = sampled_rows(targets, len(targets))
    if len(rows) < FEWEST_ROWS:
        return {}
    if len(rows) > MOST_ROWS:
        rows = np.sort(np.random.default_rng(0).choice(rows, MOST_ROWS, replace=False))
    wanted = outputs_of(targets[rows])
    left = _left(typed[rows] if typed.width else typed, wanted)
    has = {name: _having(series[rows].to_list()) for name, series in texts.items()}
    tried = sum(map(len, has.values())) * wanted.shape[1]
    if not tried:
        return {}
    found = {}
    for name, rows_of in has.items():
        words, left = _taken(rows_of, left, CHANCE / tried, ranked=not targets.classes)
        if words:
            found[name] = tuple(words)
    return found


def _left(typed: pl.DataFrame, wanted: Floats) -> Floats:
    """Give what the columns leave of the target, [n, o]."""
    columns = list(values_of(typed.get_columns()))
    if not columns:
        return np.asarray(wanted - wanted.mean(axis=0))
    curves = wanted - left_by_curves([its.steps for its in columns], wanted)
    return unexplained(wanted, np.concatenate([curves, of_nearest(columns, wanted)], axis=1))


def _having(texts: list[str | None]) -> dict[str, Flags]:
    """Give which rows have a word, bool [n], for each word that enough rows have and enough have not."""
    words = [set() if text is None else set(words_in(text)) for text in texts]
    counts = Counter(word for its in words for word in its)
    enough = [word for word, count in counts.items() if FEWEST_CELLS <= count <= len(texts) - FEWEST_CELLS]
    common = sorted(enough, key=lambda word: (-counts[word], word))[:MOST_TERMS]
    return {word: np.array([word in its for its in words]) for word in common}


def _taken(has: Mapping[str, Flags], left: Floats, sure: float, *, ranked: bool) -> tuple[list[str], Floats]:
    """Take words of a column as long as they tell something; give them and what they leave."""
    taken: list[str] = []
    free = np.ones(len(left), dtype=bool)
    open_ = dict(has)
    while len(taken) < MOST_WORDS:
        best = _surest({word: rows & free for word, rows in open_.items()}, left, sure, ranked=ranked)
        if best is None:
            break
        word, left = best
        taken.append(word)
        free &= ~open_.pop(word)
    return taken, left


def _surest(has: Mapping[str, Flags], left: Floats, sure: float, *, ranked: bool) -> tuple[str, Floats] | None:
    """Give the surest of the words that explain enough, and what it leaves."""
    scores = _scores(left) if ranked else left - left.mean(axis=0)
    chances = {word: its for word, rows in has.items() if (its := chance_of(rows, scores, sure)) < sure}
    for word in sorted(chances, key=lambda word: (chances[word], word)):
        rest = _without(has[word], left)
        if float((rest**2).sum()) < (1.0 - MATTERS) * float(((left - left.mean(axis=0)) ** 2).sum()):
            return word, rest
    return None


def _scores(left: Floats) -> Floats:
    """Give the normal scores of what is left, [n, o] (van der Waerden 1952)."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    return np.asarray(ndtri(rankdata(left, axis=0) / (len(left) + 1)))


def _without(rows: Flags, left: Floats) -> Floats:
    """Give what is left where a word's rows have a mean of their own, by the prior that leaves least."""
    rests = (left - GroupMeans(rows.astype(np.int64), prior).of_others(left) for prior in PRIORS)
    return min(rests, key=lambda rest: float((rest**2).sum()))
