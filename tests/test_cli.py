"""The commands: what they print, where, and what they leave."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import polars as pl
import pytest
import yaml

import wellfit
from small import QUICK_OPTIONS, Command, csv_text, small_columns
from wellfit.optimizers import OPTIMIZERS

COLUMNS = small_columns()

FAMILIES = [
    *("sources", "splits", "scalers", "encoders", "texts", "selectors", "transformers"),
    *("models", "losses", "optimizers", "schedules", "regularizers", "augmentations", "metrics"),
]


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def run(finished: wellfit.Run) -> Path:
    return finished.path


def test_train_prints_scores_beside_baselines_and_where_the_run_is(command: Command, table: Path) -> None:
    answer = command("train", table, "--target", "label", "--out", "run", *QUICK_OPTIONS)
    assert answer.code == 0
    assert not answer.err
    assert re.search(r"76 train, 20 valid\w*, 24 test", answer.out)
    for row in ("test", "validation", "baseline: majority", "baseline: linear"):
        assert re.search(rf"^ *{row} +\d\.\d{{4}} ", answer.out, flags=re.MULTILINE), row
    assert re.search(r"^Run: +run$", answer.out, flags=re.MULTILINE)


def test_train_with_json_prints_one_object(command: Command, table: Path) -> None:
    answer = command("train", "--json", "--out", "run", *QUICK_OPTIONS, table, "--target", "label")
    record = answer.record
    assert not answer.err
    assert record["run"] == "run"
    assert record["task"] == "binary"
    assert record["metrics"] == json.loads(Path("run/metrics.json").read_text())
    assert record["findings"] == json.loads(Path("run/findings.json").read_text())
    assert record["report"] is None


def test_the_report_is_named(command: Command, table: Path) -> None:
    answer = command("train", table, "--target", "label", "--out", "run", *QUICK_OPTIONS, "-o", "output.report=true")
    assert re.search(r"^Report: +run/report.html$", answer.out, flags=re.MULTILINE)
    assert Path("run/report.html").stat().st_size > 10_000


def test_the_default_folder_is_numbered(command: Command, table: Path) -> None:
    for number in (1, 2):
        answer = command("train", table, "--target", "label", "--json", *QUICK_OPTIONS)
        assert answer.record["run"] == f"runs/small-{number}"


def test_the_command_line_overrides_the_file(command: Command, table: Path) -> None:
    Path("run.yaml").write_text(
        f"data: {{source: {table}, target: kind}}\ntrain: {{seed: 1, epochs: 50, threads: 1}}\nmodel: {{hidden: [4]}}\n"
        "output: {run: from-file, report: false}\n"
    )
    options = ("--target", "label", "--seed", "9", "--out", "other", "-o", "train.epochs=1", "--workers", "0")
    assert command("train", "-c", "run.yaml", *options, "--json").record["run"] == "other"
    config = wellfit.load("other").config
    assert config["data"]["target"] == "label"
    assert config["train"]["seed"] == 9
    assert config["train"]["epochs"] == 1
    assert config["split"]["seed"] == 42, "--seed is train.seed alone"


def test_a_table_without_header_is_trained_by_index(command: Command) -> None:
    body = csv_text(COLUMNS).split("\n", 1)[1]
    Path("bare.csv").write_text(body.replace(",", ", "))
    answer = command("train", "bare.csv", "--target", "-1", "--out", "run", "--json", *QUICK_OPTIONS)
    assert answer.code == 0, answer.err
    loaded = wellfit.load("run")
    assert loaded.plan["target"]["name"] == "c3"
    assert loaded.plan["source"]["rows"] == 120
    assert loaded.classes_.tolist() == ["no", "yes"]
    assert command("predict", "run", "bare.csv", "-o", "out.csv").code == 0
    assert pl.read_csv("out.csv").height == 120


def test_a_test_table_of_its_own_is_scored_whole(command: Command, table: Path) -> None:
    columns = small_columns(rows=50, seed=3)
    columns["label"] = [f"{label}." for label in columns["label"]]
    Path("held.csv").write_text(csv_text(columns))
    answer = command(
        "train", table, "-t", "label", "--out", "run", "--json", *QUICK_OPTIONS, "-o", "data.test=held.csv"
    )
    assert answer.code == 0, answer.err
    plan = json.loads(Path("run/plan.json").read_text())
    assert plan["rows"]["test"] == 50
    scored = wellfit.load("run").evaluate("held.csv")
    assert len(scored.target) == 50
    assert (scored.target >= 0).all()
    assert scored.metrics == answer.record["metrics"]["test"]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("out.parquet", pl.read_parquet),
        ("out.csv", pl.read_csv),
        ("out.ndjson", pl.read_ndjson),
        ("out.jsonl", pl.read_ndjson),
        ("out.arrow", pl.read_ipc),
        ("OUT.CSV", pl.read_csv),
    ],
)
def test_predictions_are_written_as_the_name_says(
    command: Command, run: Path, table: Path, name: str, read: Any
) -> None:
    answer = command("predict", run, table, "-o", name)
    assert answer.code == 0
    assert answer.out == f"120 rows predicted: {name}\n"
    assert answer.err == "note: 'age': 13 cells are missing.\n"
    given = read(name)
    loaded = wellfit.load(run)
    assert given.columns == ["prediction", "probability_no", "probability_yes"]
    assert given["prediction"].to_list() == loaded.predict(table).tolist()
    assert given["probability_yes"].to_numpy() == pytest.approx(loaded.predict_proba(table)[:, 1], rel=1e-12)
    assert sorted(os.listdir()) == [name]


def test_predictions_of_numbers_are_one_column(command: Command, table: Path) -> None:
    assert command("train", table, "-t", "size", "--out", "run", *QUICK_OPTIONS).code == 0
    assert command("predict", "run", table, "-o", "out.parquet").code == 0
    given = pl.read_parquet("out.parquet")
    assert given.columns == ["prediction"]
    assert given["prediction"].dtype == pl.Float64
    assert given.height == 120


def test_predict_with_json_prints_one_object(command: Command, run: Path, table: Path) -> None:
    answer = command("predict", run, table, "-o", "out.csv", "--json")
    assert not answer.err
    assert answer.record["rows"] == 120
    assert answer.record["report"]["columns"]["age"]["missing"] == 13


def test_predictions_overwrite_the_former_ones_whole(command: Command, run: Path, table: Path) -> None:
    Path("out.csv").write_text("old " * 10_000)
    assert command("predict", run, table, "-o", "out.csv").code == 0
    assert "old" not in Path("out.csv").read_text()


def test_evaluate_gives_the_test_score_on_the_test_rows(command: Command, run: Path, finished: wellfit.Run) -> None:
    from wellfit.config import from_mapping
    from wellfit.preparation import prepare

    config = {"data": {"target": "label"}}
    prepare(from_mapping(config), COLUMNS).frames["test"].write_csv("held.csv")
    answer = command("evaluate", run, "held.csv", "--json")
    assert answer.record["rows"] == 24
    assert answer.record["metrics"] == pytest.approx(finished.metrics["test"])
    said = command("evaluate", run, "held.csv")
    assert said.code == 0
    assert said.out.strip().startswith("24 rows")
    assert re.search(r"accuracy +0\.\d+", said.out)


def test_check_trains_nothing_and_leaves_nothing(command: Command, table: Path, tmp_path: Path) -> None:
    answer = command("check", table, "--target", "label")
    assert answer.code == 0
    for name in ("size", "age", "kind", "label", "120 read"):
        assert name in answer.out
    record = command("check", table, "--target", "label", "--json").record
    assert [column["name"] for column in record["columns"]] == ["size", "age", "kind"]
    assert [column["kind"] for column in record["columns"]] == ["number", "number", "category"]
    assert record["rows"]["train"] == 76
    assert {"code", "severity", "where"} <= set(record["findings"][0])
    assert list(tmp_path.iterdir()) == []


def test_init_gives_a_config_that_trains(command: Command, table: Path) -> None:
    answer = command("init", table, "--target", "label")
    assert not answer.err
    Path("run.yaml").write_text(answer.out)
    assert yaml.safe_load(answer.out)["data"] == {"source": str(table), "target": "label", "task": "binary"}
    assert 10 < len(answer.out.splitlines()) < 50
    assert "#" in answer.out
    trained = command("train", "-c", "run.yaml", "--out", "run", "--json", *QUICK_OPTIONS)
    assert trained.code == 0, trained.err
    assert command("init", table, "--target", "label", "--json").record["config"].strip() == answer.out.strip()


def test_report_of_one_run_and_of_several(command: Command, run: Path, table: Path) -> None:
    assert command("train", table, "-t", "label", "--out", "other", *QUICK_OPTIONS, "--seed", "3").code == 0
    assert command("report", "other").out == "Report: other/report.html\n"
    assert command("report", "other", "-o", "page.html", "--json").record == {"report": "page.html"}
    assert Path("page.html").read_bytes() == Path("other/report.html").read_bytes()
    assert command("report", run, "other").out == "Report: comparison.html\n"
    page = Path("comparison.html").read_text()
    assert "other" in page
    assert "small" in page
    assert "<script src=" not in page
    assert "http://" not in re.sub(r'http://www\.w3\.org/[^"\' ]*', "", page.split("</style>")[0])


@pytest.mark.parametrize("family", FAMILIES)
def test_list_tells_of_each_member(command: Command, family: str) -> None:
    said, record = command("list", family), command("list", family, "--json").record
    assert said.code == 0
    assert list(record) == [family]
    for member in record[family]:
        assert f"{member['name']}: {member['summary']}" in said.out
        assert {"name", "summary", "formula", "options", "reference", "refuses"} <= set(member)
        for option in member["options"]:
            assert option["help"]
            assert re.search(rf"^ +{option['name']} = ", said.out, flags=re.MULTILINE)


def test_list_names_every_family(command: Command) -> None:
    assert list(command("list", "--json").record) == FAMILIES
    said = command("list").out
    assert all(family in said for family in FAMILIES)
    assert all(name in said for name in OPTIMIZERS)


def test_list_of_an_unknown_family_names_the_nearest(command: Command) -> None:
    answer = command("list", "optimizer")
    assert answer.code == 2
    assert answer.errors == [answer.err.strip()]
    assert "Did you mean 'optimizers'?" in answer.err


def test_the_schema_is_valid_and_takes_a_runs_config(command: Command, run: Path) -> None:
    schema = json.loads(command("schema").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    config = yaml.safe_load((run / "config.yaml").read_text())
    validator.validate(config)
    validator.validate({"train": {"epochs": 3, "optimizer": {"name": "adam", "lr": 0.1}}})
    for wrong in ({"trian": {}}, {"train": {"epochs": "many"}}, {"model": {"dropout": 2}}, {"data": {"task": "x"}}):
        assert list(validator.iter_errors(wrong)), wrong


def test_resume_of_a_finished_run_prints_it_and_changes_nothing(command: Command, run: Path) -> None:
    before = snapshot(run)
    answer = command("resume", run)
    assert answer.code == 0
    assert "baseline: majority" in answer.out
    assert snapshot(run) == before


def test_nothing_is_said_in_colour_where_no_terminal_is(command: Command, run: Path, table: Path) -> None:
    for arguments in (
        ("train", table, "-t", "label", "--out", "run", *QUICK_OPTIONS),
        ("check", table, "-t", "label"),
        ("evaluate", run, table),
        ("list",),
        ("list", "optimizers"),
        ("--help",),
        ("train", "--help"),
    ):
        answer = command(*arguments)
        assert answer.code == 0
        assert "\x1b" not in answer.out + answer.err
        assert "\r" not in answer.out + answer.err


def in_a_terminal(arguments: list[str], folder: Path) -> tuple[int, str]:
    """Run the command with standard output and error on a pseudo-terminal."""
    import pty

    leader, follower = pty.openpty()
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
    for name in ("NO_COLOR", "CI", "FORCE_COLOR"):
        environment.pop(name, None)
    program = [sys.executable, "-m", "wellfit", *arguments]
    with subprocess.Popen(
        program, cwd=folder, env=environment, stdin=follower, stdout=follower, stderr=follower
    ) as process:
        os.close(follower)
        shown, until = b"", time.monotonic() + 60
        while time.monotonic() < until:
            ready, _, _ = select.select([leader], [], [], 0.2)
            try:
                part = os.read(leader, 65536) if ready else b""
            except OSError:  # the other end is closed
                break
            shown += part
            if not part and process.poll() is not None:
                break
        code = process.wait(timeout=10)
    os.close(leader)
    return code, shown.decode(errors="replace")


def test_in_a_terminal_progress_is_shown(tmp_path: Path, table: Path) -> None:
    options = ["-o", "train.epochs=60", "-o", "train.threads=1", "-o", "train.early_stopping=null"]
    arguments = ["train", str(table), "-t", "label", "--out", "run", *options, "-o", "output.report=false"]
    code, shown = in_a_terminal(arguments, tmp_path)
    assert code == 0, shown
    assert "steps/s" in shown
    assert re.search(r"train \d\.\d+", shown)
    assert re.search(r"valid \d\.\d+", shown)
    assert "\x1b" in shown
    assert "Traceback" not in shown
    assert "baseline: majority" in shown
    assert (tmp_path / "run" / "metrics.json").exists()


def test_a_pipe_that_is_closed_is_no_error() -> None:
    program = f"{sys.executable} -m wellfit list optimizers | head -n 1"
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("bgd: ")
    assert not done.stderr


def test_the_policy_is_chosen_when_rows_are_read(command: Command, tmp_path: Path, finished: wellfit.Run) -> None:
    rows = small_columns()
    lacking = pl.DataFrame({name: cells for name, cells in rows.items() if name != "kind"})
    strange = pl.DataFrame({**rows, "kind": ["nowhere"] * len(rows["kind"])})
    lacking.write_csv(tmp_path / "lacking.csv")
    strange.write_csv(tmp_path / "strange.csv")
    for verb, rest in (("predict", ["-o", "out.csv"]), ("evaluate", [])):
        for policy in ("warn", "error"):
            answer = command(verb, finished.path, "lacking.csv", *rest, "--on-schema", policy)
            assert (answer.code, "'kind' that the model needs" in answer.err) == (2, True)
        assert command(verb, finished.path, "lacking.csv", *rest, "--on-schema", "coerce").code == 0
        assert command(verb, finished.path, "strange.csv", *rest, "--on-schema", "error").code == 2
        warned = command(verb, finished.path, "strange.csv", *rest, "--on-schema", "warn")
        assert warned.code == 0
        assert warned.err.count("'kind': ") == 1
        unknown = command(verb, finished.path, "strange.csv", *rest, "--on-schema", "eror")
        assert (unknown.code, "Did you mean 'error'" in unknown.err) == (2, True)
