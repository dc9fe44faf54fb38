"""Tables larger than memory are predicted and scored as in one piece, in order, into a file that is whole or none."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import wellfit
from small import Command, csv_text, small_columns
from wellfit import prediction, streamed_prediction
from wellfit.data.large import memory
from wellfit.errors import ContractError
from wellfit.streamed_prediction import is_streamed, score_batches


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table that passes for one larger than memory: with dirt, unseen levels and missing targets."""
    monkeypatch.setattr(memory, "SHARE", 0.0)
    monkeypatch.setattr(prediction, "ROWS_AT_ONCE", 40)
    monkeypatch.setattr(streamed_prediction, "CELLS", 4 * 100)
    columns = small_columns(500, seed=5)
    columns["kind"][3], columns["age"][200], columns["label"][7] = "new", "$1,000", None
    path = tmp_path / "large.csv"
    path.write_text(csv_text(columns))
    return path


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".ndjson", ".arrow"])
def test_predictions_are_those_of_one_piece(
    ending: str, large: Path, finished: wellfit.Run, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_streamed(finished.predictor, large)
    streamed = command("predict", str(finished.path), str(large), "-o", f"a{ending}", "--json")
    monkeypatch.setattr(memory, "SHARE", 1.0)
    whole = command("predict", str(finished.path), str(large), "-o", f"b{ending}", "--json")
    assert (streamed.code, whole.code) == (0, 0), streamed.err
    read = {".csv": pl.read_csv, ".parquet": pl.read_parquet, ".ndjson": pl.read_ndjson, ".arrow": pl.read_ipc}[ending]
    assert read(tmp_path / f"a{ending}").equals(read(tmp_path / f"b{ending}"))
    assert streamed.record["report"] == whole.record["report"]
    assert streamed.record["rows"] == 500


def test_scores_are_those_of_one_piece(large: Path, finished: wellfit.Run) -> None:
    streamed, whole = (
        score_batches(finished.predictor, str(large), "coerce"),
        finished.evaluate(str(large), policy="coerce"),
    )
    assert streamed.metrics == whole.metrics
    assert streamed.without_target == whole.without_target == 1
    assert streamed.notes == whole.notes


def test_a_line_at_fault_leaves_no_file(large: Path, finished: wellfit.Run, command: Command, tmp_path: Path) -> None:
    large.write_text(large.read_text() + "1,2\n")
    answer = command("predict", str(finished.path), str(large), "-o", "a.csv")
    assert answer.code == 2
    assert "Line 502 has 2 cells" in answer.err
    assert not list(tmp_path.glob("*a.csv*"))
    assert not list(tmp_path.glob(".*"))


def test_rows_that_do_not_fit_are_refused_under_the_policy_error(large: Path, finished: wellfit.Run) -> None:
    from wellfit.streamed_prediction import predict_batches

    text = large.read_text().splitlines()
    large.write_text("\n".join([*text[:400], "big,3,u,yes", *text[400:]]) + "\n")
    with pytest.raises(ContractError, match="'size': 1 cell can't be read"):
        predict_batches(finished.predictor, str(large), lambda frame: None, "error")


def test_a_lists_of_records_is_read_as_a_whole(large: Path, finished: wellfit.Run, tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    pl.DataFrame({"size": [1, 2]}).write_json(path)
    assert not is_streamed(finished.predictor, path)
