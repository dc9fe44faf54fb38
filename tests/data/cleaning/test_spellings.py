from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellfit.data.cleaning import CleaningPlan
from wellfit.data.cleaning.spellings import form_of, same_forms
from wellfit.data.cleaning.typing_errors import edits_between, typing_errors

WIDE = "".join(chr(ord(letter) + 0xFEE0) for letter in "NEWYORK")


@pytest.mark.parametrize(
    "spelling",
    [
        *("New York", "NEW YORK", " new  york ", "New-York", "new_york", "New York.", '"New York"', "New\u00a0York"),
        *("N\u0435w York", WIDE, "Néw Yörk", "New\u200bYork", "NewYork", "new york;"),
    ],
)
def test_spellings_of_one_form(spelling: str) -> None:
    assert form_of(spelling) == "newyork"


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("A+", "A-"),
        ("A", "A+"),
        ("10-20", "1020"),
        ("1.5", "15"),
        ("<=50K", ">50K"),
        ("C", "C#"),
        ("1 2", "12"),
        ("-1", "1"),
    ],
)
def test_levels_that_signs_and_digits_tell_apart(one: str, two: str) -> None:
    assert form_of(one) != form_of(two)


def test_the_most_frequent_spelling_stands_for_all() -> None:
    counts = {"paris": 3, "Paris": 90, "PARIS ": 2, "Rome": 5}
    assert same_forms(counts) == {"paris": "Paris", "PARIS ": "Paris"}


def test_letters_in_both_cases_are_codes_where_both_are_frequent() -> None:
    assert same_forms({"a": 50, "A": 40, "b": 30, "B": 60, "c": 20}) == {}
    assert same_forms({"M": 50, "m": 2, "F": 60, "f": 3}) == {"m": "M", "f": "F"}


@pytest.mark.parametrize(
    ("error", "right"),
    [
        ("Amsterdma", "Amsterdam"),
        ("Amstrdam", "Amsterdam"),
        ("Ammsterdam", "Amsterdam"),
        ("Amstxrdam", "Amsterdam"),
        ("msterdam", "Amsterdam"),
        ("Amstredma", "Amsterdam"),
        ("credit crad", "credit card"),
        ("creditt card", "credit card"),
        ("rde", "red"),
    ],
)
def test_rare_slips_of_frequent_levels(error: str, right: str) -> None:
    assert typing_errors({"Amsterdam": 200, "credit card": 300, "red": 500, error: 2}) == {error: right}


@pytest.mark.parametrize(
    "counts",
    [
        {"north end": 50, "south end": 1, "north gate": 30, "south gate": 30},
        {"legal": 100, "illegal": 5},
        {"typical": 100, "atypical": 8},
        {"LAX": 900, "LEX": 1, "JFK": 500, "PHX": 300},
        {"mar": 20, "may": 2000},
        {"GasA": 900, "GasW": 20},
        {"N3AMAA": 30, "N3ACAA": 2},
        {"2Story": 100, "1Story": 5},
        {"Amsterdam": 20, "Amsterdan": 15},
        {"yes": 500, "no": 3},
    ],
)
def test_levels_that_are_no_slips(counts: dict[str, int]) -> None:
    assert typing_errors(counts) == {}


@given(st.text("abc", max_size=7), st.text("abc", max_size=7))
def test_edits_are_those_of_the_textbook(left: str, right: str) -> None:
    table = {(row, 0): row for row in range(len(left) + 1)} | {(0, column): column for column in range(len(right) + 1)}
    for row in range(1, len(left) + 1):
        for column in range(1, len(right) + 1):
            costs = [table[row - 1, column] + 1, table[row, column - 1] + 1]
            costs.append(table[row - 1, column - 1] + (left[row - 1] != right[column - 1]))
            if row > 1 and column > 1 and left[row - 1] == right[column - 2] and left[row - 2] == right[column - 1]:
                costs.append(table[row - 2, column - 2] + 1)
            table[row, column] = min(costs)
    assert edits_between(left, right, 7) == table[len(left), len(right)]


def cities() -> pl.DataFrame:
    city = ["Paris"] * 40 + ["Rome"] * 40 + ["PARIS", " rome", "Pairs", "Rmoe"]
    return pl.DataFrame({"city": city, "x": [0.5 * row for row in range(len(city))]})


@pytest.mark.parametrize(
    ("spellings", "levels"),
    [
        ("keep", {"Paris", "Rome", "PARIS", "rome", "Pairs", "Rmoe"}),
        ("suggest", {"Paris", "Rome", "Pairs", "Rmoe"}),
        ("merge", {"Paris", "Rome"}),
    ],
)
def test_the_setting_says_what_is_merged(spellings: str, levels: set[str]) -> None:
    plan = CleaningPlan.fit(cities(), spellings=spellings)
    assert set(plan.apply(cities())[0]["city"].to_list()) == levels
    for_one = CleaningPlan.fit(cities(), columns={"city": {"spellings": spellings}})
    assert set(for_one.apply(cities())[0]["city"].to_list()) == levels


def test_what_is_merged_and_proposed_is_said_and_undone_by_its_setting() -> None:
    plan = CleaningPlan.fit(cities())
    done, proposed = (finding for finding in plan.findings if finding.code == "inconsistent_spellings")
    assert done.evidence == {"cells": 2, "example": "rome", "applied": "yes"}
    assert proposed.evidence == {"cells": 2, "example": "Rmoe", "applied": "proposed"}
    assert (done.remedies[0].path, done.remedies[0].value) == ("clean.columns.city.spellings", "keep")
    assert proposed.remedies[0].value == "merge"
    assert plan.columns[0].proposed == {"Pairs": "Paris", "Rmoe": "Rome"}


def test_new_spellings_of_a_known_level_are_that_level() -> None:
    typed, report = CleaningPlan.fit(cities()).apply(
        pl.DataFrame({"city": ["ROME", "Oslo", "paris."], "x": [1.0, 2.0, 3.0]})
    )
    assert typed["city"].to_list() == ["Rome", "Oslo", "Paris"]
    assert report.columns["city"].counts() == {"merged": 2}


def test_words_for_true_and_false_in_several_ways_are_two_levels() -> None:
    cells = ["yes"] * 30 + ["no"] * 30 + ["Y", "N", "TRUE", "0", "1"]
    frame = pl.DataFrame({"answer": cells, "x": [0.5 * row for row in range(len(cells))]})
    typed, _ = CleaningPlan.fit(frame).apply(frame)
    assert typed["answer"].to_list()[60:] == ["yes", "no", "yes", "no", "yes"]
