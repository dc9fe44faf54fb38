"""Workbooks: which sheet, which types, and what can't be read."""

from __future__ import annotations

import datetime as dt
import io
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter
from polars.testing import assert_frame_equal

from wellfit.data.sources import contents, read_table
from wellfit.errors import DataError

Rows = Sequence[Sequence[Any]]


def book(path: Path, **sheets: Rows) -> Path:
    with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"}) as workbook:
        for name, rows in sheets.items():
            sheet = workbook.add_worksheet(name)
            for place, row in enumerate(rows):
                sheet.write_row(place, 0, row)
    return path


def test_columns_keep_the_types_of_their_cells(tmp_path: Path) -> None:
    rows = [
        ["n", "x", "s", "d", "b", "mixed"],
        [1, 1.5, "u", dt.datetime(2024, 1, 5), True, 3],
        [2, None, None, dt.datetime(2024, 1, 6), False, "z"],
    ]
    table = read_table(book(tmp_path / "t.xlsx", First=rows))
    expected = {
        "n": [1, 2],
        "x": [1.5, None],
        "s": ["u", None],
        "d": [dt.datetime(2024, 1, 5), dt.datetime(2024, 1, 6)],
        "b": [True, False],
        "mixed": ["3", "z"],
    }
    assert table.frame.to_dict(as_series=False) == expected
    assert table.frame["n"].dtype == pl.Int64
    assert table.record.kind == "excel"
    assert table.record.details["sheet"] == "First"
    assert table.record.details["header"] is True


def test_polars_writes_what_is_read(tmp_path: Path) -> None:
    frame = pl.DataFrame({"n": [1, 2, None], "x": [0.25, -1.5, None], "s": ["a", "ü", None]})
    frame.write_excel(tmp_path / "t.xlsx")
    assert_frame_equal(read_table(tmp_path / "t.xlsx").frame, frame[:2])  # a row without a cell is none


def test_the_first_sheet_is_read_unless_another_is_named(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", May=[["x"], [1.5]], June=[["x"], [2.5]], July=[])
    first = read_table(path)
    assert first.frame.rows() == [(1.5,)]
    assert first.notes == ("Sheet 'May' is read; others: June, July.",)
    second = read_table(f"{path}?sheet=June")
    assert second.frame.rows() == [(2.5,)]
    assert second.record.uri == f"{path}?sheet=June"
    assert second.record.checksum != first.record.checksum
    with pytest.raises(DataError, match=r"no such sheet in '.*t\.xlsx'\. Got 'Jun'\. Did you mean 'June'"):
        read_table(f"{path}?sheet=Jun")
    with pytest.raises(DataError, match="The sheet 'July' is empty"):
        read_table(f"{path}?sheet=July")
    with pytest.raises(DataError, match=r"no such file.*Did you mean '.*t\.xlsx'"):
        read_table(f"{tmp_path / 's.xlsx'}?sheet=May")


def test_a_sheet_without_a_header_has_numbered_columns(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", A=[[1, "u"], [2, "v"], [3, "u"]])
    assert read_table(path).frame.columns == ["c0", "c1"]
    assert read_table(path).frame.height == 3
    named = read_table(book(tmp_path / "n.xlsx", A=[["x"], ["u"], ["x"]]), header=False)
    assert named.frame.rows() == [("x",), ("u",), ("x",)]


def test_cleared_columns_and_rows_are_no_part_of_a_table(tmp_path: Path) -> None:
    rows = [["a", None, "b"], [1, None, 2], [None, None, None], [3, None, 4]]
    assert read_table(book(tmp_path / "t.xlsx", A=rows)).frame.rows() == [(1, 2), (3, 4)]


def test_many_workbooks_are_one_table(tmp_path: Path) -> None:
    book(tmp_path / "1.xlsx", A=[["x", "y"], [1, "u"]])
    book(tmp_path / "2.xlsx", A=[["y", "x"], ["v", 2.5]])
    assert read_table(tmp_path / "*.xlsx").frame.rows() == [(1.0, "u"), (2.5, "v")]


def test_a_bad_workbook_gives_one_clear_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = book(tmp_path / "whole.xlsx", A=[["x"], *([number] for number in range(500))])
    (tmp_path / "cut.xlsx").write_bytes(whole.read_bytes()[:3000])
    (tmp_path / "text.xlsx").write_text("a,b\n1,2\n")
    for name in ("cut.xlsx", "text.xlsx"):
        with pytest.raises(DataError, match=rf"workbook is cut off or damaged\. Got '.*{name}'") as caught:
            read_table(tmp_path / name)
        assert "\n" not in str(caught.value)
    twice = book(tmp_path / "twice.xlsx", A=[["x", "y", "x"], [1, 2, 3]])
    with pytest.raises(DataError, match=r"twice\.xlsx: Column names must differ: 'x' stands"):
        read_table(twice)
    bare = book(tmp_path / "bare.xlsx", A=[["x", "y"]])
    with pytest.raises(DataError, match="header of 2 names and no rows"):
        read_table(bare)
    monkeypatch.setattr(contents, "_UNPACKED_FLOOR", 1 << 20)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 30_000_000)
    (tmp_path / "bomb.xlsx").write_bytes(bomb.getvalue())
    with pytest.raises(DataError, match="workbook unpacks to over 200 times its size"):
        read_table(tmp_path / "bomb.xlsx")


def test_without_the_reader_its_installation_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = book(tmp_path / "t.xlsx", A=[["x"], [1]])
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    with pytest.raises(DataError, match=r"needs fastexcel.*pip install 'wellfit\[excel\]'"):
        read_table(path)


def test_a_title_above_the_table_is_left_out_and_told(tmp_path: Path) -> None:
    rows = [["Sales of May"], [], ["n", "s", "x"], *([row, "uv"[row % 2], row / 4] for row in range(5))]
    table = read_table(book(tmp_path / "t.xlsx", First=rows))
    assert table.frame.columns == ["n", "s", "x"]
    assert table.frame.height == 5
    assert any("'Sales of May'" in note for note in table.notes)


def test_a_sheet_is_named_by_its_place_or_as_an_address_writes_it(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", First=[["a"], [1]], **{"Data 2": [["b"], [2]]})
    for name in ("Data 2", "Data%202", "2"):
        assert read_table(f"{path}?sheet={name}").frame.columns == ["b"]
    with pytest.raises(DataError, match="no such sheet"):
        read_table(f"{path}?sheet=3")


def test_what_is_wrong_with_a_sheet_names_the_others(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", First=[], Second=[["a"], [1]])
    with pytest.raises(DataError, match=r"'First' is empty.*other sheets are: Second"):
        read_table(path)
