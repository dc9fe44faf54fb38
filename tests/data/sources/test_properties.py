from __future__ import annotations

import csv
import gzip
import io
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import RawTable, csv_like_bytes, raw_tables
from wellfit.data.sources import read_table
from wellfit.data.sources.entry import Header
from wellfit.data.table import Table
from wellfit.errors import WellfitError

DELIMITERS = [",", "\t", ";", "|"]


def written(table: RawTable, delimiter: str, quoting: int, newline: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=newline)  # type: ignore[arg-type]
    writer.writerow(table.names)
    writer.writerows(table.rows)
    return text.getvalue()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables") / "table.csv"


@settings(deadline=None, max_examples=200)
@given(
    table=raw_tables(),
    delimiter=st.sampled_from(DELIMITERS),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    packed=st.booleans(),
)
def test_quoted_cells_come_back_exactly(
    file: Path, table: RawTable, delimiter: str, newline: str, encoding: str, packed: bool
) -> None:
    content = written(table, delimiter, csv.QUOTE_ALL, newline).encode(encoding)
    file.write_bytes(gzip.compress(content) if packed else content)
    frame = read_table(file, header=True).frame
    assert frame.columns == list(table.names)
    assert frame.rows() == [tuple(row) for row in table.rows]


@settings(deadline=None, max_examples=200)
@given(data=st.data(), delimiter=st.sampled_from(DELIMITERS), encoding=st.sampled_from(["utf-8", "utf-16"]))
def test_cells_quoted_where_needed_come_back_exactly(
    file: Path, data: st.DataObject, delimiter: str, encoding: str
) -> None:
    table = data.draw(raw_tables(alphabet=f'ab1.é日"\n\r{delimiter}', min_columns=2))
    file.write_bytes(written(table, delimiter, csv.QUOTE_MINIMAL, "\r\n").encode(encoding))
    frame = read_table(file, header=True).frame
    assert frame.columns == list(table.names)
    assert frame.rows() == [tuple(cell or None for cell in row) for row in table.rows]


def table_or_error(file: Path, header: Header) -> Table | WellfitError:
    try:
        return read_table(file, header=header)
    except WellfitError as error:
        return error


@settings(deadline=None, max_examples=400)
@given(content=csv_like_bytes(), header=st.sampled_from(["auto", True, False]))
def test_any_bytes_give_a_table_or_one_clear_error(file: Path, content: bytes, header: Header) -> None:
    file.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        outcome = table_or_error(file, header)
    if isinstance(outcome, WellfitError):
        assert "\n" not in str(outcome)
        assert outcome.do
    else:
        assert outcome.frame.shape == (outcome.record.rows, outcome.record.columns)
        assert outcome.frame.height > 0
