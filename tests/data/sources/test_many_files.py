"""Many files as one table: patterns, lists, folders of partitions; and what sets their files apart."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from polars.testing import assert_frame_equal

import wellfit
from small import QUICK, csv_text, small_columns
from wellfit.data.sources import read_table
from wellfit.errors import DataError
from wellfit.recording import resume_run


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text)


def test_a_pattern_reads_files_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for number in (10, 2, 1):
        (tmp_path / f"part-{number}.csv").write_text(f"a,b\n{number},x\n")
    table = read_table(tmp_path / "part-*.csv")
    assert table.frame.rows() == [("1", "x"), ("2", "x"), ("10", "x")]
    assert table.record.kind == "files"
    assert table.record.details["files"] == 3
    assert table.record.details["format"] == "delimited"
    assert table.record.uri == str(tmp_path / "part-*.csv")
    assert "3 files are read as one table." in table.notes


def test_columns_may_stand_in_another_order(tmp_path: Path) -> None:
    write(tmp_path, a="x,y\n1,u\n", b="y,x\nv,2\n")
    assert read_table(tmp_path / "*.csv").frame.rows() == [("1", "u"), ("2", "v")]


def test_a_list_keeps_its_order_and_takes_patterns(tmp_path: Path) -> None:
    write(tmp_path, a="x\n1\n", b="x\n2\n", c1="x\n3\n", c2="x\n4\n")
    given = [tmp_path / "b.csv", str(tmp_path / "c?.csv"), tmp_path / "a.csv"]
    assert read_table(given).frame["x"].to_list() == ["2", "3", "4", "1"]
    with pytest.raises(DataError, match="listed more than once"):
        read_table([tmp_path / "a.csv", tmp_path / "a.csv"])
    with pytest.raises(DataError, match="There is no such file"):
        read_table([tmp_path / "a.csv", tmp_path / "d.csv"])


def test_a_file_with_a_star_in_its_name_is_one_file(tmp_path: Path) -> None:
    (tmp_path / "a[1].csv").write_text("x\n1\n")
    (tmp_path / "a1.csv").write_text("x\n2\n")
    assert read_table(tmp_path / "a[1].csv").frame["x"].to_list() == ["1"]


def test_the_first_header_counts_for_all(tmp_path: Path) -> None:
    write(tmp_path, a="name,size\nann,1\nbob,2\n", b="name,size\nname,3\n")
    assert read_table(tmp_path / "*.csv").frame.rows() == [("ann", "1"), ("bob", "2"), ("name", "3")]


def test_packed_and_plain_files_go_together(tmp_path: Path) -> None:
    (tmp_path / "a.ndjson").write_text('{"n": 1, "s": "u"}\n')
    (tmp_path / "b.ndjson").write_bytes(gzip.compress(b'{"s": "v", "n": 2.5}\n'))
    table = read_table(tmp_path / "*.ndjson")
    assert table.frame.to_dict(as_series=False) == {"n": [1.0, 2.5], "s": ["u", "v"]}
    assert table.record.details["compression"] == "mixed"


def partitioned(root: Path, kind: str = "parquet") -> pl.DataFrame:
    """Write a table as Polars itself partitions it; give what it holds, in the order of the folders."""
    frame = pl.DataFrame(
        {"x": [1.5, 2.5, 3.5, 4.5], "year": [2023, 2023, 2024, 2024], "place": ["a b", "c/d", "a b", "c/d"]}
    )
    for (year, place), part in frame.group_by("year", "place", maintain_order=True):
        folder = root / f"year={year}" / f"place={str(place).replace(' ', '%20').replace('/', '%2F')}"
        folder.mkdir(parents=True)
        part = part.select("x")
        part.write_parquet(folder / "0.parquet") if kind == "parquet" else part.write_csv(folder / "0.csv")
    (root / "_SUCCESS").touch()
    return frame


def test_partitions_become_columns_as_polars_reads_them(tmp_path: Path) -> None:
    frame = partitioned(tmp_path)
    table = read_table(tmp_path)
    assert_frame_equal(table.frame, frame)
    scanned = pl.scan_parquet(tmp_path / "**/*.parquet", hive_partitioning=True).sort("x").collect()
    assert_frame_equal(table.frame, scanned.select(table.frame.columns))
    assert "Folder names give columns: year, place." in table.notes
    assert_frame_equal(read_table(tmp_path / "**" / "*.parquet").frame, frame)
    assert read_table(tmp_path / "year=2024" / "**" / "*.parquet").frame.columns == ["x", "place"]


def test_partitions_of_text_stay_text(tmp_path: Path) -> None:
    partitioned(tmp_path, "csv")
    assert read_table(tmp_path).frame["year"].to_list() == ["2023", "2023", "2024", "2024"]


def test_values_of_partitions_may_be_missing_or_codes(tmp_path: Path) -> None:
    for value in ("02115", "__HIVE_DEFAULT_PARTITION__"):
        (tmp_path / f"zip={value}").mkdir()
        pl.DataFrame({"x": [1]}).write_parquet(tmp_path / f"zip={value}" / "0.parquet")
    assert read_table(tmp_path).frame["zip"].to_list() == ["02115", None]


def test_a_column_of_the_files_wins_over_a_folder_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "k=1").mkdir()
    pl.DataFrame({"k": [7]}).write_parquet(tmp_path / "k=1" / "0.parquet")
    assert read_table(tmp_path).frame.rows() == [(7,)]


def test_parts_in_a_plain_folder_are_one_table(tmp_path: Path) -> None:
    for number in range(3):
        pl.DataFrame({"x": [number]}).write_parquet(tmp_path / f"part-0000{number}.snappy.parquet")
    (tmp_path / ".part-00000.snappy.parquet.crc").write_bytes(b"x")
    (tmp_path / "README.md").write_text("x")
    table = read_table(tmp_path)
    assert table.frame["x"].to_list() == [0, 1, 2]
    assert "Files of other kinds in the folder are left out: 1." in table.notes


def test_tables_of_their_own_in_a_folder_are_not_joined(tmp_path: Path) -> None:
    write(tmp_path, train="x\n1\n", test="x\n2\n")
    with pytest.raises(
        DataError, match=r"A folder is not a table.*test\.csv, train\.csv.*pattern, such as '.*/\*\.csv'"
    ):
        read_table(tmp_path)


def test_moved_files_keep_their_checksum_and_changed_ones_do_not(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    partitioned(tmp_path / "here")
    first = read_table(tmp_path / "here").record.checksum
    shutil.move(tmp_path / "here", tmp_path / "there")
    assert read_table(tmp_path / "there").record.checksum == first
    (tmp_path / "there" / "year=2023").rename(tmp_path / "there" / "year=2022")
    assert read_table(tmp_path / "there").record.checksum != first


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a column that lacks": (
        {"a.csv": "x,y\n1,u\n", "b.csv": "x\n2\n"},
        r"same columns: '.*b\.csv' lacks column 'y' \(text\), unlike '.*a\.csv'",
    ),
    "a column renamed": (
        {"a.csv": "x,y\n1,2\n", "b.csv": "x,z\n2,3\n"},
        r"'.*b\.csv' lacks column 'y' .* and has column 'z' .* beside them, unlike '.*a\.csv'",
    ),
    "numbers and words": (
        {"a.csv": "x,y\n1,2\n2,3\n3,4\n", "b.csv": "x,y\n1,u\n2,v\n3,w\n"},
        r"column 'y' is words in '.*b\.csv' and numbers in '.*a\.csv'",
    ),
    "types of JSON": (
        {"a.ndjson": '{"x": 1}\n', "b.ndjson": '{"x": "u"}\n'},
        r"column 'x' is String in '.*b\.ndjson' and Int64 in '.*a\.ndjson'",
    ),
    "types of Parquet": (
        {"a.parquet": {"x": [1]}, "b.parquet": {"x": ["u"]}},
        r"column 'x' is String in '.*b\.parquet' and Int64 in '.*a\.parquet'",
    ),
    "widths of Parquet": (
        {"a.parquet": {"x": [1]}, "b.parquet": {"x": [1.5]}},
        r"column 'x' is Float64 in '.*b\.parquet' and Int64 in '.*a\.parquet'",
    ),
    "formats": (
        {"a.csv": "x\n1\n", "b.parquet": {"x": [1]}},
        r"of one format: '.*a\.csv' is delimited and '.*b\.parquet' is parquet",
    ),
    "a half-written file": ({"a.csv": "x,y\n1,2\n", "b.csv": "x,y\n1,2\n3"}, r"b\.csv: Line 3 has 1 cell"),
    "an empty file": ({"a.csv": "x,y\n1,2\n", "b.csv": ""}, r"The file is empty.*b\.csv"),
    "other keys": (
        {"k=1/a.csv": "x\n1\n", "j=1/b.csv": "x\n2\n"},
        r"same folder keys: '.*a\.csv' has k, '.*b\.csv' has j",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_files_that_differ_are_told_with_file_column_and_types(tmp_path: Path, name: str) -> None:
    files, expected = BAD[name]
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        if isinstance(content, str):
            (tmp_path / path).write_text(content)
        else:
            pl.DataFrame(content).write_parquet(tmp_path / path)
    with pytest.raises(DataError, match=expected) as caught:
        read_table(tmp_path / "**" / "*.*")
    assert "\n" not in str(caught.value)
    assert caught.value.do


def test_what_one_file_has_no_value_of_takes_the_type_of_the_others(tmp_path: Path) -> None:
    lines = [{"x": None, "y": "?"}, {"x": 1.5, "y": "2"}, {"x": 2, "y": "3"}]
    for number, line in enumerate(lines):
        (tmp_path / f"{number}.json").write_text(json.dumps([line] * 4))
    assert read_table(tmp_path / "*.json").frame["x"].to_list() == [None] * 4 + [1.5] * 4 + [2.0] * 4


def test_a_pattern_that_fits_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "_hidden.csv").write_text("x\n1\n")
    with pytest.raises(DataError, match=r"No file fits the pattern.*\*\.csv"):
        read_table(tmp_path / "*.csv")


def test_a_folder_without_tables_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"A folder is not a table.*There is no file in it"):
        read_table(tmp_path)


def test_a_run_from_a_list_of_files_is_resumed_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    columns = small_columns()
    for name, part in (("a", slice(0, 50)), ("b", slice(50, None))):
        (tmp_path / f"{name}.csv").write_text(csv_text({key: cells[part] for key, cells in columns.items()}))
    run = wellfit.train(["a.csv", Path("b.csv")], "label", **QUICK)
    assert run.path == Path("runs/a-1")
    weights = (run.path / "model.safetensors").read_bytes()
    (run.path / "metrics.json").unlink()
    (tmp_path / "else").mkdir()
    monkeypatch.chdir(tmp_path / "else")
    resume_run("../runs/a-1")
    assert Path("../runs/a-1/model.safetensors").read_bytes() == weights
    assert [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")] == yaml.safe_load(
        Path("../runs/a-1/config.yaml").read_text()
    )["data"]["source"]
