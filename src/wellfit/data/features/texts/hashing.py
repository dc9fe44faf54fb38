"""Hashing: the words of a text fall into a fixed number of columns, and rare ones weigh more."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import polars as pl

from wellfit.data.features.texts.terms import Codes, Terms, terms_of
from wellfit.data.features.texts.vectorizer import Numbers, Vectorizer, inverse_frequency, unit_rows
from wellfit.registry import Entry, Option

__all__ = ["ENTRY", "Hashing"]


class Hashing(Vectorizer):
    """Counts of hashed words and runs of words, weighed by how few training texts have them; each row of length 1.

    >>> texts = pl.Series(["red car", "blue car", None])
    >>> (Hashing.fit(texts, size=8, ngrams=1).apply(texts) > 0).sum(axis=1).tolist()
    [2, 2, 0]
    """

    def __init__(self, weight: Any, ngrams: int) -> None:
        self.weight = np.asarray(weight, dtype=np.float64)
        """The inverse frequency of each column."""
        self.ngrams = ngrams

    @classmethod
    def fit(cls, series: pl.Series, **options: Any) -> Self:
        """Learn how frequent the terms of each column are."""
        counts = _hashed(terms_of(series, options["ngrams"]), options["size"])
        return cls(inverse_frequency(counts), options["ngrams"])

    def apply(self, series: pl.Series) -> Numbers:
        """Give the weight of each column, float32 [row, column]."""
        counts = _hashed(terms_of(series, self.ngrams), len(self.weight))
        return np.asarray(unit_rows(counts, self.weight).toarray(), dtype=np.float32)

    def names(self, column: str) -> list[str]:
        """Number the columns."""
        return [f"{column} words {number}" for number in range(len(self.weight))]

    def as_dict(self) -> dict[str, Any]:
        """Give the weights and the longest run of words."""
        return {"weight": self.weight.tolist(), "ngrams": self.ngrams}


def _hashed(terms: Terms, size: int) -> Any:
    """Count the terms in the columns that their hashes name, sparse float64 [row, column]."""
    return terms.counts(_columns(terms.known, size), size)


def _columns(known: list[str], size: int) -> Codes:
    """Give the column of each term: its 32-bit MurmurHash3, taken as a signed number, without its sign."""
    from sklearn.utils import murmurhash3_32

    hashes = np.array([murmurhash3_32(term, seed=0) for term in known], dtype=np.int64)
    return np.abs(hashes) % size


ENTRY = Entry(
    name="hash",
    summary="words hashed into columns, those of few texts weighed more",
    make=Hashing,
    options=(
        Option(name="size", default=512, kind="int", low=2, high=65_536, help="how many columns there are"),
        Option(name="ngrams", default=1, kind="int", low=1, high=3, help="the longest run of words that is a term"),
    ),
    formula="count(term) (log((1 + n) / (1 + n_term)) + 1), each row of length 1",
    reference="scikit-learn HashingVectorizer(alternate_sign=False, norm=None) and TfidfTransformer",
)
