"""A large file that is read compactly is prepared as it is when every cell is read as text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from tests.strategies import numbers_as_text

from wellfit.data.cleaning import CleaningPlan
from wellfit.data.compact import as_text, is_compact
from wellfit.data.sources import read_table
from wellfit.data.sources.delimited import kinds
from wellfit.data.table import Table

ROWS = 3_000
DRAW = np.random.default_rng(0)
Cell = Callable[[int], str]


def _of(*texts: str) -> Cell:
    return lambda row: texts[row * 7919 % len(texts)]


def _but(cell: Cell, *others: str, every: int = 499) -> Cell:
    """Give other texts in a few rows, which a sample does not tell of."""
    return lambda row: others[row // every % len(others)] if row % every == every - 1 else cell(row)


def _whole(row: int) -> str:
    return str(row * 7919 % 1009 - 300)


def _decimal(row: int) -> str:
    return repr(round(float(np.sin(row)) * 50, row % 5 + 1))


def _three_places(row: int) -> str:
    return f"{row * 7919 % 9_000 / 1000 + 1:.3f}"


COLUMNS: dict[str, tuple[str, Cell]] = {
    "whole numbers": ("Int", _whole),
    "whole numbers with holes": ("Int", lambda row: "" if row % 3 else _whole(row)),
    "a running number": ("Int", str),
    "few whole numbers": ("Int", _of("1", "2", "3")),
    "ones alone": ("Int", _of("1")),
    "whole numbers beyond a float": ("Int", lambda row: str(2**53 + row)),
    "beyond 64 bits": ("String", lambda row: str(2**63 + row)),
    "decimals": ("Float64", _decimal),
    "decimals and whole numbers": ("Float64", lambda row: _decimal(row) if row % 2 else _whole(row)),
    "powers of ten": ("Float64", lambda row: f"{_decimal(row)}e{row % 7 - 3}"),
    "a sentinel": ("Float64", lambda row: "-999" if row % 50 == 0 else _decimal(row)),
    "three decimals": ("String", _three_places),
    "points of thousands": ("String", lambda row: f"{row % 9 + 1}.{row % 1000:03}" if row % 3 == 0 else _whole(row)),
    "codes": ("Categorical", lambda row: f"{row * 7919 % 150:04}"),
    "rare zeros in front": ("Int", _but(_whole, "007", every=1013)),
    "blanks and signs": ("Int", _but(_whole, " 5", "+6", "-0", every=997)),
    "a blank behind": ("String", _but(_whole, "5 ")),
    "a question mark": ("String", _but(_whole, "?")),
    "a word for missing decimals": ("String", _but(_decimal, "nan", "NA", "none")),
    "infinite": ("String", _but(_decimal, "inf", "-Infinity")),
    "beyond every float": ("String", _but(_decimal, "1e400", "2e200")),
    "grouped": ("String", _but(_decimal, "1,234.5")),
    "decorated": ("String", _but(_decimal, "$3", "4 kg", "5%")),
    "decimals among whole numbers": ("String", _but(_whole, "1.5")),
    "underlines": ("String", _but(_whole, "1_000", "0x1")),
    "words": ("Categorical", _of("red", "green", "blue", "")),
    "spellings": ("Categorical", _of("red", "Red", "RED ", "green", " green", "blue")),
    "typing errors": ("Categorical", _but(_of("Amsterdam", "Rotterdam", "Utrecht"), "Amsterdma", "Utrehct")),
    "markers": ("Categorical", _of("red", "?", "unknown", "n/a", "green", "none", "-")),
    "none as a level": ("Categorical", _of("none", "little", "much")),
    "signs": ("Categorical", _of("+", "-")),
    "booleans": ("Categorical", _of("True", "False", "true")),
    "yes and no": ("Categorical", _of("yes", "Y", "no", "n", "1")),
    "one word": ("Categorical", _of("same")),
    "markers alone": ("Categorical", _of("?", "NA", "")),
    "empty": ("String", _of("")),
    "nearly empty": ("Categorical", lambda row: "x" if row % 4 == 0 else ""),
    "new words": ("Categorical", _but(_of("red", "green"), "violet", "")),
    "few prices": ("Categorical", _of("$5", "$10", "$1,250")),
    "few weights": ("Categorical", _of("5 kg", "7 kg", "8 kg")),
    "mixed units": ("Categorical", _of("5 kg", "7 lb", "8 kg", "9 lb", "10 kg")),
    "few percents": ("Categorical", _of("5%", "10%", "0.5")),
    "one number in two ways": ("Categorical", _of("01", "1", "2.0", "2")),
    "few days": ("Categorical", _of("2024-01-31", "2024-02-28", "2023-12-24")),
    "few days that may be months": ("Categorical", _of("01/02/2024", "03/04/2024", "05/06/2024")),
    "words and numbers": ("Categorical", _of("a", "1", "2", "b", "3")),
    "many levels": ("Categorical", lambda row: f"level {row * 7919 % 150}"),
    "names": ("String", lambda row: f"person {row}"),
    "prose": ("String", lambda row: f"this is what number {row} says of {row % 40} things and it is long"),
    "remarks that return": ("Categorical", lambda row: f"this is what {row % 150} says of all the things there are"),
    "other letters": ("Categorical", _of("café", "日本", "\u2212")),
}


def _written(folder: Path, **columns: list[str]) -> Path:
    path = folder / "t.csv"
    rows = zip(*columns.values(), strict=True)
    path.write_text("\n".join([";".join(columns), *map(";".join, rows)]) + "\n", encoding="utf-8", newline="")
    return path


def _both(path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Table, Table]:
    monkeypatch.setattr("wellfit.data.sources.delimited.FEWEST_BYTES", 0)
    # A sample of a small part, as of a large file.
    monkeypatch.setattr(kinds, "PLACES", 67)
    return read_table(path, texts=lambda names: ()), read_table(path)


def _prepared(table: Table) -> tuple[object, pl.DataFrame, object]:
    frame = table.frame.head(2 * table.frame.height // 3)
    plan, typed = CleaningPlan.fit_apply(frame, written=table.written)
    later, report = plan.apply(table.frame.tail(table.frame.height // 3), watch=True)
    shown = report.as_dict()
    shown["columns"] = {name: counts | {"examples": None} for name, counts in shown["columns"].items()}
    return plan.as_dict(), pl.concat([_plain(typed), _plain(later)]), shown


def _plain(typed: pl.DataFrame) -> pl.DataFrame:
    return pl.DataFrame([as_text(series) for series in typed.get_columns()])


def _alike(compact: Table, text: Table) -> None:
    (plan, typed, report), (plan_of_text, typed_of_text, report_of_text) = _prepared(compact), _prepared(text)
    assert plan == plan_of_text
    assert report == report_of_text
    assert_frame_equal(typed, typed_of_text, check_exact=True)


@pytest.mark.parametrize(("name", "kind", "cell"), [(name, *its) for name, its in COLUMNS.items()], ids=COLUMNS)
def test_a_column_is_held_as_what_it_says_and_prepared_as_its_text(
    name: str, kind: str, cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = [repr(float(number)) for number in DRAW.normal(size=ROWS)]
    compact, text = _both(_written(tmp_path, **{name: [*map(cell, range(ROWS))], "other": other}), monkeypatch)
    series = compact.frame.get_column(name)
    assert str(series.dtype).startswith(kind)
    assert is_compact(series) == (kind == "Categorical")
    assert (name in compact.written) == (kind in ("Int", "Float64"))
    assert text.frame.dtypes == [pl.String, pl.String]
    assert (compact.record.details, compact.record.checksum) == (text.record.details, text.record.checksum)
    _alike(compact, text)


@given(texts=st.lists(numbers_as_text(), min_size=1, max_size=5), few=st.booleans(), every=st.integers(3, 900))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_numbers_of_any_writing_are_prepared_as_their_text(
    texts: list[str], few: bool, every: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = _but(_of("2", "3") if few else _decimal, *texts, every=every)
    column, other = [*map(cell, range(ROWS))], [*map(_decimal, range(ROWS))]
    _alike(*_both(_written(tmp_path, column=column, other=other), monkeypatch))


def test_columns_that_stay_text_are_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.data.sources.delimited.FEWEST_BYTES", 0)
    path = _written(tmp_path, a=["1.50", "007", "2"] * 999, b=[*map(_decimal, range(2997))])
    table = read_table(path, texts=lambda names: names[:1])
    assert as_text(table.frame["a"]).to_list() == ["1.50", "007", "2"] * 999
    assert table.written == {"b"}


def test_a_line_at_fault_is_named_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.data.sources.delimited.FEWEST_BYTES", 0)
    path = _written(tmp_path, a=[*map(_whole, range(ROWS))], b=[*map(_decimal, range(ROWS))])
    path.write_text(path.read_text() + "1;2;3\n")
    with pytest.raises(ValueError, match=f"Line {ROWS + 2} has 3 cells"):
        read_table(path, texts=lambda names: ())
