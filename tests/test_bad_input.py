"""Input that can't be used gives one sentence with what to do, exit 2, and nothing is written."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import wellfit
from small import QUICK, QUICK_OPTIONS, Answer, Command, csv_text, small_columns
from strategies import raw_tables
from wellfit.errors import BadInput

COLUMNS = small_columns()
TEXT = csv_text(COLUMNS)
LINES = TEXT.splitlines()


def with_column(name: str, cells: Callable[[int], Any] | Sequence[Any]) -> str:
    values = [cells(row) for row in range(120)] if callable(cells) else list(cells)
    return csv_text({**COLUMNS, name: values})


def expect_refusal(answer: Answer, *said: str, code: int = 2) -> None:
    """One line on standard error, that begins with error: and says what is wrong; nothing else anywhere."""
    assert answer.code == code, answer
    assert len(answer.errors) == 1, answer
    assert answer.err == answer.errors[0] + "\n", "more was said than the error"
    assert "Traceback" not in answer.err
    assert "wellfit itself failed" not in answer.err
    assert "\x1b" not in answer.out + answer.err
    assert len(answer.err) < 700
    for text in said:
        assert text in answer.err


REFUSED: dict[str, tuple[str, bytes, tuple[str, ...]]] = {
    "empty file": ("t.csv", b"", ("is empty", "at least one row")),
    "blank lines": ("t.csv", b"\n\n \n", ("blank lines only",)),
    "header only": ("t.csv", b"size,age,kind,label\n", ("no rows", "header")),
    "one row": ("t.csv", "\n".join(LINES[:2]).encode(), ("at least three rows", "1")),
    "two rows": ("t.csv", "\n".join(LINES[:3]).encode(), ("at least three rows", "2")),
    "two different rows": ("t.csv", "\n".join(LINES[:3] + LINES[1:3] * 9).encode(), ("three different rows", "of 20")),
    "one class": ("t.csv", TEXT.replace("yes", "no").encode(), ("at least two different values", "'no'")),
    "target constant": ("t.csv", with_column("label", lambda _: 3.5).encode(), ("two different values", "3.5")),
    "target missing": ("t.csv", TEXT.replace("label", "lable").encode(), ("no such column", "'lable'")),
    "target all missing": ("t.csv", with_column("label", lambda _: None).encode(), ("must have values", "label")),
    "target infinite": ("t.csv", with_column("label", lambda row: "inf" if row < 9 else row).encode(), ("finite",)),
    "target of lists": (
        "t.json",
        json.dumps([{"x": row, "y": row % 7, "label": [row % 2]} for row in range(50)]).encode(),
        ("one target at a time", "multilabel"),
    ),
    "target alone": ("t.csv", csv_text({"label": COLUMNS["label"]}).encode(), ("column besides the target",)),
    "nothing to learn from": (
        "t.csv",
        csv_text({"a": [None] * 120, "row": list(range(120)), "label": COLUMNS["label"]}).encode(),
        ("At least one column", "'a'", "'row'"),
    ),
    "duplicate names": ("t.csv", TEXT.replace("size,age", "age,age", 1).encode(), ("'age'", "more than once")),
    "short line": ("t.csv", (TEXT + "1,2\n").encode(), ("Line 122", "2 cells", "4")),
    "long line": ("t.csv", (TEXT + "1,2,3,4,5\n").encode(), ("Line 122", "5 cells", "4")),
    "broken quotes": ("t.csv", (TEXT + '0.5,"30,u,yes\n0.1,2,u,no\n').encode(), ("line 122", "never closed")),
    "NUL bytes": ("t.csv", TEXT.encode() + b"0.5,3\x000,u,yes\n", ("Line 122", "NUL")),
    "cell of 10 MB": ("t.csv", TEXT.encode() + b"0.5,30," + b"x" * 10_000_000 + b",yes\n", ("Line 122", "10.0 MB")),
    "cell of 10 MB in quotes": (
        "t.csv",
        TEXT.encode() + b'0,1,"' + b"x,\n" * 3_400_000 + b'",no\n',
        ("Line 122", "MB"),
    ),
    "image": ("t.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, ("PNG image",)),
    "zip archive": ("t.csv", b"PK\x03\x04" + bytes(range(256)) * 9, ("zip archive",)),
    "any bytes": ("t.csv", bytes(range(256)) * 20, ("not a text table",)),
    "damaged gzip": ("t.csv.gz", b"\x1f\x8b" + bytes(range(256)), ("gzip", "damaged")),
    "damaged Parquet": ("t.parquet", b"PAR1" + bytes(range(256)), ("Parquet", "damaged")),
    "no JSON": ("t.json", b"{'a': 1", ("JSON", "Line 1")),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_table_that_teaches_nothing_is_refused(command: Command, tmp_path: Path, kind: str) -> None:
    name, content, said = REFUSED[kind]
    (tmp_path / name).write_bytes(content)
    expect_refusal(command("train", name, "--target", "label", "--out", "run"), *said)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("verb", ["check", "init"])
@pytest.mark.parametrize("kind", ["empty file", "one class", "target missing", "short line", "any bytes"])
def test_the_other_commands_refuse_it_too(command: Command, tmp_path: Path, kind: str, verb: str) -> None:
    name, content, said = REFUSED[kind]
    (tmp_path / name).write_bytes(content)
    expect_refusal(command(verb, name, "--target", "label"), *said)


@pytest.mark.parametrize("kind", ["empty file", "one class", "duplicate names", "damaged Parquet"])
def test_json_answers_with_one_object(command: Command, tmp_path: Path, kind: str) -> None:
    name, content, said = REFUSED[kind]
    (tmp_path / name).write_bytes(content)
    answer = command("train", name, "--target", "label", "--json")
    expect_refusal(answer, *said)
    assert answer.record["exit_code"] == 2
    assert said[0] in answer.record["error"]


def test_a_process_of_its_own_says_the_same(tmp_path: Path) -> None:
    _, content, said = REFUSED["NUL bytes"]
    (tmp_path / "t.csv").write_bytes(content)
    program = [sys.executable, "-m", "wellfit", "train", "t.csv", "-t", "label", "--json"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(program, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    answer = Answer(done.returncode, done.stdout, done.stderr)
    expect_refusal(answer, *said)
    assert answer.record["exit_code"] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


ODD: dict[str, tuple[str | bytes, str]] = {
    "all-missing column": (csv_text({"gap": [None] * 120, **COLUMNS}), "'gap' is left out: it has no value."),
    "1,000 columns": (
        csv_text({**{f"w{n}": [(row * n) % 97 / 7 for row in range(120)] for n in range(1, 1001)}, **COLUMNS}),
        "",
    ),
    "infinite values": (
        with_column("size", lambda row: ("inf", "-inf")[row % 2] if row % 6 == 0 else COLUMNS["size"][row]),
        "are infinite and count as missing",
    ),
    "target with missing values": (
        with_column("label", lambda row: None if row % 10 == 0 else COLUMNS["label"][row]),
        "12 rows",
    ),
    "duplicate rows": (TEXT + "\n".join(LINES[1:31]) + "\n", "30 rows"),
    "UTF-16": (TEXT.encode("utf-16"), "UTF-16"),
    "UTF-8 with a mark": (TEXT.encode("utf-8-sig"), ""),
    "Latin-1": (TEXT.replace(",u,", ",\xfc,").encode("latin-1"), "Latin-1"),
    "semicolons": (TEXT.replace(",", ";"), ""),
    "Windows line ends": (TEXT.replace("\n", "\r\n"), ""),
    "numbers as text": (with_column("size", lambda row: f"$ {COLUMNS['size'][row] * 9000:,.2f}"), "'size'"),
    "names of pain": (TEXT.replace("size,age,kind", '"^.*$"," a\nb ","<script>"'), ""),
}


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_table_is_trained_and_the_oddity_told(command: Command, tmp_path: Path, kind: str) -> None:
    content, said = ODD[kind]
    (tmp_path / "t.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    answer = command("train", "t.csv", "--target", "label", "--out", "run", *QUICK_OPTIONS)
    assert answer.code == 0, answer.err
    told = (tmp_path / "run" / "log.txt").read_text()
    assert said in told
    assert "\x1b" not in answer.out + answer.err
    predicted = command("predict", "run", "t.csv", "-o", "p.csv")
    assert predicted.code == 0, predicted.err
    rows = pl.read_csv("p.csv").height
    assert rows == json.loads((tmp_path / "run" / "plan.json").read_text())["source"]["rows"]


def test_a_column_of_lists_is_read_as_text_and_told(command: Command, tmp_path: Path) -> None:
    table = pl.DataFrame(
        {"list": [[row % 3] for row in range(90)], "x": [row / 7 for row in range(90)], "y": ["a", "b"] * 45}
    )
    table.write_parquet(tmp_path / "t.parquet")
    answer = command("train", "t.parquet", "--target", "y", "--out", "run", *QUICK_OPTIONS)
    assert answer.code == 0, answer.err
    assert "'list' holds lists: it is read as JSON text." in (tmp_path / "run" / "log.txt").read_text()


def test_several_targets_are_refused(command: Command, table: Path) -> None:
    expect_refusal(command("train", table, "--target", "kind,label"), "one target at a time")
    expect_refusal(command("train", table, "-o", "data.target=[kind, label]"), "one target at a time")
    with pytest.raises(BadInput, match="one target at a time"):
        wellfit.train(table, ["kind", "label"])  # type: ignore[arg-type]


def test_a_path_that_is_no_file_is_refused(command: Command, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "rows.csv").write_text(TEXT)
    os.mkfifo(tmp_path / "pipe")
    for given_path, said in {
        "folder": ("A folder is not a table", "rows.csv"),
        "pipe": ("not pipes",),
        "folder/row.csv": ("no such file", "folder/rows.csv"),
        "nowhere/rows.csv": ("no such folder",),
        "folder/rows.csv/x": ("no such",),
        "": ("''",),
        "x" * 5000: ("can't be opened",),
        "ftp://user:secret@host/t.csv": ("ftp", "***"),
    }.items():
        answer = command("train", given_path, "--target", "label")
        expect_refusal(answer, *said)
        assert "secret" not in answer.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "pipe"]


def test_an_unreadable_file_is_refused(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.csv").write_text(TEXT)
    (tmp_path / "t.csv").chmod(0)

    def refuse(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    if os.geteuid() == 0:  # who may read everything
        monkeypatch.setattr(Path, "open", refuse)
    expect_refusal(command("train", "t.csv", "--target", "label"), "permission denied", "t.csv")


def test_a_place_that_is_taken_is_refused(command: Command, table: Path, tmp_path: Path, finished: wellfit.Run) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    shutil.copytree(finished.path, tmp_path / "run")
    before = snapshot(tmp_path)
    train = ("train", table, "--target", "label", "--out")
    expect_refusal(command(*train, "file"), "into a folder", "--out")
    expect_refusal(command(*train, "full"), "other files", "--out")
    expect_refusal(command(*train, "full", "--force"), "other files")
    expect_refusal(command(*train, "run"), "--force")
    assert snapshot(tmp_path) == before


def test_force_overwrites_a_run_and_nothing_else(command: Command, table: Path, tmp_path: Path) -> None:
    train = ("train", table, "--target", "label", "--out", "run", *QUICK_OPTIONS)
    assert command(*train, "--seed", "1").code == 0
    (tmp_path / "run" / "notes.txt").write_text("mine")
    first = (tmp_path / "run" / "model.safetensors").read_bytes()
    assert command(*train, "--seed", "2", "--force").code == 0
    assert (tmp_path / "run" / "model.safetensors").read_bytes() != first
    assert (tmp_path / "run" / "notes.txt").read_text() == "mine"


def test_force_with_a_wrong_setting_leaves_the_old_run(command: Command, tmp_path: Path, finished: wellfit.Run) -> None:
    shutil.copytree(finished.path, tmp_path / "run")
    (tmp_path / "t.csv").write_text(TEXT.replace("yes", "no"))
    before = snapshot(tmp_path)
    expect_refusal(command("train", "t.csv", "--target", "label", "--out", "run", "--force"), "two different values")
    assert snapshot(tmp_path) == before


def test_a_folder_that_can_not_be_made_is_told_before_training(command: Command, table: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    answer = command("train", table, "--target", "label", "--out", "file/run", *QUICK_OPTIONS)
    expect_refusal(answer, "file", "--out")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_unwritable_folder_is_told(
    command: Command, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "locked").mkdir()
    (tmp_path / "locked").chmod(0o500)
    if os.geteuid() == 0:  # who may write everywhere
        monkeypatch.setattr(os, "access", lambda *_: False)
    answer = command("train", table, "--target", "label", "--out", "locked", *QUICK_OPTIONS)
    expect_refusal(answer, "locked", "--out")
    assert list((tmp_path / "locked").iterdir()) == []


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


ROWS: dict[str, tuple[str, str]] = {
    "reordered": (csv_text({name: COLUMNS[name] for name in ("kind", "label", "age", "size")}), ""),
    "an extra column": (csv_text({"more": list(range(120)), **COLUMNS}), "more"),
    "without the target": (csv_text({name: COLUMNS[name] for name in ("size", "age", "kind")}), ""),
    "an unseen category": (with_column("kind", lambda row: "never" if row < 5 else "u"), "never"),
    "missing cells": (with_column("size", lambda row: None if row % 2 else 0.5), "size"),
    "all cells missing": (csv_text({name: [None] * 120 for name in COLUMNS}), "size"),
    "numbers as text": (with_column("size", lambda row: f"{row} %"), "size"),
    "words for numbers": (with_column("size", lambda row: "many" if row < 7 else 0.5), "size"),
    "huge numbers": (with_column("size", lambda row: 10.0 ** (30 * row % 300)), ""),
    "infinite numbers": (with_column("size", lambda _: "-inf"), "size"),
    "one row": ("\n".join(LINES[:2]) + "\n", ""),
}


@pytest.mark.parametrize("kind", ROWS)
def test_each_row_is_answered(command: Command, tmp_path: Path, finished: wellfit.Run, kind: str) -> None:
    text, said = ROWS[kind]
    (tmp_path / "rows.csv").write_text(text)
    answer = command("predict", finished.path, "rows.csv", "-o", "out.parquet")
    assert answer.code == 0, answer.err
    assert said in answer.err
    table = pl.read_parquet("out.parquet")
    assert table.height == len(text.splitlines()) - 1
    assert table.columns == ["prediction", "probability_no", "probability_yes"]
    assert table["prediction"].is_in(["no", "yes"]).all()
    sums = table["probability_no"] + table["probability_yes"]
    assert np.allclose(sums.to_numpy(), 1)


def test_reordered_rows_get_the_same_answers(command: Command, tmp_path: Path, finished: wellfit.Run) -> None:
    (tmp_path / "a.csv").write_text(TEXT)
    (tmp_path / "b.csv").write_text(ROWS["reordered"][0])
    tables = []
    for name in "ab":
        assert command("predict", finished.path, f"{name}.csv", "-o", f"{name}.parquet").code == 0
        tables.append(pl.read_parquet(f"{name}.parquet"))
    assert tables[0].equals(tables[1])


def test_a_missing_column_is_refused(command: Command, tmp_path: Path, finished: wellfit.Run) -> None:
    (tmp_path / "rows.csv").write_text(csv_text({"age": COLUMNS["age"], "Kind": COLUMNS["kind"]}))
    answer = command("predict", finished.path, "rows.csv", "-o", "out.parquet")
    expect_refusal(answer, "'size'", "'kind'")
    assert not (tmp_path / "out.parquet").exists()


def test_rows_without_the_target_are_not_evaluated(command: Command, tmp_path: Path, finished: wellfit.Run) -> None:
    (tmp_path / "rows.csv").write_text(ROWS["without the target"][0])
    expect_refusal(command("evaluate", finished.path, "rows.csv"), "'label'", "predict")


@pytest.mark.parametrize("rows", ["", "size,age,kind\n"])
@pytest.mark.parametrize("verb", ["predict", "evaluate"])
def test_no_rows_are_refused(command: Command, tmp_path: Path, finished: wellfit.Run, rows: str, verb: str) -> None:
    (tmp_path / "rows.csv").write_text(rows)
    output = ["-o", "out.csv"] * (verb == "predict")
    expect_refusal(command(verb, finished.path, "rows.csv", *output), "at least one row")


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("out.xlsx", ".parquet"),
        ("out", ".parquet"),
        ("out.parquett", "Did you mean '.parquet'?"),
        ("nowhere/out.csv", "folder"),
        ("folder.csv", "into a file"),
    ],
)
def test_an_output_that_can_not_be_written_is_refused(
    command: Command, tmp_path: Path, table: Path, finished: wellfit.Run, output: str, said: str
) -> None:
    (tmp_path / "folder.csv").mkdir()
    expect_refusal(command("predict", finished.path, table, "-o", output), said)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.csv"]


def test_a_policy_of_error_refuses_rows_that_do_not_fit(command: Command, tmp_path: Path, table: Path) -> None:
    answer = command("train", table, "-t", "label", "--out", "run", *QUICK_OPTIONS, "-o", "clean.on_schema=error")
    assert answer.code == 0
    (tmp_path / "rows.csv").write_text(ROWS["words for numbers"][0])
    expect_refusal(command("predict", "run", "rows.csv", "-o", "out.csv"), "'size'", "7 cells", "'many'")
    assert command("predict", "run", table, "-o", "out.csv").code == 0


@pytest.mark.parametrize("verb", ["predict", "evaluate", "report", "resume"])
def test_a_folder_that_is_no_run_is_refused(command: Command, tmp_path: Path, table: Path, verb: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "config.yaml").write_text("version: 1\n")
    rest = {"predict": [table, "-o", "out.csv"], "evaluate": [table]}.get(verb, [])
    expect_refusal(command(verb, "nowhere", *rest), "no such folder")
    expect_refusal(command(verb, "folder", *rest), "wellfit train")
    expect_refusal(command(verb, table, *rest), "wellfit train")
    expect_refusal(command(verb, "begun", *rest))


def test_an_unfinished_run_names_resume(command: Command, tmp_path: Path, table: Path, finished: wellfit.Run) -> None:
    shutil.copytree(finished.path, tmp_path / "run")
    (tmp_path / "run" / "metrics.json").unlink()
    expect_refusal(command("predict", "run", table, "-o", "out.csv"), "wellfit resume run")
    expect_refusal(command("evaluate", "run", table), "wellfit resume run")
    expect_refusal(command("report", "run"), "wellfit resume run")


DAMAGE: dict[str, Callable[[Path], object]] = {
    "gone": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "any bytes": lambda path: path.write_bytes(bytes(range(256)) * 3),
    "another mapping": lambda path: path.write_text('{"version": 1, "a": [1]}'),
    "another list": lambda path: path.write_text('[1, {"a": 2}]'),
    "deep": lambda path: path.write_text("[" * 20_000),
}

NEEDED = {
    "config.yaml": ("predict", "evaluate", "report", "resume"),
    "plan.json": ("predict", "evaluate", "report"),
    "model.json": ("predict", "evaluate", "report"),
    "model.safetensors": ("predict", "evaluate"),
    "history.parquet": ("report",),
    "findings.json": ("report",),
    "evaluation.json": ("report",),
    "metrics.json": ("report",),
}


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("name", NEEDED)
def test_an_altered_run_is_refused(
    command: Command, tmp_path: Path, table: Path, finished: wellfit.Run, name: str, damage: str
) -> None:
    shutil.copytree(finished.path, tmp_path / "run")
    DAMAGE[damage](tmp_path / "run" / name)
    before = snapshot(tmp_path)
    rest = {"predict": [table, "-o", "out.csv"], "evaluate": [table], "report": ["-o", "page.html"]}
    for verb in NEEDED[name]:
        answer = command(verb, "run", *rest.get(verb, []))
        expect_refusal(answer)
        assert name in answer.err or damage == "gone"
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("name", ["plan.json", "model.json"])
def test_a_run_of_a_later_version_is_refused(
    command: Command, tmp_path: Path, table: Path, finished: wellfit.Run, name: str
) -> None:
    shutil.copytree(finished.path, tmp_path / "run")
    path = tmp_path / "run" / name
    path.write_text(path.read_text().replace('"version": 1', '"version": 99', 1))
    expect_refusal(command("predict", "run", table, "-o", "out.csv"), "99", "newer wellfit")


def test_weights_of_another_network_are_refused(
    command: Command, tmp_path: Path, table: Path, finished: wellfit.Run
) -> None:
    wide = ("-o", "model.hidden=[5]")
    assert command("train", table, "-t", "label", "--out", "other", *QUICK_OPTIONS, *wide).code == 0
    shutil.copytree(finished.path, tmp_path / "run")
    shutil.copy(tmp_path / "other" / "model.safetensors", tmp_path / "run")
    expect_refusal(command("predict", "run", table, "-o", "out.csv"), "as wellfit wrote it")


def test_resuming_a_finished_run_changes_nothing(command: Command, tmp_path: Path, finished: wellfit.Run) -> None:
    shutil.copytree(finished.path, tmp_path / "run")
    before = snapshot(tmp_path)
    answer = command("resume", "run", "--json")
    assert answer.code == 0
    assert answer.record["metrics"] == finished.metrics
    assert snapshot(tmp_path) == before


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=raw_tables(max_rows=14), column=st.integers(0, 4), repeated=st.integers(1, 4))
def test_any_table_trains_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, raw: Any, column: int, repeated: int
) -> None:
    """Whatever stands in a table: a run that answers every row, or an error that says what is wrong with it."""
    rows = list(raw.rows) * repeated
    frame = pl.DataFrame(rows, schema=dict.fromkeys(raw.names, pl.String), orient="row")
    target = raw.names[column % len(raw.names)]
    options = {**QUICK, "epochs": 1, "clean": {"duplicates": "keep"}}
    try:
        run = wellfit.train(frame, target, out=str(tmp_path_factory.mktemp("any") / "run"), **options)
    except BadInput:
        return
    assert len(run.predict(frame, policy="coerce")) == len(rows)
    assert run.task == "regression" or np.allclose(run.predict_proba(frame, policy="coerce").sum(axis=1), 1)


@pytest.mark.parametrize("verb", ["train", "check", "init", "predict", "evaluate", "report", "resume"])
def test_no_message_looks_like_a_python_error(command: Command, verb: str, tmp_path: Path) -> None:
    """Wrong in every way at once: still one sentence."""
    rest = {"predict": ["nothing.csv", "-o", "x.y"], "evaluate": ["nothing.csv"], "init": ["--target", "z"]}
    answer = command(verb, "nothing", *rest.get(verb, []), "--json")
    assert answer.code == 2
    assert len(answer.errors) == 1
    assert not re.search(r"Error:|Exception|\bNone\b|object at 0x", answer.err)
    assert list(answer.record) == ["error", "exit_code"]
    assert list(tmp_path.iterdir()) == []
