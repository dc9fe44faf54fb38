"""What is done to dates and units is told, can be turned off, and can be asked for."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from wellfit.data.cleaning import CleaningPlan
from wellfit.data.cleaning.split_leaks import mixed_time
from wellfit.errors import ConfigError
from wellfit.findings import Finding

MIXED = [text for day in range(1, 28) for text in (f"2023-01-{day:02d}", f"{day}.2.2023", f"March {day}, 2023")]
TORN = [text for day in range(13, 29) for text in (f"{day}/02/2023", f"02/{day}/2023", f"{day % 12 + 1}/03/2023")]
HEAT = [f"{degrees} °C" if degrees % 2 else f"{degrees * 1.8 + 32:.1f} °F" for degrees in range(-20, 40)]


def fitted(cells: list[str], **settings: object) -> tuple[CleaningPlan, pl.Series, list[Finding]]:
    frame = pl.DataFrame({"a": cells, "filler": [0.5 * row for row in range(len(cells))]})
    plan = CleaningPlan.fit(frame, columns={"a": settings} if settings else None)
    found = [finding for finding in plan.findings if finding.where == "a"]
    typed = plan.apply(frame)[0]
    return plan, typed["a"] if "a" in typed.columns else pl.Series("a", []), found


def test_dates_in_other_ways_than_iso_are_told_and_can_be_kept() -> None:
    plan, typed, (found,) = fitted(MIXED)
    assert plan.columns[0].kind == "datetime"
    assert typed[1] == datetime(2023, 2, 1)
    assert (found.code, found.evidence["cells"], found.evidence["example"]) == ("dates_as_text", 54, "1.2.2023")
    assert found.remedies[0].path == "clean.columns.a.types"
    kept, _, findings = fitted(MIXED, types=found.remedies[0].value)
    assert kept.columns[0].kind != "datetime"
    assert "dates_as_text" not in {finding.code for finding in findings}


def test_dates_as_iso_has_them_are_dates_in_any_case() -> None:
    plain = [f"2023-01-{day:02d}" for day in range(1, 28)]
    for settings in ({}, {"types": "keep"}):
        plan, _, found = fitted(plain, **settings)
        assert (plan.columns[0].kind, found) == ("datetime", [])


def test_dates_that_contradict_each_other_are_told_and_can_be_read() -> None:
    plan, _, found = fitted(TORN)
    assert plan.columns[0].kind != "datetime"
    torn = next(finding for finding in found if finding.code == "ambiguous_dates")
    assert torn.evidence == {"applied": "proposed", "example": "13/02/2023; 02/13/2023"}
    read, typed, _ = fitted(TORN, dates=torn.remedies[0].value)
    assert read.columns[0].kind == "datetime"
    assert typed.to_list()[:3] == [datetime(2023, 2, 13), datetime(2023, 2, 13), datetime(2023, 3, 2)]


def test_mixed_degrees_are_proposed_with_their_count_and_read_as_proposed() -> None:
    _, _, found = fitted(HEAT)
    proposed = next(finding for finding in found if finding.code == "mixed_units")
    assert (proposed.evidence["cells"], proposed.remedies[0].value) == (30, "°c")
    read, typed, findings = fitted(HEAT, unit=proposed.remedies[0].value)
    assert read.columns[0].kind == "number"
    assert typed.to_list() == pytest.approx(range(-20, 40), abs=0.03)
    assert "mixed_units" not in {finding.code for finding in findings}
    _, fahrenheit, _ = fitted(HEAT, unit="°F")
    assert fahrenheit.to_list() == pytest.approx([degrees * 1.8 + 32 for degrees in range(-20, 40)], abs=0.06)
    again = CleaningPlan.from_dict(read.as_dict())
    assert again.apply(pl.DataFrame({"a": ["212 °F"], "filler": [1.0]}))[0]["a"][0] == pytest.approx(100)


def test_a_unit_of_another_dimension_is_refused() -> None:
    cells = [f"{number} cm" if number % 2 else f"{number} m" for number in range(60)]
    with pytest.raises(ConfigError, match=r"'clean.columns.a.unit'.*'kg'.*They are in cm, m"):
        fitted(cells, unit="kg")


DAYS = [datetime(2022, 11, 1) + timedelta(days=day) for day in range(0, 240, 2)]
EXCEL = datetime(1899, 12, 30)


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("when", lambda day: int(f"{day:%Y%m%d}")),
        ("a", lambda day: int(f"{day:%Y%m%d}")),
        ("a", lambda day: int(f"{day:%Y%m%d%H}")),
        ("a", lambda day: int(f"{day:%Y%m%d%H%M%S}")),
        ("created_at", lambda day: (day - datetime(1970, 1, 1)) // timedelta(seconds=1)),
        ("createdAt", lambda day: (day - datetime(1970, 1, 1)) // timedelta(milliseconds=1)),
        ("Order Date", lambda day: (day - EXCEL).days),
    ],
)
def test_dates_in_numbers_are_proposed_and_read_when_asked_for(name: str, number: Any, as_text: bool) -> None:
    cells = [str(number(day)) if as_text else number(day) for day in DAYS]
    frame = pl.DataFrame({name: cells, "filler": [0.5 * row for row in range(len(DAYS))]})
    plan = CleaningPlan.fit(frame)
    (found,) = (finding for finding in plan.findings if finding.code == "dates_as_numbers")
    assert (found.where, found.evidence["applied"], found.evidence["cells"]) == (name, "proposed", len(DAYS))
    assert plan.columns[0].kind == "number"
    read = CleaningPlan.fit(frame, columns={name: {"type": found.remedies[0].value}})
    assert read.apply(frame)[0][name].to_list() == DAYS
    later = pl.DataFrame({name: [cells[0], None], "filler": [0.5, 1.0]})
    again, report = CleaningPlan.from_dict(read.as_dict()).apply(later)
    assert (again[name].to_list(), report.columns[name].counts()) == ([DAYS[0], None], {"missing": 1})


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("price", range(20_230_101, 20_230_101 + 400, 3)),
        ("amount", range(1_680_000_000, 1_680_900_000, 9000)),
        ("at", range(100, 200)),
        ("date", [45_000.5 + 0.25 * row for row in range(100)]),
    ],
)
def test_numbers_that_are_no_dates(name: str, cells: Any) -> None:
    frame = pl.DataFrame({name: list(cells), "filler": [0.5 * row for row in range(len(cells))]})
    assert not [finding for finding in CleaningPlan.fit(frame).findings if finding.code == "dates_as_numbers"]


def test_a_time_order_in_numbers_is_seen() -> None:
    moments = pl.Series("created_at", [1.68e9 + 86_400.0 * row for row in range(400)])
    wave = np.sin(np.arange(400) / 40)
    order = np.random.default_rng(0).permutation(400)
    (found,) = mixed_time(pl.DataFrame([moments]).select(pl.col("created_at").gather(order)), wave[order])
    assert (found.code, found.where) == ("split_leakage", "created_at")
