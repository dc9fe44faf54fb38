"""How a column writes its numbers and dates is told by all of its cells."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import polars as pl
import pytest

from wellfit.data.cleaning import CleaningPlan


def read(cells: list[str], **settings: object) -> list[object]:
    frame = pl.DataFrame({"a": cells, "filler": [0.5 * row for row in range(len(cells))]})
    columns = {"a": settings} if settings else None
    return CleaningPlan.fit(frame, columns=columns).apply(frame)[0]["a"].to_list()


NUMBERS = [round(number, 2) for number in np.random.default_rng(0).normal(0, 5000, 100).tolist()]


@pytest.mark.parametrize(
    "written",
    [
        lambda value: f"{value:,.2f}",
        lambda value: f"${value:,.2f}".replace("$-", "-$"),
        lambda value: f"{value:.2f}%",
        lambda value: f"{value:,.2f}".translate(str.maketrans(",.", ".,")),
        lambda value: f"{value:.2f}".replace(".", ","),
        lambda value: f"({-value:.2f})" if value < 0 else f"{value:.2f}",
        lambda value: f"{value:,.2f}".replace(",", "\u202f"),
        lambda value: f"{value:,.2f}".replace(",", "'"),
        lambda value: f"{value:.2f} kg",
        lambda value: f"{value:.2f} EUR",
        lambda value: f"{-value:.2f}-" if value < 0 else f"{value:.2f}",
        lambda value: f"'{value:.2f}",
    ],
)
@pytest.mark.parametrize("every", [1, 4])
def test_numbers_keep_their_value_however_they_are_written(written: object, every: int) -> None:
    cells = [written(value) if row % every == 0 else f"{value:.2f}" for row, value in enumerate(NUMBERS)]  # type: ignore[operator]
    assert read(cells) == pytest.approx(NUMBERS)


def test_points_group_thousands_among_whole_numbers() -> None:
    values = np.random.default_rng(1).integers(1, 90_000, 200).tolist()
    cells = [f"{value:,}".replace(",", ".") if row % 5 == 0 else str(value) for row, value in enumerate(values)]
    assert read(cells) == values


def test_three_decimals_written_with_a_comma_are_decimals() -> None:
    values = [round(value, 3) for value in np.random.default_rng(2).uniform(1, 9, 200).tolist()]
    cells = [str(value).replace(".", ",") if row % 5 == 0 else str(value) for row, value in enumerate(values)]
    assert read(cells) == values


def test_a_percent_sign_beside_shares_means_hundredths() -> None:
    assert read([*(f"{number / 100:.2f}" for number in range(1, 40)), "45%"])[-1] == pytest.approx(0.45)
    assert read([*(str(number) for number in range(1, 40)), "45%"])[-1] == 45.0


def test_mixed_units_are_proposed_and_converted_when_asked_for() -> None:
    cells = [f"{number + 1} kg" if number % 2 else f"{1000 * (number + 1)} g" for number in range(60)]
    frame = pl.DataFrame({"a": cells, "filler": [0.5 * row for row in range(60)]})
    found = next(finding for finding in CleaningPlan.fit(frame).findings if finding.code == "mixed_units")
    assert (found.remedies[0].path, found.evidence["applied"]) == ("clean.columns.a.unit", "proposed")
    assert read(cells, type="number", unit="kg") == pytest.approx([number + 1.0 for number in range(60)])


DAYS = [datetime(2019, 1 + number % 12, 1 + number % 28) for number in range(200)]


@pytest.mark.parametrize(
    "format_",
    [
        "%d/%m/%Y",
        "%m/%d/%Y",
        "%d.%m.%Y",
        "%d-%m-%Y",
        "%Y%m%d",
        "%B %d, %Y",
        "%d %b %Y",
        "%A, %d %B %Y",
        "%d. %B %Y",
        "%m/%d/%y",
    ],
)
@pytest.mark.parametrize("share", [0.1, 0.9])
def test_dates_of_mixed_formats_are_read_by_the_columns_evidence(format_: str, share: float) -> None:
    cells = [day.strftime(format_ if row % 10 < 10 * share else "%Y-%m-%d") for row, day in enumerate(DAYS)]
    assert read(cells) == DAYS


def test_a_date_that_nothing_tells_is_said_and_the_setting_decides() -> None:
    cells = [f"{1 + number % 12:02}/{1 + number % 11:02}/2019" for number in range(60)]
    frame = pl.DataFrame({"a": cells, "filler": [0.5 * row for row in range(60)]})
    found = next(finding for finding in CleaningPlan.fit(frame).findings if finding.code == "ambiguous_dates")
    assert (found.remedies[0].path, found.remedies[0].value) == ("clean.columns.a.dates", "dmy")
    assert read(cells)[1] == datetime(2019, 2, 2)
    assert read(cells)[12] == datetime(2019, 1, 2)
    assert read(cells, dates="dmy")[12] == datetime(2019, 2, 1)
