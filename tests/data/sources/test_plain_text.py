"""Large plain files are read the short way, and any doubt sends them the other way: the table is the same."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from wellfit.data.sources import read_table
from wellfit.data.sources.delimited import plain
from wellfit.errors import DataError

PLAIN = {
    "commas": b"a,b,c\n1,,x y\n, 2 ,\xc3\xa9\n,,\n",
    "no newline at the end": b"a,b\n1,2\n3,4  ",
    "no header": b"1,2\n3,4\n5,6\n",
    "semicolons": b"a;b\n1,5;2\n2,5;\n",
    "tabs": b"a\tb\n1\t\n\t2\n",
}
DOUBTFUL = {
    "quotes": b'a,b\n"1,5",2\n"",3\n',
    "quotes behind the first megabyte": b"a,b\n" + b"1,2\n" * 300_000 + b'"3",4\n',
    "returns": b"a,b\r\n1,2\r\n",
    "a blank line": b"a,b\n1,2\n\n3,4\n",
    "blank lines at the end": b"a,b\n1,2\n \n\n",
    "a blank line at the start": b"\na,b\n1,2\n",
    "another encoding": b"a,b\ncaf\xe9,2\n",
    "a mark": b"\xef\xbb\xbfa,b\n1,2\n",
    "one column": b"a\n1\n2\n",
    "blanks between cells": b"a b\n1 2\n3 4\n",
}
FAULTS = {
    "a cell too few": b"a,b\n1,2\n3\n4,5\n",
    "a cell too many": b"a,b\n1,2\n3,4,5\n",
    "one too few and one too many": b"a,b,c\n1,2\n1,2,3,4\n",
    "a NUL byte": b"a,b\n1,\x002\n",
    "no rows": b"a,b\n",
    "a huge cell": b"a,b\n1," + b"x" * 1_100_000 + b"\n",
}


@pytest.fixture
def short_way(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Take the short way for small files too, and note whether it was gone to the end."""
    gone: list[bool] = []
    read_plain = plain.read_plain

    def watched(*given: object) -> object:
        found = read_plain(*given)  # type: ignore[arg-type]
        gone.append(found is not None)
        return found

    monkeypatch.setattr("wellfit.data.sources.delimited.FEWEST_BYTES", 0)
    monkeypatch.setattr("wellfit.data.sources.delimited.read_plain", watched)
    return gone


def _written(folder: Path, text: bytes) -> Path:
    path = folder / "t.csv"
    path.write_bytes(text)
    return path


def _both_ways(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = read_table(path)
    monkeypatch.setattr("wellfit.data.sources.delimited.FEWEST_BYTES", 1 << 60)
    other = read_table(path)
    assert_frame_equal(short.frame, other.frame)
    assert short.notes == other.notes
    assert (short.record.details, short.record.checksum) == (other.record.details, other.record.checksum)
    assert short.record.checksum == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("text", PLAIN.values(), ids=PLAIN)
def test_plain_text_reads_the_same_in_the_short_way(
    text: bytes, tmp_path: Path, short_way: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    _both_ways(_written(tmp_path, text), monkeypatch)
    assert short_way == [True]


@pytest.mark.parametrize("text", DOUBTFUL.values(), ids=DOUBTFUL)
def test_text_that_is_not_plain_is_read_the_other_way(
    text: bytes, tmp_path: Path, short_way: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    _both_ways(_written(tmp_path, text), monkeypatch)
    assert True not in short_way


@pytest.mark.parametrize("text", FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named_as_in_the_other_way(
    text: bytes, tmp_path: Path, short_way: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _written(tmp_path, text)
    with pytest.raises(DataError) as short:
        read_table(path)
    monkeypatch.setattr("wellfit.data.sources.delimited.FEWEST_BYTES", 1 << 60)
    with pytest.raises(DataError) as other:
        read_table(path)
    assert str(short.value) == str(other.value)
    assert True not in short_way
