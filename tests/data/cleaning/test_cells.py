from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wellfit.data.cleaning.categories import CategoryReader
from wellfit.data.cleaning.date_style import date_style
from wellfit.data.cleaning.dates import DateReader, parse_date
from wellfit.data.cleaning.number_style import decimal_mark
from wellfit.data.cleaning.numbers import NumberReader, parse_number
from wellfit.errors import ContractError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12.0),
        (" +3.50 ", 3.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e-3", 0.001),
        ("1,234", 1234.0),
        ("1,234,567.5", 1234567.5),
        ("12,5", 12.5),
        ("0,123", 0.123),
        ("1 234 567", 1234567.0),
        ("1'234", 1234.0),
        ("1\u202f234,5", 1234.5),
        ("$3", 3.0),
        ("-$3.25", -3.25),
        ("$-3.25", -3.25),
        ("€ 1.234,50", 1234.5),
        ("12 EUR", 12.0),
        ("45%", 45.0),
        ("(1,234)", -1234.0),
        ("\u22125", -5.0),
    ],
)
def test_numbers_as_people_write_them(text: str, value: float) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize(
    "text", ["", "a", "1.2.3", "1,2,3", "12-5", "12:30", "1_000", "0x10", "١٢", "--1", "$", "%", ".", "1e", "(5"]
)
def test_texts_that_are_no_numbers(text: str) -> None:
    assert parse_number(text) is None


def test_the_decimal_mark_decides_what_three_digits_are() -> None:
    assert parse_number("1.234", decimal=",") == 1234.0
    assert parse_number("1,234", decimal=",") == 1.234
    assert parse_number("1,234", decimal=".") == 1234.0
    assert decimal_mark(["1,234", "2,5", "3"]) == ","
    assert decimal_mark(["1,234", "2.5", "3"]) == "."


def test_a_hostile_cell_costs_no_time() -> None:
    assert parse_number("1" + " " * 1_000_000 + "x") is None
    assert parse_date("1" * 1_000_000) is None


texts = st.one_of(
    st.none(),
    st.floats(allow_nan=True).map(repr),
    st.integers().map(str),
    st.sampled_from(
        [
            " 1 ",
            "?",
            "NA",
            "none",
            "inf",
            "-Infinity",
            "1,234",
            "1.234",
            "12,5",
            "$5",
            "1e400",
            "nan",
            "x",
            "",
            "²",
            "1e99",
        ]
    ),
    st.text(alphabet="0123456789.,-+eE $%() _infatyNA\u00a0\x1c", max_size=12),
    st.text(max_size=6),
)


@given(st.lists(texts, min_size=1, max_size=12), st.sampled_from([".", ","]))
def test_many_cells_are_read_as_few_are(cells: list[str | None], decimal: str) -> None:
    reader = NumberReader(decimal=decimal)
    few, some = reader.read(pl.Series("x", cells, dtype=pl.String))
    times = 300 // len(cells) + 1
    many, lots = reader.read(pl.Series("x", cells * times, dtype=pl.String))
    assert many.to_list() == few.to_list() * times
    assert lots.counts() == {kind: count * times for kind, count in some.counts().items()}
    assert few.drop_nulls().is_finite().all()


@given(st.lists(texts, min_size=1, max_size=12), st.sampled_from(["text", "number", "bool", "presence"]))
def test_many_categories_are_read_as_few_are(cells: list[str | None], spelling: str) -> None:
    reader = CategoryReader(spelling=spelling)
    few, _ = reader.read(pl.Series("x", cells, dtype=pl.String))
    times = 300 // len(cells) + 1
    many, _ = reader.read(pl.Series("x", cells * times, dtype=pl.String))
    assert many.to_list() == few.to_list() * times


dates = st.one_of(
    st.none(),
    st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)).map(str),
    st.dates().map(lambda day: day.strftime("%d.%m.%Y")),
    st.dates().map(lambda day: day.strftime("%m/%d/%Y %H:%M:%S")),
    st.sampled_from(
        ["2020-02-30", "0000-01-01", "2019-3-4", "12 Jan 2020", "2019-03-04T10:11:12Z", "?", "x", "99999-01-01"]
    ),
    st.text(alphabet="0123456789-/.: TZ", max_size=20),
)


@given(
    st.lists(dates, min_size=1, max_size=8),
    st.sampled_from(
        [("ymd", "%Y-%m-%d %H:%M:%S"), ("ymd", "%Y-%m-%d"), ("dmy", "%d.%m.%Y"), ("mdy", "%m/%d/%Y %H:%M:%S")]
    ),
)
def test_many_dates_are_read_as_few_are(cells: list[str | None], how: tuple[str, str]) -> None:
    reader = DateReader(order=how[0], formats=(how[1],))
    few, some = reader.read(pl.Series("x", cells, dtype=pl.String))
    times = 300 // len(cells) + 1
    many, lots = reader.read(pl.Series("x", cells * times, dtype=pl.String))
    assert many.to_list() == few.to_list() * times
    assert lots.counts() == {kind: count * times for kind, count in some.counts().items()}


@pytest.mark.parametrize(
    ("text", "order", "moment"),
    [
        ("2019-03-23", "ymd", datetime(2019, 3, 23)),
        ("2019/3/4 5:06", "ymd", datetime(2019, 3, 4, 5, 6)),
        ("2019-03-23T20:21:09.250Z", "ymd", datetime(2019, 3, 23, 20, 21, 9, 250000)),
        ("2019-03-23T20:21:09+02:00", "ymd", datetime(2019, 3, 23, 18, 21, 9)),
        ("23.03.2019", "dmy", datetime(2019, 3, 23)),
        ("3/23/19 1:05 PM", "mdy", datetime(2019, 3, 23, 13, 5)),
        ("23 March 2019", "dmy", datetime(2019, 3, 23)),
        ("Mar 23, 2019", "mdy", datetime(2019, 3, 23)),
    ],
)
def test_dates_as_people_write_them(text: str, order: str, moment: datetime) -> None:
    assert parse_date(text, order) == moment


def order_of(*texts: str) -> str | None:
    style = date_style(texts, 0.95)
    return None if style is None else style.reader.order


def test_one_order_must_explain_the_column() -> None:
    assert order_of("01/02/2019", "25/02/2019") == "dmy"
    assert order_of("01/02/2019", "02/25/2019") == "mdy"
    assert order_of("01.02.2019", "02.03.2019") == "dmy"
    assert order_of("25/02/2019", "02/25/2019") is None


@pytest.mark.parametrize(
    "series",
    [
        pl.Series("x", [1, 2, None], dtype=pl.Int8),
        pl.Series("x", [1.0, 2.0, math.nan]),
        pl.Series("x", [Decimal("1.0"), Decimal("2.0"), None]),
        pl.Series("x", ["1", "2.0", "NA"]),
        pl.Series("x", ["1", "2", None], dtype=pl.Categorical),
        pl.Series("x", [timedelta(seconds=1), timedelta(seconds=2), None]),
        pl.Series("x", [timedelta(seconds=1), timedelta(seconds=2), None], dtype=pl.Duration("ns")),
    ],
)
def test_every_typed_source_gives_the_same_numbers(series: pl.Series) -> None:
    read, counts = NumberReader().read(series)
    assert read.dtype == pl.Float64
    assert read.to_list() == [1.0, 2.0, None]
    assert counts.missing == 1


@pytest.mark.parametrize(
    "series",
    [
        pl.Series("x", [1, 2, None]),
        pl.Series("x", [1.0, 2.0, math.nan]),
        pl.Series("x", [" 1", "2.0", "?"]),
        pl.Series("x", ["1", "2", None], dtype=pl.Enum(["1", "2"])),
        pl.Series("x", [1, 2, None] * 200),
    ],
)
def test_a_category_learned_as_whole_numbers_matches_every_spelling(series: pl.Series) -> None:
    read, _ = CategoryReader(spelling="number").read(series)
    assert read.to_list()[:3] == ["1", "2", None]


@pytest.mark.parametrize("cells", [[True, False], ["TRUE", "false "], ["True", "0"], [1, 0], [1.0, 0.0]])
def test_truth_matches_every_spelling(cells: list[object]) -> None:
    read, _ = CategoryReader(spelling="bool").read(pl.Series("x", cells))
    assert read.to_list() == ["true", "false"]


def test_dates_given_typed() -> None:
    days, _ = DateReader().read(pl.Series("x", [date(2019, 3, 23), None]))
    zoned, _ = DateReader().read(
        pl.Series("x", [datetime(2019, 3, 23, 1, tzinfo=UTC)]).dt.convert_time_zone("Asia/Tokyo")
    )
    assert days.to_list() == [datetime(2019, 3, 23), None]
    assert zoned.to_list() == [datetime(2019, 3, 23, 1)]


def test_what_a_cell_can_not_be_is_refused() -> None:
    day = pl.Series("x", [date(2019, 3, 23)])
    with pytest.raises(ContractError, match="'x' must hold numbers"):
        NumberReader().read(day)
    with pytest.raises(ContractError, match="'x' must hold dates"):
        DateReader().read(pl.Series("x", [1]))


def test_infinite_numbers_are_missing_and_counted() -> None:
    for series in (
        pl.Series("x", [1.0, math.inf, -math.inf, 1e308]),
        pl.Series("x", ["1", "inf", "-Infinity", "1e400"]),
    ):
        read, counts = NumberReader().read(series)
        assert read.to_list() == [1.0, None, None, None]
        assert counts.counts() == {"infinite": 3}
