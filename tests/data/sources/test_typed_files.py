from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal
from pyarrow import feather, ipc, parquet

from wellfit.data.sources import read_table
from wellfit.data.sources.entry import Reading
from wellfit.errors import DataError

FRAME = pl.DataFrame(
    {"n": [1, 2, None], "x": [0.5, None, float("inf")], "s": ["a", None, "ü"], "b": [True, None, False]}
)


def write_parquet(path: Path) -> None:
    parquet.write_table(FRAME.to_arrow(), path, row_group_size=2)


def write_feather(path: Path) -> None:
    feather.write_feather(FRAME.to_arrow(), str(path), compression="zstd")


def write_stream(path: Path) -> None:
    with ipc.new_stream(path, FRAME.to_arrow().schema) as stream:
        stream.write_table(FRAME.to_arrow())


@pytest.mark.parametrize(
    ("name", "kind", "write"),
    [
        ("table.parquet", "parquet", write_parquet),
        ("table.csv", "parquet", write_parquet),
        ("table.feather", "arrow_file", write_feather),
        ("table.bin", "arrow_file", write_feather),
        ("table.arrow", "arrow_file", write_feather),
        ("table.arrows", "arrow_file", write_stream),
    ],
)
def test_binary_tables_keep_their_types(tmp_path: Path, name: str, kind: str, write) -> None:
    path = tmp_path / name
    write(path)
    table = read_table(path)
    assert_frame_equal(table.frame, FRAME)
    assert table.record.kind == kind
    assert table.record.checksum == hashlib.sha256(path.read_bytes()).hexdigest()


def test_dictionary_columns_are_categories_of_text_or_values_of_numbers(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    columns = {"s": pa.array(["x", "y", "x"]).dictionary_encode(), "n": pa.array([5, 6, 5]).dictionary_encode()}
    parquet.write_table(pa.table(columns), path)
    frame = read_table(path).frame
    assert frame.to_dict(as_series=False) == {"s": ["x", "y", "x"], "n": [5, 6, 5]}
    assert frame.dtypes == [pl.Categorical, pl.Int64]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.json", '[{"n": 1, "s": "a"}, {"s": "ü", "x": 2.5}]'),
        ("t.json", '[\n {"n": 1, "s": "a"},\n {"s": "ü", "x": 2.5}\n]\n'),
        ("t.json", '{"n": [1, null], "s": ["a", "ü"], "x": [null, 2.5]}'),
        ("t.ndjson", '{"n": 1, "s": "a"}\n\n{"s": "ü", "x": 2.5}\n'),
        ("t.jsonl", '{"n": 1, "s": "a"}\r\n{"s": "ü", "x": 2.5}'),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_json_records_columns_and_lines(tmp_path: Path, name: str, text: str, packed: bool) -> None:
    path = tmp_path / (name + ".gz" * packed)
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    table = read_table(path)
    assert table.frame.to_dict(as_series=False) == {"n": [1, None], "s": ["a", "ü"], "x": [None, 2.5]}
    assert table.frame.dtypes == [pl.Int64, pl.String, pl.Float64]


def test_one_json_record_is_one_row(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text('{"n": 1, "s": "a"}')
    assert read_table(tmp_path / "t.json").frame.rows() == [(1, "a")]


def test_json_cells_of_mixed_types_become_text(tmp_path: Path) -> None:
    records = [{"m": 1, "l": [1], "i": 10**30, "f": 1}, {"m": "x", "l": None, "i": 1, "f": 2.5}]
    (tmp_path / "t.json").write_text(json.dumps(records))
    frame = read_table(tmp_path / "t.json").frame
    assert frame.rows() == [("1", "[1]", str(10**30), 1.0), ("x", None, "1", 2.5)]


def test_the_records_of_a_json_file_are_found_as_told(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text('{"data": {"items": [{"a": 1}, {"a": 2}]}, "other": [{"b": 1}]}')
    assert read_table(path, reading=Reading(records="data.items")).frame.to_dict(as_series=False) == {"a": [1, 2]}
    with pytest.raises(DataError, match=r"Did you mean 'data.items'"):
        read_table(path, reading=Reading(records="data.item"))
