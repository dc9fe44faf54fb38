"""What is said of a target does not depend on how many of its cells are looked at together."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from wellfit.data.cleaning import TargetPlan, class_labels, tasks
from wellfit.data.cleaning.tasks import absent_cells, infer_task
from wellfit.data.compact import compact_text

ROWS = 3_000


def _texts(*texts: str | None) -> pl.Series:
    return pl.Series("y", texts).gather(np.random.default_rng(0).integers(0, len(texts), ROWS))


_NUMBERS = np.random.default_rng(1).normal(0, 100, ROWS)

COLUMNS: dict[str, Callable[[], pl.Series]] = {
    "words": lambda: _texts("yes", "no", "Yes ", None, "?", "unknown"),
    "numerals": lambda: _texts("0", "1", "1.0", "2", "unknown", "-"),
    "codes": lambda: _texts("01", "02", "11"),
    "prices": lambda: pl.Series("y", [f"${number:,.2f}" for number in _NUMBERS]),
    "numbers and words": lambda: pl.Series("y", [*map(str, _NUMBERS[:2_000]), *["none", "**", " 5", "+3"] * 250]),
    "a word in a hundred": lambda: pl.Series("y", [str(row % 30) if row % 100 else "many" for row in range(ROWS)]),
    "few first, many later": lambda: pl.Series("y", [row % 2 if row < 2_000 else row for row in range(ROWS)]),
    "floats": lambda: pl.Series("y", np.where(_NUMBERS > 150, np.nan, np.round(_NUMBERS / 100))),
    "infinite at last": lambda: pl.Series("y", [*([0.0, 1.0] * 1_499), 1.0, np.inf]),
    "names": lambda: pl.Series("y", [f"name {row % 700}" for row in range(ROWS)]),
    "truth": lambda: pl.Series("y", [True, False, None] * 1_000),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_pieces_say_what_the_whole_says(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    series = COLUMNS[name]()
    given = series.filter(~absent_cells(series))
    absent, task, labels = absent_cells(series), infer_task(given), class_labels(series, "multiclass")
    monkeypatch.setattr(tasks, "AT_ONCE", 97)
    np.testing.assert_array_equal(absent_cells(series), absent)
    assert infer_task(given) == task
    np.testing.assert_array_equal(class_labels(series, "multiclass"), labels)


@pytest.mark.parametrize("name", ["words", "numerals", "codes", "names"])
def test_compact_labels_are_what_plain_text_is(name: str) -> None:
    series = COLUMNS[name]()
    np.testing.assert_array_equal(class_labels(series.cast(compact_text())), class_labels(series))


@pytest.mark.parametrize("name", ["words", "numerals", "codes", "names", "truth"])
def test_pieces_are_encoded_as_the_whole_is(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    series = COLUMNS[name]()
    plan = TargetPlan.fit(series.filter(~absent_cells(series)))
    if series.dtype == pl.String:
        strange = pl.Series("y", ["strange", "Odd"]).gather(np.arange(ROWS) % 2)
        series = series.set(pl.Series(np.arange(ROWS) % 50 == 0), None).fill_null(strange)
    ids, report = plan.encode(series)
    monkeypatch.setattr(tasks, "AT_ONCE", 97)
    again, told = plan.encode(series)
    np.testing.assert_array_equal(again, ids)
    assert told == report
    assert report.unknown == (0 if series.dtype == pl.Boolean else int((ids < 0).sum()) - report.missing)


def test_labels_stand_in_the_order_of_their_forms_and_take_few_bytes() -> None:
    series = pl.Series("y", [f"c{row % 300:03d}" for row in reversed(range(ROWS))])
    labels = class_labels(series)
    assert labels is not None
    assert labels.tolist() == [int(text[1:]) for text in series.to_list()]
    assert labels.dtype == np.int16
