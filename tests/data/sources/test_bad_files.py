"""What can't be read gives one clear sentence: the rule, the place, what to do."""

from __future__ import annotations

import gzip
import io
import os
import re
import zipfile
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from wellfit.data.sources import contents, read_table
from wellfit.errors import ConfigError, DataError

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


def excel() -> bytes:
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return book.getvalue()


def lines(count: int) -> str:
    return "".join(f"{number},x\n" for number in range(count))


BAD = {
    "empty": (b"", "The file is empty"),
    "blank lines": (b"\n \n\r\n", "blank lines only"),
    "a mark only": (b"\xef\xbb\xbf", "blank lines only"),
    "header only": (b"a,b\n", "header of 2 names and no rows"),
    "header only, no newline": (b"age", "header of 1 names and no rows"),
    "header and blank lines": (b"a,b\r\n\r\n  \r\n", "no rows"),
    "long line": (b"a,b\n1,2\n3,4,5\n6,7\n", "Line 3 has 3 cells, where the first line has 2"),
    "short line": (b"a,b\n1,2\n\n3\n6,7\n", "Line 4 has 1 cell, where the first line has 2"),
    "long line far down": (f"a,b\n{lines(400_000)}7,8,9\n{lines(9)}".encode(), "Line 400002 has 3 cells"),
    "line after a cell of lines": (b'a,b\n"x\ny\r\nz",2\n3\n', "Line 5 has 1 cell"),
    "unclosed quote at the end": (b'a,b\n1,2\n3,"4\n5,6\n', "opens on line 3 is never closed"),
    "unclosed quote": (b'a,b\n1,2\n"3,4\n5,6\n', "opens on line 3 is never closed"),
    "text after a quote": (b'a,b\n1,2\n"3"x,4\n', "opens on line 3 is broken"),
    "quote closed far away": (b'a,b\n1,"2\n3,4\n5,"6"\n', "opens on line 2 is broken: text follows.*on line 4"),
    "unclosed quote in the header": (b'"a,b\n1,2\n', "opens on line 1 is never closed"),
    "broken quote in the header": (b'"a"x,b\n1,2\n', "opens on line 1 is broken"),
    "NUL": (b"a,b\n1,2\n3,\x00\n", "Line 3 has a NUL byte"),
    "NUL in UTF-16": ("a,b\n1,\0\n".encode("utf-16"), "Line 2 has a NUL byte"),
    "huge cell": (b"a,b\n1," + b"x" * 10_000_000 + b"\n", r"Line 2 has a cell over 1 MB.*Got 10\.0 MB"),
    "huge cell of lines": (b'a,b\n1,"' + b"x,y\n" * 2_500_000 + b'"\n', "Line 2 has a cell over 1 MB"),
    "large cell": (b"a,b\n1," + b"x" * 1_000_001 + b"\n", "Line 2 has a cell over 1 MB"),
    "huge unclosed cell": (b'a,b\n1,"' + b"x,y\n" * 2_500_000, "opens on line 2 is never closed"),
    "duplicate names": (b"a,b,a, b\n1,2,3,4\n", "'a', 'b' stand more than once"),
    "half UTF-8": (("a\n" + "é\n" * 20).encode() + b"\xe9\n", "Line 22 has a byte that is not UTF-8"),
    "no encoding": (b"a\n\xe9\x81\n", r"Line 2 has a byte that is text in neither.*b'\\x81'"),
    "cut UTF-16": ("a,b\n1,2\n".encode("utf-16") + b"x", "not UTF-16"),
    "PNG": (PNG, "is a PNG image"),
    "zip": (b"PK\x03\x04rest", "is a zip archive"),
    "Excel": (excel(), "workbook is cut off or damaged"),
    "program": (bytes(range(256)) * 9, "it is binary"),
    "cut gzip": (gzip.compress(os.urandom(4000))[:2000], "gzip file is cut off or damaged"),
    "altered gzip": (gzip.compress(b"a,b\n1,2\n")[:-8] + b"12345678", "gzip file is cut off or damaged"),
    "packed PNG": (gzip.compress(PNG), "is a PNG image"),
    "cut zstd": (pa.compress(b"a,b\n" * 900, "zstd", asbytes=True)[:-3], "zstd file is cut off or damaged"),
    "Parquet in name and mark only": (b"PAR1 and then nothing", "Parquet file is cut off or damaged"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_gives_one_clear_sentence(tmp_path: Path, name: str) -> None:
    content, expected = BAD[name]
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=expected) as caught:
        read_table(path)
    message = str(caught.value)
    assert "table.csv" in message
    assert "\n" not in message
    assert len(message) < 500 + len(str(path))
    assert caught.value.do


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_cut_binary_table_is_told(tmp_path: Path, suffix: str, kept: float) -> None:
    whole = tmp_path / f"whole.{suffix}"
    frame = pl.DataFrame({"a": range(1000)})
    frame.write_parquet(whole) if suffix == "parquet" else frame.write_ipc(whole, compat_level=None)
    path = tmp_path / f"cut.{suffix}"
    path.write_bytes(whole.read_bytes()[: int(kept * whole.stat().st_size)])
    with pytest.raises(DataError, match=r"cut off or damaged.*Write or fetch it again"):
        read_table(path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (b" \n", "is blank"),
        (b'[{"a": 1},\n {"a": }]', "Line 2 is not JSON"),
        (b'{"a": 1}\n{"a": 2}\n{"a": \n', "Line 3 is not JSON"),
        (b"[1, 2]", "not a table"),
        (b'{"a": {"0": 1}}', "not a table"),
        (b"[]", "no columns"),
        (b"[" * 100_000, "not JSON"),
        (b'{"a": [1, 2], "b": [1]}', "one length"),
        (b"1" * 5000, "not JSON"),
    ],
)
def test_bad_json_is_told(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "table.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=expected):
        read_table(path)


def test_a_missing_file_names_a_near_one(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("a\n1\n")
    with pytest.raises(DataError, match=r"There is no such file.*Did you mean '.*train\.csv'"):
        read_table(tmp_path / "trian.csv")
    with pytest.raises(DataError, match="There is no such folder"):
        read_table(str(tmp_path / "nowhere" / "train.csv"))
    with pytest.raises(DataError, match="There is no such folder"):
        read_table(tmp_path / "train.csv" / "x")


def test_a_folder_names_its_files(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("a\n1\n")
    with pytest.raises(DataError, match=r"A folder is not a table.*train\.csv"):
        read_table(tmp_path)


@pytest.mark.parametrize("path", ["", "bad\0path", "x" * 5000])
def test_an_impossible_path_is_told(path: str) -> None:
    with pytest.raises(DataError):
        read_table(path)


def test_an_unreadable_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "table.csv"
    path.write_text("a\n1\n")
    path.chmod(0)
    if os.geteuid() == 0:  # root reads everything

        def refuse(*args: object, **kwargs: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match="permission denied"):
        read_table(path)


def test_pipes_and_devices_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(DataError, match="Only regular files are read"):
            read_table(path)


def test_a_file_that_unpacks_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "_UNPACKED_FLOOR", 1 << 20)
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(b"a\n" + b"1\n" * 20_000_000))
    with pytest.raises(DataError, match="unpacks to over 200 times its size"):
        read_table(path)


def test_an_unknown_source_names_the_kinds_and_hides_the_password() -> None:
    with pytest.raises(DataError, match="path or a table in memory") as caught:
        read_table(7)
    assert "pandas" in str(caught.value)
    with pytest.raises(DataError, match=r"no source of the kind 'parqet'.*Did you mean 'parquet'"):
        read_table("parqet://x")
    for uri in ("ftp://ann:hunter2@host/db?table=t", "ftp://ann:hunt/er2@host/x?token=hunter2"):
        with pytest.raises(DataError, match=re.escape("//***@host")) as caught:
            read_table(uri)
        assert "hunt" not in str(caught.value)


def test_header_is_auto_or_a_truth_value() -> None:
    with pytest.raises(ConfigError, match="'header' must be auto, true or false"):
        read_table({"a": [1]}, header="yes")  # type: ignore[arg-type]
