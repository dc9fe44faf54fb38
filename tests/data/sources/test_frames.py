from __future__ import annotations

import datetime as dt
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

from wellfit.data.sources import SOURCES, read_table
from wellfit.errors import DataError

FRAME = pl.DataFrame({"n": [1, 2, None], "x": [0.5, None, -1.0], "s": ["a", None, "c"], "b": [True, None, False]})


def test_frames_of_one_content_are_one_table() -> None:
    columns = FRAME.to_dict(as_series=False)
    given = {
        "polars": FRAME,
        "lazy": FRAME.lazy(),
        "arrow": FRAME.to_arrow(),
        "batch": FRAME.to_arrow().to_batches()[0],
        "dict": columns,
        "arrays": {name: pa.array(cells) for name, cells in columns.items()},
        "series": FRAME.to_dict(),
        "pandas": pd.DataFrame(columns).convert_dtypes(),
        "pandas arrow": FRAME.to_pandas(use_pyarrow_extension_array=True),
        "pandas object": pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()}),
    }
    tables = {name: read_table(source) for name, source in given.items()}
    for name, table in tables.items():
        assert_frame_equal(table.frame, FRAME), name
        assert (table.record.rows, table.record.columns) == (3, 4)
    assert len({table.record.checksum for table in tables.values()}) == 1


def test_pandas_columns_of_every_kind() -> None:
    frame = pd.DataFrame(
        {
            "float": [1.5, np.nan, np.inf],
            "nullable": pd.array([1, pd.NA, 3], dtype="Int64"),
            "text": ["a", None, "ä"],
            "category": pd.Categorical(["x", None, "y"]),
            "codes": pd.Categorical([1, 2, 1]),
            "when": pd.to_datetime(["2024-01-01", None, "2024-01-03"]),
            "zoned": pd.to_datetime(["2024-01-01", None, "2024-01-03"], utc=True),
            "mixed": [1, "two", pd.NA],
            "object": pd.Series([1.5, None, np.nan], dtype=object),
            "sparse": pd.arrays.SparseArray([0, 0, 1]),
            "period": pd.period_range("2024-01", periods=3, freq="M"),
            "empty": pd.Series([None, None, None], dtype=object),
        }
    )
    table = read_table(frame)
    got = table.frame.to_dict(as_series=False)
    assert got["float"] == [1.5, None, float("inf")]
    assert got["nullable"] == [1, None, 3]
    assert got["text"] == ["a", None, "ä"]
    assert got["category"] == ["x", None, "y"]
    assert table.frame["category"].dtype in (pl.Categorical, pl.Enum)
    assert got["codes"] == [1, 2, 1]
    assert got["when"] == [dt.datetime(2024, 1, 1), None, dt.datetime(2024, 1, 3)]
    assert got["zoned"][1] is None
    assert table.frame["zoned"].dtype.is_temporal()
    assert got["mixed"] == ["1", "two", None]
    assert got["object"] == [1.5, None, None]
    assert got["sparse"] == [0, 0, 1]
    assert got["period"] == ["2024-01", "2024-02", "2024-03"]
    assert table.frame["empty"].dtype == pl.String
    assert got["empty"] == [None, None, None]
    assert table.notes == ("Categories that are numbers are read as numbers: codes.",)


def test_pandas_names_become_text_and_a_named_index_is_told() -> None:
    table = read_table(pd.DataFrame({0: [1], ("x", 1): [2]}, index=pd.Index([9], name="id")))
    assert table.frame.columns == ["0", "('x', 1)"]
    assert table.notes == ("The index (id) is left out: reset it to use it as a column.",)


@pytest.mark.parametrize(
    "source",
    [
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame([[1, 2]], columns=[1, "1"]),
        pa.table([[1], [2]], names=["a", "a"]),
        {1: [1], "1": [2]},
    ],
)
def test_names_that_are_the_same_are_refused(source: object) -> None:
    with pytest.raises(DataError, match=r"Column names must differ: '.' stands more than once\. Rename"):
        read_table(source)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (pl.DataFrame(), "no columns"),
        (pl.DataFrame({"a": []}), "no rows"),
        (pd.DataFrame(), "no columns"),
        (np.empty((0, 2)), "no rows"),
        ({}, "no columns"),
        (np.zeros(3), "two dimensions, rows by columns. Got \\(3,\\). Reshape"),
        ({"a": [1, 2], "b": [1]}, "one length: 'a' has 2 rows, 'b' has 1"),
        ({"a": "text"}, "Column 'a' must be a one-dimensional list"),
        ({"a": 5}, "Column 'a' must be a one-dimensional list"),
        ({"a": np.zeros((2, 2))}, "Column 'a' must be a one-dimensional list"),
        (pl.LazyFrame({"a": [1]}).select("b"), "lazy frame can't be collected"),
        (pl.Series("a", [1]), "holds no Arrow table"),
    ],
)
def test_frames_that_are_no_table_are_refused(source: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_table(source)


def test_numpy_arrays_have_numbered_columns_and_nan_is_missing() -> None:
    assert read_table(np.array([[1.0, np.nan], [np.inf, 2.0]])).frame.to_dict(as_series=False) == {
        "c0": [1.0, float("inf")],
        "c1": [None, 2.0],
    }
    mixed = np.array([[1, "a"], [None, 2.5]], dtype=object)
    assert read_table(mixed).frame.rows() == [(1, "a"), (None, "2.5")]
    assert read_table(np.array([[b"a", b"b"]])).frame.row(0) == ("a", "b")
    assert read_table(np.array([["a", "b"]])).frame.row(0) == ("a", "b")
    assert read_table(np.array([[1, 2]], dtype=np.float16)).frame.row(0) == (1.0, 2.0)
    assert read_table(np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")])).frame.columns == ["a", "b"]
    masked = np.ma.masked_array([[1, 2], [3, 4]], mask=[[False, True], [False, False]])
    assert read_table(masked).frame.rows() == [(1, None), (3, 4)]
    assert read_table(np.asfortranarray(np.arange(6).reshape(2, 3))[:, ::-1]).frame.rows() == [(2, 1, 0), (5, 4, 3)]


def test_lists_and_bytes_become_text_and_records_columns() -> None:
    records = [{"a": 1, "deep": {"z": "u"}}, {"a": None, "deep": None}]
    table = read_table(pl.DataFrame({"l": [[1, 2], None], "r": records, "b": [b"x", b"\xc3\xa9"]}))
    assert table.frame.columns == ["l", "r.a", "r.deep.z", "b"]
    assert table.frame.rows() == [("[1, 2]", 1, "u", "x"), (None, None, None, "é")]
    assert [note.split(" ")[0] for note in table.notes] == ["Records", "Column"]


def test_bytes_that_are_no_text_count_as_missing_and_are_told() -> None:
    table = read_table(pl.DataFrame({"a": [b"\xff", b"x"], "n": [1, 2]}))
    assert table.frame.rows() == [(None, 1), (None, 2)]
    assert table.notes == ("Column 'a' holds bytes that are no text: they count as missing.",)


def test_records_whose_columns_would_have_names_twice_stay_text() -> None:
    table = read_table(pl.DataFrame({"r": [{"a": 1}], "r.a": [2]}))
    assert table.frame.rows() == [('{"a": 1}', 2)]
    assert "JSON text" in table.notes[0]


def test_types_of_polars_frames_stay() -> None:
    frame = pl.DataFrame({"d": [Decimal("1.5")], "t": [dt.date(2024, 1, 1)], "u": [dt.timedelta(1)]})
    assert read_table(frame).frame.schema == frame.schema


def test_the_checksum_follows_content_not_layout() -> None:
    frame = pl.DataFrame({"a": [1, None, 3], "s": ["x", "", None]})
    chunked = pl.concat([frame[:1], frame[1:]], rechunk=False)
    first = read_table(frame).record.checksum
    assert read_table(chunked).record.checksum == first
    seen = {first}
    for other in [
        frame.rename({"a": "b"}),
        frame.with_columns(pl.col("a").fill_null(0)),
        frame.with_columns(pl.col("s").fill_null("")),
        frame.with_columns(pl.col("a").cast(pl.Int32)),
        frame[:2],
        frame[::-1],
        pl.DataFrame({"a": [1, None, 3], "s": ["", "x", None]}),
    ]:
        seen.add(read_table(other).record.checksum)
    assert len(seen) == 8


def test_pandas_is_not_imported(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n1\n")
    code = f"""
import sys
import numpy as np
from wellfit.data.sources import read_table
read_table({str(tmp_path / "t.csv")!r}); read_table(np.array([[1.5, np.nan]]))
assert "pandas" not in sys.modules and "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", SOURCES)
def test_every_entry_says_what_it_reads(name: str) -> None:
    entry = SOURCES[name]
    assert entry.summary
    assert not entry.matches(None)
    assert not entry.matches(7)
