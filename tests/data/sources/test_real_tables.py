"""The real tables: shape, separator and header are found without being told."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from wellfit.data.sources import read_table

FOLDER = os.environ.get("WELLFIT_DATA")
pytestmark = pytest.mark.skipif(FOLDER is None, reason="WELLFIT_DATA is not set")

TABLES = [
    ("adult/adult-train.csv.gz", 32561, 15, False),
    ("adult/adult-test.csv.gz", 16281, 15, False),
    ("titanic/train.csv", 891, 12, True),
    ("titanic/test_unlabelled.csv", 418, 11, True),
    ("bank-marketing/bank-full.csv.gz", 45211, 17, True),
    ("bank-marketing/bank-additional-full.csv.gz", 41188, 21, True),
    ("credit-g/credit.csv", 1000, 21, True),
    ("mushroom/mushrooms.csv", 8124, 23, True),
    ("horse-colic/horse-colic.csv", 300, 28, False),
    ("sick/sick.csv", 3772, 30, True),
    ("letter/letterdata.csv", 20000, 17, True),
    ("covertype-20k/covtype.20k.csv.gz", 20000, 55, False),
    ("mammography/mammography.csv", 11183, 7, False),
    ("phoneme/phoneme.csv", 5404, 6, False),
    ("pima/pima.csv", 768, 9, False),
    ("penguins/penguins.csv", 344, 7, True),
    ("sms-spam/sms_spam.csv", 5574, 2, True),
    ("california-housing/housing.csv.gz", 20640, 10, True),
    ("ames-housing/ames.csv", 2930, 83, True),
    ("bike-sharing/hour.csv.gz", 17379, 17, True),
    ("diamonds/diamonds.csv.gz", 53940, 10, True),
    ("diamonds/diamonds.parquet", 53940, 11, None),
    ("wine-quality/winequality-red.csv", 1599, 12, False),
    ("wine-quality/winequality-white.csv", 4898, 12, False),
    ("taxis/taxis.csv", 6433, 14, True),
    ("mpg/mpg.csv", 398, 9, True),
    ("beijing-pm25/pollution.csv.gz", 43824, 13, True),
    ("nycflights/nycflights.csv.gz", 32735, 17, True),
    ("uci-concrete/data.txt", 1030, 9, False),
    ("insurance/insurance.csv", 1338, 7, True),
]


@pytest.mark.parametrize(("name", "rows", "columns", "header"), TABLES)
def test_a_real_table_is_read_as_it_is(name: str, rows: int, columns: int, header: bool | None) -> None:
    table = read_table(Path(FOLDER or "") / name)
    assert table.frame.shape == (rows, columns)
    assert table.record.details.get("header") is header


# two columns of text, of which one never recurs: nothing tells the first row of sms-spam from a header
@pytest.mark.parametrize(
    ("name", "rows", "columns", "header"),
    [entry for entry in TABLES if entry[3] is True and not entry[0].startswith("sms-spam")],
)
def test_a_real_table_without_its_header_is_known_as_such(
    tmp_path: Path, name: str, rows: int, columns: int, header: bool
) -> None:
    path = Path(FOLDER or "") / name
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    bare = tmp_path / "bare.csv"
    bare.write_bytes(text.partition(b"\n")[2])
    assert read_table(bare).frame.shape == (rows, columns)


def test_separators_and_cells_of_real_tables() -> None:
    folder = Path(FOLDER or "")
    adult = read_table(folder / "adult/adult-train.csv.gz")
    assert adult.frame["c14"].unique().sort().to_list() == [" <=50K", " >50K"]
    assert read_table(folder / "bank-marketing/bank-full.csv.gz").record.details["delimiter"] == ";"
    assert read_table(folder / "uci-concrete/data.txt").frame.row(0)[:2] == ("540.0", "0.0")
    assert read_table(folder / "mammography/mammography.csv").frame["c6"].n_unique() == 2
