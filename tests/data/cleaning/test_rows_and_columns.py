"""Rows that are set aside are kept with the reason; columns that stand twice are used once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import wellfit
from small import QUICK, csv_text, run_command, small_columns
from wellfit.config import from_mapping
from wellfit.data.cleaning import CleaningPlan, TargetPlan, misspelt_classes, repeated_rows
from wellfit.preparation import prepare

cells = st.one_of(st.none(), st.sampled_from(["a", "b", ""]))


@given(st.lists(st.tuples(cells, cells), max_size=30))
def test_repeated_rows_are_those_that_stand_before(rows: list[tuple[str | None, str | None]]) -> None:
    frame = pl.DataFrame(rows, schema={"^a$": pl.String, "b": pl.String}, orient="row")
    assert repeated_rows(frame).tolist() == [row in rows[:place] for place, row in enumerate(rows)]


def test_rows_set_aside_are_written_with_the_reason(tmp_path: Path) -> None:
    columns = small_columns()
    columns["label"][5] = ""
    for name, values in columns.items():
        values.append(values[2])
        columns[name] = values
    path = tmp_path / "data.csv"
    path.write_text(csv_text(columns))
    run = wellfit.train(path, "label", out=str(tmp_path / "run"), **QUICK)
    aside = pl.read_csv(run.path / "set_aside.csv")
    assert aside.columns == ["row", "reason", "size", "age", "kind", "label"]
    assert aside.select("row", "reason").rows() == [
        (6, "it has no target"),
        (121, "it equals an earlier row in every column"),
    ]
    assert len(run.predict(path)) == 121


def test_no_file_is_written_where_no_row_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(csv_text(small_columns()))
    run = wellfit.train(path, "label", out=str(tmp_path / "run"), **QUICK)
    assert not (run.path / "set_aside.csv").exists()


def test_every_row_is_dealt_or_set_aside() -> None:
    columns = small_columns()
    parts = [("train", "valid", "test")[row % 3] for row in range(120)]
    for values in (*columns.values(), parts):
        values.append(values[0] if values is not parts else "test")
    config = {"data": {"target": "label"}, "split": {"method": "column", "column": "part"}}
    prepared = prepare(from_mapping(config), {**columns, "part": parts})
    assert prepared.set_aside["row"].to_list() == [121]
    assert prepared.set_aside["reason"].to_list() == ["it stands in an earlier split too"]


def test_a_column_that_stands_twice_is_used_once_unless_a_person_says_what_it_is() -> None:
    values = np.random.default_rng(0).normal(size=200)
    frame = pl.DataFrame({"a": values, "b": values, "c": values + 1})
    plan = CleaningPlan.fit(frame)
    assert [column.name for column in plan.used] == ["a", "c"]
    found = next(finding for finding in plan.findings if finding.code == "duplicate_column")
    assert (found.where, found.remedies[0].path) == ("b", "features.columns.b.type")
    assert len(CleaningPlan.fit(frame, columns={"b": "number"}).used) == 3


def test_labels_of_one_form_are_one_class() -> None:
    labels = pl.Series("y", ["high"] * 30 + ["low"] * 30 + ["HIGH", " Low", "hihg"])
    plan = TargetPlan.fit(labels)
    assert plan.classes == ("high", "hihg", "low")
    assert misspelt_classes(plan) == {"hihg": "high"}
    merged = TargetPlan.fit(labels, spellings="merge")
    assert (merged.classes, merged.counts, merged.task) == (("high", "low"), (32, 31), "binary")
    ids, report = merged.encode(labels)
    assert (ids[-3:].tolist(), report.unknown) == ([0, 1, 0], 0)
    assert len(TargetPlan.fit(labels, spellings="keep").classes) == 5


def test_misspelt_classes_are_a_warning_that_its_setting_heeds() -> None:
    columns = small_columns(300)
    columns["label"][7] = "yess"
    config = {"data": {"target": "label"}}
    found = [finding for finding in prepare(from_mapping(config), columns).findings if finding.where == "label"]
    assert (found[0].code, found[0].severity) == ("inconsistent_spellings", "warning")
    setting = {found[0].remedies[0].path.rpartition(".")[2]: found[0].remedies[0].value}
    prepared = prepare(from_mapping({**config, "clean": {"columns": {"label": setting}}}), columns)
    assert prepared.target.classes == ("no", "yes")


def test_words_among_numbers_are_no_target() -> None:
    frame = {"x": [0.5 * row for row in range(60)], "y": [*map(str, range(58)), "unknown", "none"]}
    prepared = prepare(from_mapping({"data": {"target": "y"}}), frame)
    assert (prepared.target.task, prepared.rows["without_target"]) == ("regression", 2)


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    columns = small_columns(300)
    columns["kind"][3:9] = ["U", "unknown", "v ", "W", "?", "u."]
    columns["age"][10] = "$1,034"
    path = tmp_path_factory.mktemp("dirty") / "dirty.csv"
    path.write_text(csv_text(columns))
    return path


def test_check_lists_what_cleaning_does_with_its_settings(dirty: Path) -> None:
    answer = run_command("check", dirty, "--target", "label")
    assert answer.code == 0
    lines = [line.split() for line in answer.out.splitlines()]
    assert any(line[:2] == ["kind", "missing"] for line in lines)
    assert any(line[:2] == ["age", "numbers"] for line in lines)
    assert "clean.columns.age.types=keep" in answer.out


def test_check_gives_the_actions_as_json_and_their_settings_undo_them(dirty: Path) -> None:
    record = run_command("check", dirty, "--target", "label", "--json").record["cleaning"]
    done = {(action["action"], action["column"]): action for action in record["actions"]}
    assert record["merged"] == {"kind": {"U": "u", "W": "w", "u.": "u"}}
    keys = [("inconsistent_spellings", "kind"), ("numbers_as_text", "age"), ("missing_values", "kind")]
    for key in keys:
        (path, value), *_ = done[key]["settings"].items()
        again = run_command("check", dirty, "--target", "label", "--json", "-o", f"{path}={json_text(value)}")
        assert again.code == 0, again.err
        left = {(action["action"], action["column"]): action for action in again.record["cleaning"]["actions"]}
        assert key not in left or left[key]["count"] < done[key]["count"]


def json_text(value: object) -> str:
    import json

    return json.dumps(value)
