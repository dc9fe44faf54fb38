from __future__ import annotations

import json

import polars as pl
import pytest

from wellfit.data.sources import read_table
from wellfit.data.table import SourceRecord, resolve_column
from wellfit.errors import ConfigError

FRAME = pl.DataFrame({"age": [1], "2": [2], "income": [3]})


@pytest.mark.parametrize(
    ("given", "name"),
    [("age", "age"), ("2", "2"), (2, "2"), (0, "age"), (-1, "income"), ("-1", "income"), ("-3", "age"), ("1", "2")],
)
def test_a_column_is_found_by_name_then_by_index(given: str | int, name: str) -> None:
    assert resolve_column(FRAME, given) == name


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("incme", r"no such column\. Got 'incme'\. Did you mean 'income'"),
        (3, r"index must be in \[-3, 2\]\. Got 3"),
        ("-4", "index must be in"),
        (True, "by its name or its index"),
        (None, "by its name or its index"),
        (1.0, "by its name or its index"),
        ("9" * 50, "no such column"),
    ],
)
def test_a_column_that_is_not_there_is_told(given: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve_column(FRAME, given)  # type: ignore[arg-type]


def test_a_record_survives_json() -> None:
    record = read_table({"a": [1]}).record
    assert SourceRecord.from_dict(json.loads(json.dumps(record.as_dict()))) == record
