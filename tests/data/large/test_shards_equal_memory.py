"""Tables read in batches come out as tables in memory do: plans, splits, findings and matrices, byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import wellfit
from small import QUICK, csv_text, small_columns
from streamed import assert_equal, both
from wellfit.config import from_mapping
from wellfit.data.large import stream
from wellfit.errors import ConfigError, DataError
from wellfit.preparation import prepare

Write = Callable[[pl.DataFrame, Path], None]


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(stream, "CELLS", 4 * 37)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def rows(count: int = 400) -> pl.DataFrame:
    """Rows with copies, missing targets, and columns that an own split needs."""
    columns = small_columns(count)
    columns["label"][5] = columns["label"][77] = None
    columns["when"] = [f"2024-{1 + row % 12:02d}-{1 + row % 28:02d}" for row in range(count)]
    columns["who"] = [f"p{row % 40}" for row in range(count)]
    for cells in columns.values():
        cells += cells[10:20]
    return pl.DataFrame(columns, strict=False)


def write_csv(frame: pl.DataFrame, path: Path) -> None:
    path.write_text(csv_text(frame.to_dict(as_series=False)))


def write_ndjson(frame: pl.DataFrame, path: Path) -> None:
    frame.write_ndjson(path)


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    frame.write_parquet(path, row_group_size=50)


def write_arrow(frame: pl.DataFrame, path: Path) -> None:
    frame.write_ipc(path)


@pytest.mark.parametrize(
    ("name", "write"),
    [("t.csv", write_csv), ("t.ndjson", write_ndjson), ("t.parquet", write_parquet), ("t.arrow", write_arrow)],
)
def test_every_kind_of_file_comes_out_as_in_memory(name: str, write: Write, tmp_path: Path) -> None:
    path = tmp_path / name
    write(rows(), path)
    table, shards = both(str(path))
    assert table.rows["duplicates_dropped"] == 10
    assert_equal(table, shards)


@pytest.mark.parametrize(
    "split",
    [
        {"method": "random"},
        {"method": "group", "column": "who"},
        {"method": "time", "column": "when"},
        {"folds": 4, "fold": 2},
    ],
)
def test_rows_are_dealt_as_in_memory(split: dict[str, Any], tmp_path: Path) -> None:
    write_csv(rows(), tmp_path / "t.csv")
    assert_equal(*both(str(tmp_path / "t.csv"), split=split))


def test_a_column_of_the_table_deals_as_in_memory_and_straddling_rows_are_set_aside(tmp_path: Path) -> None:
    frame = rows(300)
    parts = [("train", "valid", "test", "train")[row % 4] for row in range(frame.height)]
    # The same row in two splits.
    write_csv(
        frame.with_columns(pl.Series("part", parts)).clear().vstack(_straddling(frame, parts)), tmp_path / "t.csv"
    )
    table, shards = both(str(tmp_path / "t.csv"), split={"method": "column", "column": "part"})
    assert "earlier split" in str(table.set_aside["reason"].to_list())
    assert_equal(table, shards)


def _straddling(frame: pl.DataFrame, parts: list[str]) -> pl.DataFrame:
    whole = frame.with_columns(pl.Series("part", parts))
    return whole.vstack(whole[:1].with_columns(part=pl.lit("test")))


def test_encoders_that_learn_from_the_target_hide_a_rows_own(tmp_path: Path) -> None:
    write_csv(rows(), tmp_path / "t.csv")
    assert_equal(*both(str(tmp_path / "t.csv"), features={"encode": "target"}))


def test_a_target_of_numbers_comes_out_as_in_memory(tmp_path: Path) -> None:
    write_csv(rows(), tmp_path / "t.csv")
    table, shards = both(str(tmp_path / "t.csv"), target="size")
    assert table.target.task == "regression"
    assert_equal(table, shards)


def test_files_of_a_pattern_and_their_folders_come_out_as_in_memory(tmp_path: Path) -> None:
    frame = rows(300)
    for number in range(3):
        folder = tmp_path / f"year=202{number}"
        folder.mkdir()
        part = frame[number * 100 : (number + 1) * 100]
        write_csv(part.select(reversed(part.columns)) if number else part, folder / "part.csv")
    table, shards = both(str(tmp_path / "year=*" / "*.csv"))
    assert "year" in [column.name for column in table.cleaning.columns]
    assert_equal(table, shards)


def test_tables_of_their_own_validate_and_test(tmp_path: Path) -> None:
    frame = rows(300)
    write_csv(frame, tmp_path / "t.csv")
    write_csv(small_frame(80, 3), tmp_path / "test.csv")
    write_csv(small_frame(60, 4), tmp_path / "valid.csv")
    own = {"test": str(tmp_path / "test.csv"), "valid": str(tmp_path / "valid.csv")}
    table, shards = both(str(tmp_path / "t.csv"), data=own)
    assert_equal(table, shards)
    assert shards.shards.parts["test"].rows == 80


def small_frame(count: int, seed: int) -> pl.DataFrame:
    """Rows of other people."""
    return rows(400)[:count].with_columns(size=pl.Series(small_columns(count, seed)["size"]))


def test_scores_and_baselines_are_those_of_memory(tmp_path: Path) -> None:
    from wellfit.experiment import Experiment

    write_csv(rows(), tmp_path / "t.csv")
    sections = {"train": {"epochs": 1, "threads": 1}, "model": {"hidden": [4]}}
    table, shards = both(str(tmp_path / "t.csv"), **sections)
    outcome = Experiment(table).outcome()
    for split in ("valid", "test"):
        ours, theirs = shards.score(outcome.predictor, split), table.score(outcome.predictor, split)
        assert ours.metrics == theirs.metrics
        np.testing.assert_array_equal(ours.predicted, theirs.predicted)
    assert shards.baselines(outcome.predictor, "valid", deadline=None) == table.baselines(
        outcome.predictor, "valid", deadline=None
    )


def test_dirt_is_read_as_in_memory_across_batches(tmp_path: Path) -> None:
    frame = rows(400).with_columns(
        price=pl.Series([f"${row:,}.50" if row % 3 else "n/a" for row in range(1000, 1410)]),
        city=pl.Series([("Bonn", "bonn ", "Köln", "BONN")[row % 4] for row in range(410)]),
    )
    write_csv(frame, tmp_path / "t.csv")
    table, shards = both(str(tmp_path / "t.csv"))
    assert {"price", "city"} <= {column.name for column in table.cleaning.used}
    assert_equal(table, shards)


def test_a_sample_that_misses_rows_is_told_and_the_target_is_still_learned_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wellfit.sharding import learning

    monkeypatch.setattr(learning, "SAMPLE_CELLS", 6 * 150)
    write_csv(rows(), tmp_path / "t.csv")
    table, shards = both(str(tmp_path / "t.csv"))
    assert any("sample of" in note for note in shards.notes)
    assert shards.target == table.target
    assert shards.ranges == table.ranges
    assert dict(shards.rows) == dict(table.rows)


def test_a_run_trains_predicts_and_is_replayed(tmp_path: Path) -> None:
    write_csv(rows(), tmp_path / "t.csv")
    weights = []
    for out in ("a", "b"):
        run = wellfit.train(str(tmp_path / "t.csv"), "label", data={"streamed": True}, out=str(tmp_path / out), **QUICK)
        weights.append((tmp_path / out / "model.safetensors").read_bytes())
        assert set(run.metrics) == {"valid", "test", "baselines"}
        assert len(run.predict(str(tmp_path / "t.csv"))) == 410
    assert weights[0] == weights[1]


@pytest.mark.parametrize("source", [{"a": [1, 2, 3], "y": [0, 1, 0]}, "t.json"])
def test_what_is_read_as_a_whole_refuses_to_be_streamed(
    source: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.json").write_text('[{"a": 1, "y": 0}]')
    with pytest.raises(ConfigError, match=r"'data\.streamed: true' is for"):
        prepare(from_mapping({"data": {"target": "y", "streamed": True}}), source)


@pytest.mark.parametrize(
    ("second", "says"),
    [
        ("size,age,kind\n0.5,3,u\n", "lacks column 'label'"),
        ("size,age,kind,label,when,who\n" + "word,3,u,yes,2024-01-01,p1\n" * 5, "column 'size' is words"),
        ("size,age,kind,label,when,who\n0.5,3,u\n", "Line 2 has 3 cells"),
    ],
)
def test_files_that_differ_or_are_at_fault_are_named(second: str, says: str, tmp_path: Path) -> None:
    write_csv(rows(100), tmp_path / "p1.csv")
    (tmp_path / "p2.csv").write_text(second)
    settings = {"source": str(tmp_path / "p*.csv"), "target": "label", "streamed": True}
    with pytest.raises(DataError, match=says):
        prepare(from_mapping({"data": settings}))
    assert not list((tmp_path / "cache").glob("wellfit/shards/.part-*"))


def test_a_parquet_file_that_is_cut_off_is_named(tmp_path: Path) -> None:
    write_parquet(rows(), tmp_path / "t.parquet")
    data = (tmp_path / "t.parquet").read_bytes()
    (tmp_path / "t.parquet").write_bytes(data[: len(data) // 2])
    settings = {"source": str(tmp_path / "t.parquet"), "target": "label", "streamed": True}
    with pytest.raises(DataError, match="cut off or damaged"):
        prepare(from_mapping({"data": settings}))


@pytest.mark.parametrize(("time", "name"), [(None, "mlp"), (30, "realmlp")])
def test_one_network_is_trained_where_an_ensemble_is_the_default(time: int | None, name: str, tmp_path: Path) -> None:
    write_csv(rows(), tmp_path / "t.csv")
    data = {"source": str(tmp_path / "t.csv"), "target": "label", "streamed": True}
    prepared = prepare(from_mapping({"data": data, "model": {"type": "ensemble"}, "train": {"time": time}}))
    assert prepared.config.model["type"] == name
    assert any(f"One network ({name})" in note for note in prepared.notes)
    assert prepare(prepared.config).plan() == prepared.plan()
