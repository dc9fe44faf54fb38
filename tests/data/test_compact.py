"""Text that is held compactly is text in every respect, and a table of it is prepared as one of plain text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal, assert_series_equal
from tests.strategies import HOSTILE_CELLS

from wellfit.config import from_mapping
from wellfit.data.cleaning import TargetPlan
from wellfit.data.cleaning.categories import CategoryReader
from wellfit.data.cleaning.contract import ColumnContract
from wellfit.data.cleaning.duplicates import row_hashes
from wellfit.data.compact import as_text, compact_text, has_one_value, is_compact, is_worded, numbered, translated
from wellfit.data.sources.fingerprint import content_checksum
from wellfit.preparation import prepare_table
from wellfit.prepared import PreparedTable

TEXTS = st.lists(st.one_of(st.none(), st.sampled_from(HOSTILE_CELLS), st.sampled_from("abc")), min_size=1, max_size=30)


def _compact(texts: pl.Series, levels: int | None = None) -> pl.Series:
    return texts.cast(compact_text(levels))


@given(TEXTS)
def test_cells_are_translated_as_a_dictionary_does(texts: list[str | None]) -> None:
    series = _compact(pl.Series("a", texts, dtype=pl.String))
    levels = {text: None if not text.strip() else text.upper() for text in texts if text is not None}
    expected = [None if text is None else levels[text] for text in texts]
    found = translated(series, levels)
    assert found.to_list() == expected
    assert is_compact(found)
    places = {text: place for place, text in enumerate(levels)}
    assert numbered(series, places, -1).tolist() == [-1 if text is None else places[text] for text in texts]


def test_an_unchanged_column_is_not_copied() -> None:
    series = _compact(pl.Series("a", ["x", None, "y"]))
    assert translated(series, {"x": "x", "y": "y"}) is series


@pytest.mark.parametrize(("levels", "physical"), [(255, pl.UInt8), (256, pl.UInt16), (70_000, pl.UInt32)])
def test_codes_take_as_few_bytes_as_the_levels_need(levels: int, physical: type[pl.DataType]) -> None:
    texts = pl.Series("a", [str(level) for level in range(levels)])
    series = _compact(texts, levels)
    assert series.to_physical().dtype == physical
    assert translated(series, {text: f"{text}!" for text in texts}).to_list() == [f"{text}!" for text in texts]


def test_only_text_of_ours_is_compact() -> None:
    theirs = pl.Series("a", ["x"], dtype=pl.Categorical)
    assert [is_compact(theirs), is_worded(theirs), is_worded(pl.Series(["x"])), is_worded(pl.Series([1]))] == [
        *(False, False, True, False)
    ]
    assert has_one_value(_compact(pl.Series(["x", "x"])))
    assert not has_one_value(_compact(pl.Series(["x", "y"])))


def test_what_is_learned_of_a_column_is_the_same() -> None:
    draw = np.random.default_rng(0)
    texts = pl.Series("a", ["Paris", "paris", "Rome", "?", None, "Pariss", "1"]).gather(draw.integers(0, 7, 2_000))
    compact = _compact(texts)
    reader = CategoryReader(levels=("Paris", "Rome"), merged={"Pariss": "Paris"})
    (read, counts), (read_of_text, counts_of_text) = reader.read(compact), reader.read(texts)
    assert_series_equal(as_text(read), read_of_text)
    assert counts == counts_of_text
    contract = ColumnContract.learn(read)
    assert contract == ColumnContract.learn(read_of_text)
    assert contract.compare(read.head(900)) == contract.compare(read_of_text.head(900))
    assert content_checksum(compact.to_frame()) == content_checksum(texts.to_frame())
    plan, plan_of_text = TargetPlan.fit(compact), TargetPlan.fit(texts)
    assert plan == plan_of_text
    assert plan.encode(compact)[0].tolist() == plan.encode(texts)[0].tolist()


def test_rows_are_hashed_alike_in_parts_and_over_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.data.cleaning.duplicates.ROWS_AT_ONCE", 7)
    frame = pl.DataFrame({"a": ["x", "y", None, "x", "z"] * 9, "b": [1.0, None, 2.0, 1.0, 3.0] * 9})
    assert row_hashes(frame).to_list() == frame.hash_rows(0).to_list()
    one, two = (frame.with_columns(_compact(frame["a"].reverse()).reverse()) for _ in range(2))
    assert row_hashes(one).to_list() == row_hashes(two).to_list()


def _table(folder: Path, rows: int = 2_500) -> Path:
    draw = np.random.default_rng(1)
    cities = pl.Series(["Paris", "paris", "Rome", "Oslo", "?", "", "Parris", "unknown"])
    columns = {
        "age": pl.Series(draw.integers(18, 90, rows)).cast(pl.String),
        "income": pl.Series(np.round(draw.lognormal(8, 1, rows), 2)).cast(pl.String),
        "city": cities.gather(draw.choice(8, rows, p=[0.4, 0.1, 0.2, 0.2, 0.04, 0.04, 0.005, 0.015])),
        "since": pl.Series([f"20{year:02}-0{month}-11" for year in range(5) for month in range(1, 9)]).gather(
            draw.integers(0, 40, rows)
        ),
        "price": pl.Series(["$5", "$7", "$1000", ""]).gather(draw.integers(0, 4, rows)),
        "zip code": pl.Series([f"{code:05}" for code in range(50)]).gather(draw.integers(0, 50, rows)),
        "dirty": pl.Series([*map(str, draw.integers(0, 9_999, rows - 1)), "?"]),
        "constant": pl.Series(["one"] * rows),
        "paid": pl.Series(["yes", "no", "No"]).gather(draw.integers(0, 3, rows)),
    }
    columns["copy of city"] = columns["city"]
    frame = pl.DataFrame(columns)
    path = folder / "t.csv"
    pl.concat([frame, frame.head(20)]).write_csv(path, quote_style="never")
    return path


def _prepared(path: Path, settings: dict[str, Any], fewest_bytes: int, patch: pytest.MonkeyPatch) -> PreparedTable:
    patch.setattr("wellfit.data.sources.delimited.FEWEST_BYTES", fewest_bytes)
    return prepare_table(from_mapping({"version": 1, "data": {"source": str(path), "target": "paid"}, **settings}))


def _told(prepared: PreparedTable) -> list[dict[str, Any]]:
    """Give the findings; of copies without the example, whose cells are shown as they are held."""
    found = [finding.as_dict() for finding in prepared.findings]
    for one in found:
        if one["code"] == "duplicate_rows":
            one["message"], one["evidence"] = "", one["evidence"] | {"example": ""}
    return found


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"clean": {"spellings": "merge", "missing": "most_frequent"}, "features": {"encode": "target"}},
        {"clean": {"duplicates": "keep", "missing": {"name": "constant", "value": 3}}},
        {"clean": {"columns": {"age": {"markers": ["18"]}, "city": {"keep": ["?"]}}, "types": "keep"}},
        {"features": {"columns": {"age": {"type": "category"}, "income": {"type": "text"}, "since": {"type": "drop"}}}},
        {"split": {"method": "group", "column": "city"}},
        {"split": {"method": "time", "column": "since"}},
    ],
    ids=["auto", "merged and filled", "copies kept", "markers", "types", "by group", "by time"],
)
def test_a_table_is_prepared_as_if_it_were_plain_text(
    settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _table(tmp_path)
    compact = _prepared(path, settings, 0, monkeypatch)
    text = _prepared(path, settings, 1 << 60, monkeypatch)
    assert any(map(is_compact, compact.frames["train"]))
    assert set(text.frames["train"].dtypes) == {pl.String}
    for name in ("cleaning", "features", "target"):
        assert getattr(compact, name).as_dict() == getattr(text, name).as_dict()
    for name in ("rows", "ranges", "notes"):
        assert getattr(compact, name) == getattr(text, name)
    assert _told(compact) == _told(text)
    assert_frame_equal(compact.set_aside, text.set_aside)
    for part, matrix in compact.matrices.items():
        np.testing.assert_array_equal(matrix.numeric, text.matrices[part].numeric)
        np.testing.assert_array_equal(matrix.categorical, text.matrices[part].categorical)
    for part, frame in text.frames.items():
        read, _ = compact.cleaning.apply(compact.frames[part])
        expected, _ = text.cleaning.apply(frame)
        assert_frame_equal(read.with_columns(as_text(series) for series in read), expected)
