"""Free text: which columns hold it, and how their cells are read."""

from __future__ import annotations

import random

import polars as pl
import pytest

from wellfit.data.cleaning import CleaningPlan
from wellfit.data.cleaning.texts import TextReader, is_prose
from wellfit.errors import ContractError

WORDS = [
    *("the", "a", "of", "this", "that", "was", "very", "quite", "not", "car", "house"),
    *("price", "bad", "good", "old", "new", "small", "large", "near", "far"),
]


def sentences(rows: int, words: int, seed: int = 0) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=words)).capitalize() + f". {row}" for row in range(rows)]


@pytest.mark.parametrize(("words", "prose"), [(2, False), (4, False), (8, True), (40, True)])
def test_prose_has_many_words_a_cell(words: int, prose: bool) -> None:
    assert is_prose(pl.Series(sentences(100, words))) is prose


def test_keys_of_many_parts_are_no_prose() -> None:
    draw = random.Random(0)
    assert not is_prose(pl.Series([" ".join(str(draw.randrange(10**9)) for _ in range(8)) for _ in range(100)]))


def test_cells_are_stripped_and_markers_are_missing() -> None:
    cells = ["  It works. ", "N/A", "", None, "unknown", "none of it was as said"]
    read, counts = TextReader().read(pl.Series("t", cells))
    assert read.to_list() == ["It works.", None, None, None, None, "none of it was as said"]
    assert counts.missing == 4
    kept = TextReader(kept=("unknown",), absent=("It works.",)).read(pl.Series("t", cells))[0]
    assert kept.to_list() == [None, None, None, None, "unknown", "none of it was as said"]


def test_other_types_are_read_as_their_text_or_refused() -> None:
    assert TextReader().read(pl.Series("t", [1, None]))[0].to_list() == ["1", None]
    with pytest.raises(ContractError, match="'t' must hold text"):
        TextReader().read(pl.Series("t", [[1]]))


def test_the_plan_reads_the_same_texts_again() -> None:
    plan = CleaningPlan.fit(pl.DataFrame({"t": sentences(100, 12), "x": [str(row * 0.5) for row in range(100)]}))
    assert [(column.name, column.kind) for column in plan.columns] == [("t", "text"), ("x", "number")]
    again = CleaningPlan.from_dict(plan.as_dict())
    rows = pl.DataFrame({"t": [" A new one ", "?"], "x": ["1", "2"]})
    assert again.apply(rows)[0].to_dict(as_series=False) == {"t": ["A new one", None], "x": [1.0, 2.0]}


def test_a_person_may_say_so() -> None:
    frame = pl.DataFrame({"t": sentences(100, 3), "x": ["1", "2"] * 50})
    kinds = [CleaningPlan.fit(frame, columns=given).columns[0].kind for given in ({}, {"t": {"type": "text"}})]
    assert kinds == ["drop", "text"]
