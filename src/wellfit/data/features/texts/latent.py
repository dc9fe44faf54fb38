"""Latent: a text is a short learned vector, in which texts with words that go together are near each other."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import polars as pl

from wellfit.data.features.texts.terms import Codes, Terms, terms_of
from wellfit.data.features.texts.vectorizer import Numbers, Vectorizer, inverse_frequency, unit_rows
from wellfit.registry import Entry, Option

__all__ = ["ENTRY", "Latent"]

MOST_TEXTS = 100_000
"""Training texts that the vectors are learned from, the first ones where there are more."""


class Latent(Vectorizer):
    """Weighed counts of the most frequent terms, projected on the directions in which training texts differ most."""

    def __init__(self, terms: Any, weight: Any, directions: Any, ngrams: int) -> None:
        self.terms = tuple(terms)
        """The vocabulary, sorted."""
        self.weight = np.asarray(weight, dtype=np.float64)
        """The inverse frequency of each term."""
        # Reshaped, since of no direction JSON keeps no shape.
        self.directions = np.asarray(directions, dtype=np.float64).reshape(len(directions), len(self.terms))
        """Float64 [direction, term]"""
        self.ngrams = ngrams

    @classmethod
    def fit(cls, series: pl.Series, **options: Any) -> Self:
        """Learn vocabulary, weights and directions."""
        from sklearn.decomposition import TruncatedSVD

        found = terms_of(series.head(MOST_TEXTS), options["ngrams"])
        terms = _most_frequent(found, options["terms"])
        counts = found.counts(_places(found.known, terms), len(terms))
        weight = inverse_frequency(counts)
        size = min(options["size"], len(terms) - 1, len(series) - 1)
        if size < 1:
            return cls(terms, weight, np.zeros((0, len(terms))), options["ngrams"])
        learned = TruncatedSVD(size, random_state=options["seed"]).fit(unit_rows(counts, weight))
        return cls(terms, weight, _rounded(learned.components_), options["ngrams"])

    def apply(self, series: pl.Series) -> Numbers:
        """Give each text's vector, float32 [row, direction]."""
        found = terms_of(series, self.ngrams)
        counts = found.counts(_places(found.known, self.terms), len(self.terms))
        return np.asarray(unit_rows(counts, self.weight) @ self.directions.T, dtype=np.float32)

    def names(self, column: str) -> list[str]:
        """Number the directions."""
        return [f"{column} theme {number}" for number in range(len(self.directions))]

    def as_dict(self) -> dict[str, Any]:
        """Give vocabulary, weights, directions and the longest run of words."""
        return {
            "terms": list(self.terms),
            "weight": self.weight.tolist(),
            "directions": self.directions.tolist(),
            "ngrams": self.ngrams,
        }


def _rounded(directions: Any) -> Any:
    """Give the digits that float32 has: all of them would make half of the plan."""
    return [[float(f"{weight:.8g}") for weight in direction] for direction in directions.tolist()]


def _most_frequent(found: Terms, most: int) -> list[str]:
    """Give the terms that stand most often, of equal ones the first by their text, sorted."""
    counts = np.bincount(found.code, minlength=len(found.known))
    order = np.argsort(-counts, kind="stable")[:most]
    return [found.known[place] for place in np.sort(order)]


def _places(known: list[str], terms: Any) -> Codes:
    place = {term: number for number, term in enumerate(terms)}
    return np.array([place.get(term, -1) for term in known], dtype=np.int64)


ENTRY = Entry(
    name="latent",
    summary="a short vector learned from which words go together in the training texts",
    make=Latent,
    options=(
        Option(name="size", default=64, kind="int", low=1, high=512, help="how long the vector is"),
        Option(name="terms", default=2000, kind="int", low=2, high=50_000, help="the most frequent terms are used"),
        Option(name="ngrams", default=1, kind="int", low=1, high=3, help="the longest run of words that is a term"),
        Option(name="seed", default=0, kind="int", low=0, high=2**32 - 1, help="seed of the decomposition"),
    ),
    formula="V^T x of x = U S V^T's training rows, x as in the text encoder hash",
    reference="scikit-learn TfidfVectorizer(max_features) and TruncatedSVD; Deerwester et al. 1990",
)
