"""Texts become the numbers that scikit-learn's vectorizers give."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer, TfidfVectorizer

from wellfit.data.features import FeaturePlan

WORDS = ["red", "blue", "green", "car", "house", "Tree", "naïve", "東京", "x9", "a", "I", "over", "under", "the"]


def texts(seed: int, rows: int = 120) -> list[str | None]:
    random = np.random.default_rng(seed)
    made = [", ".join(random.choice(WORDS, random.integers(0, 9))) + "!" for _ in range(rows)]
    return [None if random.random() < 0.1 else text for text in made]


def filled(given: list[str | None]) -> list[str]:
    return [text or "" for text in given]


@pytest.mark.parametrize("ngrams", [1, 2, 3])
def test_hashed_texts_are_scikit_learns(ngrams: int) -> None:
    train, other = texts(0), [*texts(1), "wholly new words"]
    hashed = HashingVectorizer(n_features=32, ngram_range=(1, ngrams), norm=None, alternate_sign=False)
    weigh = TfidfTransformer().fit(hashed.transform(filled(train)))
    plan = FeaturePlan.fit(pl.DataFrame({"t": train}), texts=["t"], text={"name": "hash", "size": 32, "ngrams": ngrams})
    expected = weigh.transform(hashed.transform(filled(other))).toarray()
    places = [int(name.removeprefix("t words ")) for name in plan.numeric_names]
    matrix = plan.apply(pl.DataFrame({"t": other})).numeric
    np.testing.assert_allclose(matrix, expected[:, places], rtol=1e-6, atol=1e-6)
    again = FeaturePlan.from_dict(json.loads(json.dumps(plan.as_dict(), allow_nan=False)))
    assert again.apply(pl.DataFrame({"t": other})).numeric.tobytes() == matrix.tobytes()


def test_learned_vectors_are_scikit_learns() -> None:
    train, other = texts(0), texts(1)
    weigh = TfidfVectorizer(max_features=9, ngram_range=(1, 2)).fit(filled(train))
    reduced = TruncatedSVD(4, random_state=0).fit(weigh.transform(filled(train)))
    text = {"name": "latent", "size": 4, "terms": 9, "ngrams": 2}
    plan = FeaturePlan.fit(pl.DataFrame({"t": train}), texts=["t"], text=text)
    assert plan.numeric_names == tuple(f"t theme {number}" for number in range(4))
    matrix = plan.apply(pl.DataFrame({"t": other})).numeric
    np.testing.assert_allclose(matrix, reduced.transform(weigh.transform(filled(other))), rtol=1e-5, atol=1e-6)
    again = FeaturePlan.from_dict(json.loads(json.dumps(plan.as_dict(), allow_nan=False)))
    assert again.apply(pl.DataFrame({"t": other})).numeric.tobytes() == matrix.tobytes()


@pytest.mark.parametrize("name", ["hash", "latent"])
@pytest.mark.parametrize("cells", [["one two", None], ["a b", "c"], ["same same", "same"], ["é", "日本 語 語語"]])
def test_odd_texts_stay_finite(name: str, cells: list[str | None]) -> None:
    frame = pl.DataFrame({"t": cells, "x": [1.0, 2.0]})
    plan = FeaturePlan.fit(frame, texts=["t"], text=name)
    for rows in (frame, pl.DataFrame({"t": ["", "new " * 50, "\0"], "x": [1.0, 2.0, 3.0]}), frame.head(0)):
        assert np.isfinite(plan.apply(rows).numeric).all()


def test_one_text_is_what_it_is_among_all() -> None:
    frame = pl.DataFrame({"t": texts(0)})
    plan = FeaturePlan.fit(frame, texts=["t"], text="hash")
    whole = plan.apply(frame).numeric
    for row in range(0, 120, 17):
        np.testing.assert_array_equal(plan.apply(frame[row]).numeric[0], whole[row])
