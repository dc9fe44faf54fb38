"""Every action of cleaning is told with its count, an example and the setting that undoes it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from wellfit.config import from_mapping
from wellfit.data.cleaning import CleaningPlan
from wellfit.data.cleaning.split_leaks import divided_groups
from wellfit.findings import Finding
from wellfit.preparation import prepare
from wellfit.prepared import PreparedTable

ROWS = 120


def told(cells: list[object]) -> tuple[CleaningPlan, dict[str, Finding]]:
    plan = CleaningPlan.fit(pl.DataFrame({"a": cells, "filler": [0.5 * row for row in range(len(cells))]}))
    return plan, {finding.code: finding for finding in plan.findings if finding.where == "a"}


def undone(cells: list[object], finding: Finding) -> str:
    """Fit with the finding's setting; give what the column is then."""
    frame = pl.DataFrame({"a": cells, "filler": [0.5 * row for row in range(len(cells))]})
    key = finding.remedies[0].path.rpartition(".")[2]
    return CleaningPlan.fit(frame, columns={"a": {key: finding.remedies[0].value}}).columns[0].kind


def test_words_among_numbers_can_be_taken_for_levels() -> None:
    cells = ["oops" if row % 15 == 0 else str(row * 37 % 200 / 2) for row in range(ROWS)]
    plan, found = told(cells)
    assert plan.columns[0].kind == "number"
    assert found["missing_values"].remedies[0].path == "features.columns.a.type"
    assert undone(cells, found["missing_values"]) in ("category", "drop")


def test_text_numbers_are_counted_without_what_is_none() -> None:
    cells = ["oops" if row % 15 == 0 else str(row * 37 % 200 / 2) for row in range(ROWS)]
    finding = told(cells)[1]["numbers_as_text"]
    assert (finding.evidence["cells"], finding.evidence["example"]) == (112, "18.5")


def test_codes_are_told_and_can_be_numbers() -> None:
    cells = [f"0{row % 9}" for row in range(ROWS)]
    plan, found = told(cells)
    assert plan.columns[0].kind == "category"
    assert (found["numbers_as_codes"].evidence["cells"], found["numbers_as_codes"].evidence["example"]) == (ROWS, "00")
    assert undone(cells, found["numbers_as_codes"]) == "number"


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ([f"0{row * 7919 % 9000 + 1000}" for row in range(ROWS)], "its codes hardly return"),
        ([f"{row} {'cm' if row % 2 else 'm'}" for row in range(ROWS)], "its numbers have several units"),
        ([str(10**25 + row) for row in range(ROWS)], "its numbers differ only beyond the 15 digits"),
        (["7"] * ROWS, "it has one value only"),
    ],
)
def test_why_a_column_is_left_out(cells: list[object], reason: str) -> None:
    assert told(cells)[0].columns[0].reason.startswith(reason)


def prepared(frame: pl.DataFrame, **config: object) -> PreparedTable:
    found = prepare(from_mapping({"data": {"target": "y"}, **config}), frame)
    assert isinstance(found, PreparedTable)
    return found


def table() -> pl.DataFrame:
    draw = np.random.default_rng(0)
    age, income = draw.normal(40, 10, 300).round(1), draw.normal(1000, 300, 300).round(2)
    return pl.DataFrame({"age": age, "income": income, "y": draw.choice(["p", "q"], 300)})


def test_exact_copies_that_are_kept_are_told_as_such_and_once() -> None:
    findings = prepared(pl.concat([table()] * 3), clean={"duplicates": "keep"}).findings
    codes = [finding.code for finding in findings]
    assert "near_duplicates" not in codes
    assert [finding.where for finding in findings if finding.code == "split_leakage"] == ["valid", "test"]
    (copies,) = (finding for finding in findings if finding.code == "duplicate_rows")
    assert (copies.evidence["applied"], copies.remedies[0].path) == ("proposed", "clean.duplicates")
    assert copies.evidence["example"].startswith("age ")  # type: ignore[union-attr]


def test_computed_columns_without_a_value_are_told() -> None:
    derive = {"root": "sqrt(-age)", "share": "age / income"}
    findings = prepared(table(), features={"derive": derive}).findings
    (empty,) = (finding for finding in findings if finding.code == "constant_column")
    assert (empty.where, empty.severity) == ("root", "warning")
    assert "'root' = sqrt(-age)" in empty.message


@pytest.mark.parametrize("name", ["patient", "Household", "customer_no"])
def test_owners_are_known_by_their_name(name: str) -> None:
    owners = np.repeat(np.arange(60), 10)
    truth = np.random.default_rng(0).normal(size=60)[owners]
    places = np.random.default_rng(1).permutation(600)
    raw = pl.DataFrame({name: [f"P{owner}" for owner in owners]})
    frames = {
        part: raw[rows] for part, rows in zip(("train", "valid", "test"), np.split(places, [400, 500]), strict=True)
    }
    (found,) = divided_groups(frames, truth[places[:400]], [name])
    assert [remedy.path for remedy in found.remedies] == ["split.method", "split.column"]
