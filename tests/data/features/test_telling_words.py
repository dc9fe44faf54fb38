"""Words of short texts: which are taken, which are not, and that a plan reads them in new rows."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from streamed import assert_equal, both
from wellfit.config import from_mapping
from wellfit.data.cleaning import CleaningPlan
from wellfit.data.cleaning.words import OTHER
from wellfit.data.features import Targets, telling_words
from wellfit.data.features.chance import chance_of
from wellfit.preparation import prepare
from wellfit.prepared import PreparedTable

ROWS = 400
NAMES = ("ford", "fiat", "audi", "volvo", "saab", "opel", "custom", "wagon", "deluxe", "sport", "van", "classic")


def names(rows: int, rng: Any) -> list[str]:
    return [" ".join((*rng.choice(NAMES, 3, replace=False), f"{number}")) for number in range(rows)]


def with_word(texts: list[str], word: str, rows: Any) -> list[str]:
    return [f"{text} ({word.title()})" if its else text for text, its in zip(texts, rows, strict=True)]


def cars(seed: int = 0, effect: float = 3.0, rows: int = ROWS) -> pl.DataFrame:
    """Give cars whose weight tells of their consumption, and one word of their names as well."""
    rng = np.random.default_rng(seed)
    weight, diesel = rng.normal(size=rows), rng.random(rows) < 0.06
    used = weight + 0.5 * rng.normal(size=rows) - effect * diesel
    return pl.DataFrame({"weight": weight, "name": with_word(names(rows, rng), "diesel", diesel), "used": used})


def prepared(frame: pl.DataFrame, target: str = "used", **sections: Any) -> PreparedTable:
    found = prepare(from_mapping({"data": {"target": target}, **sections}), frame)
    assert isinstance(found, PreparedTable)
    return found


def words_of(table: PreparedTable) -> dict[str, tuple[str, ...]]:
    return {
        its.name: its.reader.levels for its in table.cleaning.used if getattr(its.reader, "spelling", "") == "words"
    }


def test_a_word_that_tells_is_taken_and_read_in_new_rows() -> None:
    table = prepared(cars())
    assert words_of(table) == {"name": ("diesel",)}
    note = next(its for its in table.findings if its.where == "name" and its.code == "id_column")
    assert note.message.endswith("only whether it has a word that tells of the target is used: diesel.")
    again = CleaningPlan.from_dict(json.loads(json.dumps(table.cleaning.as_dict())))
    rows = pl.DataFrame({"weight": [1.0] * 5, "name": ["a DIESEL-car", "dieselesque", "?", None, "saab 7"]})
    assert again.apply(rows)[0]["name"].to_list() == ["diesel", OTHER, None, None, OTHER]


@pytest.mark.parametrize("classes", [2, 3])
def test_words_tell_of_classes(classes: int) -> None:
    rng = np.random.default_rng(1)
    boy = rng.random(ROWS) < 0.1
    ids = np.where(boy, classes - 1, rng.integers(0, classes, ROWS)).astype(np.float64)
    texts = pl.Series(with_word(names(ROWS, rng), "master", boy))
    found = telling_words(pl.DataFrame({"x": rng.normal(size=ROWS)}), {"name": texts}, Targets(ids, classes))
    assert found == {"name": ("master",)}


@pytest.mark.parametrize("draw", ["normal", "heavy", "rare class", "classes"])
def test_by_chance_hardly_a_word_is_taken(draw: str) -> None:
    taken = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        texts = [f"{text} {rng.integers(0, 40) * 'i'}" for text in names(ROWS, rng)]
        values: Any = {
            "normal": rng.normal(size=ROWS),
            "heavy": np.exp(3 * rng.normal(size=ROWS)),
            "rare class": (rng.random(ROWS) < 0.05).astype(float),
            "classes": rng.integers(0, 4, ROWS).astype(float),
        }[draw]
        targets = Targets(values, {"rare class": 2, "classes": 4}.get(draw, 0))
        taken += bool(telling_words(pl.DataFrame({"x": rng.normal(size=ROWS)}), {"name": pl.Series(texts)}, targets))
    assert taken <= 3


def test_chance_is_that_of_rows_drawn_at_random() -> None:
    rng = np.random.default_rng(0)
    values = np.where(rng.random(500) < 0.1, 1.0, 0.0)
    values -= values.mean()
    means = np.array([values[rng.choice(500, 6, replace=False)].sum() for _ in range(40_000)])
    for events in (2, 3, 4):
        rows = np.zeros(500, dtype=bool)
        rows[[*np.flatnonzero(values > 0)[:events], *np.flatnonzero(values < 0)[: 6 - events]]] = True
        drawn = float(np.mean(np.abs(means) >= abs(values[rows].sum()) - 1e-9))
        assert drawn / 3 < chance_of(rows, values[:, None]) < 3 * drawn
    assert chance_of(np.ones(500, dtype=bool), values[:, None]) == 1.0


def test_what_another_column_tells_is_not_taken() -> None:
    frame = cars()
    diesel = frame["name"].str.contains("Diesel")
    assert words_of(prepared(frame.with_columns(fuel=pl.when(diesel).then(pl.lit("d")).otherwise(pl.lit("p"))))) == {}


def test_few_rows_that_lie_far_out_decide_nothing() -> None:
    rng = np.random.default_rng(0)
    outliers = np.zeros(ROWS, dtype=bool)
    outliers[:6] = True
    values = rng.normal(size=ROWS) + np.where(np.arange(ROWS) == 0, 1e6, 0.0)
    texts = pl.Series(with_word(names(ROWS, rng), "rare", outliers))
    assert telling_words(pl.DataFrame(), {"name": texts}, Targets(values)) == {}


def test_several_words_and_columns_are_taken_the_strongest_first() -> None:
    rng = np.random.default_rng(0)
    draws = rng.random((3, 2_000))
    strong, weak, other = draws < 0.1
    texts = with_word(with_word(names(2_000, rng), "turbo", strong), "gti", weak)
    targets = Targets(rng.normal(size=2_000) + 3 * strong + 1.5 * weak - 2 * other)
    found = telling_words(
        pl.DataFrame(),
        {"name": pl.Series(texts), "seller": pl.Series(with_word(names(2_000, rng), "inc", other))},
        targets,
    )
    assert found == {"name": ("turbo", "gti"), "seller": ("inc",)}


def test_without_such_a_word_the_column_is_left_out_and_need_not_be_there() -> None:
    table = prepared(cars(effect=0.0))
    assert words_of(table) == {}
    assert [column.name for column in table.cleaning.used] == ["weight"]
    assert table.cleaning.apply(pl.DataFrame({"weight": [1.0]}))[0].columns == ["weight"]


def test_texts_that_are_often_missing_keep_that_they_are() -> None:
    frame = cars(1, rows=2 * ROWS).with_row_index()
    frame = frame.with_columns(name=pl.when(pl.col("index") % 2 == 0).then("name")).drop("index")
    levels = prepared(frame).cleaning.apply(frame)[0]["name"]
    assert set(levels.to_list()) == {"diesel", OTHER, None}
    assert levels.null_count() == ROWS


@pytest.mark.parametrize("effect", [3.0, 0.0])
def test_a_column_may_have_a_name_that_looks_like_a_pattern(effect: float) -> None:
    table = prepared(cars(effect=effect).rename({"name": "^name.*$"}))
    assert words_of(table) == ({"^name.*$": ("diesel",)} if effect else {})
    rows = pl.DataFrame({"weight": [1.0], "^name.*$": ["a diesel"]})
    assert table.cleaning.apply(rows)[0].width == 1 + bool(effect)


@pytest.mark.parametrize("kind", ["category", "text", "drop"])
def test_what_a_person_says_of_the_column_goes_before(kind: str) -> None:
    assert words_of(prepared(cars(), features={"columns": {"name": {"type": kind}}})) == {}


def test_groups_and_times_have_no_such_words() -> None:
    frame = cars().with_columns(group=pl.Series([number % 40 for number in range(ROWS)]))
    assert words_of(prepared(frame, split={"method": "group", "column": "group"})) == {}
    assert words_of(prepared(frame, split={"method": "random"})) == {"name": ("diesel",)}


def test_validation_and_test_rows_have_no_say() -> None:
    frame = cars()
    table = prepared(frame)
    train = table.frames["train"]
    there = frame["name"].is_in(train["name"].to_list())
    changed = frame.with_columns(used=pl.when(there).then("used").otherwise(-pl.col("used")))
    assert prepared(changed).frames["train"].equals(train)
    assert words_of(prepared(changed)) == words_of(table)


def test_in_batches_the_same_words_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "cars.csv"
    cars().write_csv(path)
    table, shards = both(str(path), "used")
    assert words_of(table) == {"name": ("diesel",)}
    assert_equal(table, shards)


def test_what_is_looked_for_does_not_hang_on_the_order_of_words() -> None:
    frame = cars()
    shuffled = [" ".join(random.Random(number).sample(its.split(), 4)) for number, its in enumerate(frame["name"])]
    assert words_of(prepared(frame.with_columns(name=pl.Series(shuffled)))) == {"name": ("diesel",)}


@pytest.mark.skipif("WELLFIT_DATA" not in os.environ, reason="WELLFIT_DATA is not set")
def test_of_the_titanic_the_boys_are_told() -> None:
    frame = pl.read_csv(Path(os.environ["WELLFIT_DATA"]) / "titanic/train.csv")
    assert words_of(prepared(frame, "Survived")) == {"Name": ("master",)}
