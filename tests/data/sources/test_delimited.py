from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pyarrow as pa
import pytest

from wellfit.data.sources import read_table
from wellfit.data.table import Table
from wellfit.errors import DataError


@pytest.fixture
def read(tmp_path: Path):
    def read(content: bytes | str, header: str | bool = "auto", name: str = "table.csv") -> Table:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_table(path, header=header)  # type: ignore[arg-type]

    return read


def test_cells_are_text_as_written_and_only_unquoted_blanks_are_missing(read) -> None:
    table = read('a,b , c\n 007, x ,\n"",1e5,"  "\n')
    assert table.frame.columns == ["a", "b", "c"]
    assert table.frame.rows() == [(" 007", " x ", None), ("", "1e5", "  ")]
    assert {str(kind) for kind in table.frame.dtypes} == {"String"}


def test_a_quote_inside_a_cell_and_single_quotes_are_characters(read) -> None:
    table = read('size,name\n5" pipe,\'x\'\n6,"say ""hi"""\n')
    assert table.frame.rows() == [('5" pipe', "'x'"), ("6", 'say "hi"')]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_newlines_of_every_kind_and_blank_ends(read, newline: str) -> None:
    text = newline.join(["", "a,b", "1,x", "", "2,y", "", "  ", "\t"])
    assert read(text).frame.rows() == [("1", "x"), ("2", "y")]
    assert read(text).notes == ()


def test_a_blank_line_in_a_single_column_is_a_missing_cell(read) -> None:
    assert read("age\n31\n\n44\n\n").frame["age"].to_list() == ["31", None, "44"]


@pytest.mark.parametrize(
    ("encoding", "recorded", "note"),
    [
        ("utf-8", "utf-8", ()),
        ("utf-8-sig", "utf-8-sig", ()),
        ("utf-16", "utf-16", ("Read as UTF-16.",)),
        ("utf-16-le", "utf-16-le", ("Read as UTF-16-LE.",)),
        ("utf-16-be", "utf-16-be", ("Read as UTF-16-BE.",)),
        ("utf-32", "utf-32", ("Read as UTF-32.",)),
        ("cp1252", "cp1252", ("Read as Latin-1 (cp1252).",)),
    ],
)
def test_encodings_are_found_and_told(read, encoding: str, recorded: str, note: tuple[str, ...]) -> None:
    table = read("name,price\nCafé,£3\nMüller,€4\n".encode(encoding))
    assert table.frame.rows() == [("Café", "£3"), ("Müller", "€4")]
    assert table.record.details["encoding"] == recorded
    assert table.notes == note


def test_latin_1_far_down_a_file_is_found(read) -> None:
    table = read(b"name,n\n" + b"plain,1\n" * 300_000 + b"Caf\xe9,2\n")
    assert table.frame["name"][-1] == "Café"


@pytest.mark.parametrize("name", ["table.csv", "table.csv.gz"])
def test_packing_is_told_by_the_bytes_and_not_the_name(read, name: str) -> None:
    text = b"a,b\n1,x\n"
    for content, packing in [
        (text, "none"),
        (gzip.compress(text), "gzip"),
        (gzip.compress(text[:4]) + gzip.compress(text[4:]), "gzip"),
        (pa.compress(text, "zstd", asbytes=True), "zstd"),
    ]:
        table = read(content, name=name)
        assert table.frame.rows() == [("1", "x")]
        assert table.record.details["compression"] == packing
        assert table.record.checksum == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("text", "delimiter", "rows"),
    [
        ("a,b\n1,2\n", ",", [("1", "2")]),
        ("a\tb\n1\t\n", "\t", [("1", None)]),
        ("a;b\n1,5;2,5\n", ";", [("1,5", "2,5")]),
        ("1,5;2,5\n3,5;4,5\n", ";", [("1,5", "2,5"), ("3,5", "4,5")]),
        ("1,5 2,5\n3,5 4,5\n", " ", [("1,5", "2,5"), ("3,5", "4,5")]),
        ("a|b\nx, y|2\n", "|", [("x, y", "2")]),
        ('a,b\n"x;y",2\n"z;w",3\n', ",", [("x;y", "2"), ("z;w", "3")]),
        ('a;b\n"1,2";"x\n,,"\n', ";", [("1,2", "x\n,,")]),
        ("1.5  2\t3\n 4 5   6 \n", " ", [("1.5", "2", "3"), ("4", "5", "6")]),
        ('1 "x y" 3\n4 z 6\n', " ", [("1", "x y", "3"), ("4", "z", "6")]),
        ("39, clerk, 2\n40, cook, 3\n", ",", [("39", " clerk", " 2"), ("40", " cook", " 3")]),
        (
            "when,n\n2024-01-01 10:00,1\n2024-01-02 11:00,2\n",
            ",",
            [("2024-01-01 10:00", "1"), ("2024-01-02 11:00", "2")],
        ),
        ("title\nhello world\ngood morning\n", ",", [("hello world",), ("good morning",)]),
    ],
)
def test_the_delimiter_is_found(read, text: str, delimiter: str, rows: list[tuple[str, ...]]) -> None:
    table = read(text)
    assert table.record.details["delimiter"] == delimiter
    assert table.frame.rows() == rows


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("age,job\n31,clerk\n", True),
        ("31,clerk\n28,cook\n", False),
        ("?,clerk\nx,cook\n", False),
        ("0,1,2,3\n1.5,2.5,3.5,4.5\n9,8,7,6\n", True),
        ("5,1,0,3\n1.5,2.5,3.5,4.5\n9,8,7,6\n", False),
        (",0,1\n0,1.5,2.5\n1,3.5,4.5\n", True),
        ("country,2010,2015,2020\nFrance,1,2,3\nSpain,4,5,6\n", False),
        ("id,2010,2015,2020\n1,1,2,3\n2,4,5,6\n", True),
        ("1,2\nred,big\nblue,small\n", True),
        ("name,1\nx,red\ny,blue\n", True),
        ("p,x,s\ne,x,s\np,b,s\ne,b,y\n", False),
        ("type,shape\np,x\ne,x\n", True),
        ("NA,clerk\n31,cook\n28,clerk\n", False),
        ("2024-01-01,x\n2024-01-02,y\n", False),
        ("1stFlrSF,x\n856,y\n", True),
        ("1,2\n", False),
    ],
)
def test_the_header_is_judged(read, text: str, header: bool) -> None:
    assert read(text).record.details["header"] is header


def test_a_headerless_file_names_its_columns_and_says_so(read) -> None:
    table = read("1,2\n3,4\n")
    assert table.frame.columns == ["c0", "c1"]
    assert table.notes == ("No header found: columns are named c0 to c1.",)
    assert read("a,b\n1,2\n", header=False).frame.height == 2
    assert read("1,2\n3,4\n", header=True).frame.columns == ["1", "2"]


def test_a_nameless_first_column_is_named_by_its_place(read) -> None:
    table = read(",a\n0,x\n1,y\n")
    assert table.frame.columns == ["c0", "a"]
    assert table.notes == ("Column 1 has no name: it is called 'c0'.",)


def test_a_thousand_columns_and_infinite_values_are_read(read) -> None:
    names = [f"column {number}" for number in range(1000)]
    table = read(",".join(names) + "\n" + ",".join(["inf", "-inf"] * 500) + "\n")
    assert table.frame.shape == (1, 1000)
    assert table.frame.row(0)[:2] == ("inf", "-inf")


def test_a_cell_just_within_the_limit_is_read(read) -> None:
    assert read(b"a,b\n1," + b"x" * 1_000_000 + b"\n").frame["b"].str.len_bytes()[0] == 1_000_000


def test_rows_keep_their_order_over_blocks_with_newlines_in_cells(read) -> None:
    rows = [f'{number},"{"é" * 40}\n{number}"' for number in range(200_000)]
    frame = read("n,text\n" + "\n".join(rows) + "\n").frame
    assert frame["n"].to_list() == [str(number) for number in range(200_000)]
    assert frame["text"][-1] == "é" * 40 + "\n199999"


def test_the_record_tells_what_was_read(read, tmp_path: Path) -> None:
    record = read("a;b\n1;2\n").record
    assert (record.kind, record.rows, record.columns) == ("delimited", 1, 2)
    assert record.uri == str(tmp_path / "table.csv")
    expected = {"encoding": "utf-8", "delimiter": ";", "header": True, "compression": "none", "bytes": 8}
    assert record.details == {**expected, "decimal": "."}


@pytest.mark.parametrize(
    ("text", "decimal"),
    [
        ("a;b\n1,5;x\n2,25;y\n", ","),
        ("a;b\n1.234,5;x\n2;y\n", ","),
        ("a;b\n1.5;x\n2.25;y\n", "."),
        ("a;b\n1,234;x\n2,250;y\n", "."),
        ("a;b\n1,234.5;x\n", "."),
        ("a;b\nu,v;x\n", "."),
    ],
)
def test_the_decimal_mark_is_told(read, text: str, decimal: str) -> None:
    table = read(text)
    assert table.record.details["decimal"] == decimal
    assert ("Numbers have a decimal comma." in table.notes) is (decimal == ",")


@pytest.mark.parametrize(
    ("above", "mark"),
    [
        ("sep=;\n", ";"),
        ("SEP=,\r\n", ","),
        ("# made by hand\n# in May, and checked\n", ","),
        ("sep=;\n\n# a remark\n\n", ";"),
    ],
)
def test_lines_above_the_table_are_left_out_and_told(tmp_path: Path, above: str, mark: str) -> None:
    rows = [["n", "s", "x"], *([str(row), "uv"[row % 2], str(row / 4)] for row in range(20))]
    path = tmp_path / "t.csv"
    path.write_bytes((above + "\n".join(mark.join(row) for row in rows)).encode())
    table = read_table(path)
    assert table.frame.columns == ["n", "s", "x"]
    assert table.frame.rows() == [tuple(row) for row in rows[1:]]
    assert any(note.startswith("Lines above the table are left out") for note in table.notes)
    path.write_bytes((above + "\n".join(mark.join(row) for row in [*rows, ["1"]])).encode())
    with pytest.raises(DataError, match=f"Line {above.count(chr(10)) + 22} has 1 cell"):
        read_table(path)


def test_a_header_after_a_hash_is_a_header(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("# a remark\n#n,s\n1,u\n2,v\n")
    assert read_table(path).frame.to_dict(as_series=False) == {"#n": ["1", "2"], "s": ["u", "v"]}


def test_the_home_folder_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "t.csv").write_text("n,s\n1,u\n2,v\n")
    assert read_table("~/t.csv").frame["n"].to_list() == ["1", "2"]
