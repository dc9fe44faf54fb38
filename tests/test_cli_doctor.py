"""The doctor on the command line: diagnose, treat, check --deep, and what train says of it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wellfit
from small import QUICK_OPTIONS, Command, csv_text, small_columns
from wellfit.config import from_mapping
from wellfit.findings import Finding, Remedy
from wellfit.history import History
from wellfit.treatment import Treatment, TrialRow


@pytest.fixture(scope="module")
def ill(table: Path, tmp_path_factory: pytest.TempPathFactory) -> wellfit.Run:
    """A run whose rate is far too high for its network to keep anything."""
    out = tmp_path_factory.mktemp("ill") / "run"
    settings = {"epochs": 30, "model": {"hidden": [16], "norm": "none"}, "threads": 1, "report": False}
    optimizer = {"name": "minibatch", "lr": 500.0}
    return wellfit.train(table, "label", out=str(out), optimizer=optimizer, schedule=None, clip_norm=None, **settings)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> wellfit.Run:
    """A run that trained for long enough to be judged."""
    out = tmp_path_factory.mktemp("judged") / "run"
    settings = {"epochs": 20, "model": {"hidden": [16]}, "threads": 1, "report": False}
    return wellfit.train(small_columns(400), "label", out=str(out), **settings)


def with_findings(run: wellfit.Run, folder: Path, *findings: Finding) -> Path:
    """A copy of a run with what was found in its data, and with nothing to find in its training."""
    shutil.copytree(run.path, folder)
    History().write(folder / "history.parquet")
    (folder / "findings.json").write_text(json.dumps([finding.as_dict() for finding in findings]))
    return folder


LEAK = Finding(
    code="target_leakage",
    severity="error",
    where="age",
    when="before training",
    message="'age' gives it away.",
    evidence={"r2": 0.98765, "rows": 1200, "kind": "copy"},
    remedies=(
        Remedy(path="train.clip_norm", value=0.5, why="as an example"),
        Remedy(path="features.columns", value={"age of it": {"type": "drop"}}, why="leave it out"),
        Remedy(path="no.such.key", value=1, why="look at the rows"),
    ),
)


def test_a_finding_is_told_whole_with_remedies_to_paste(
    command: Command, finished: wellfit.Run, tmp_path: Path
) -> None:
    answer = command("diagnose", with_findings(finished, tmp_path / "run", LEAK))
    assert answer.code == 0
    assert not answer.err
    for line in (
        "error: 'age' gives it away. [target_leakage]",
        "    where: age, before training",
        "    evidence: r2 0.9877, rows 1,200, kind copy",
        "    try: -o train.clip_norm=0.5    as an example",
        "    try: -o 'features.columns={age of it: {type: drop}}'    leave it out",
        "    try: look at the rows (no.such.key=1)",
    ):
        assert line in answer.out.splitlines(), line
    # What is to be pasted is a setting that the config takes.
    assert from_mapping({}, ["features.columns={age of it: {type: drop}}"]).features.columns["age of it"].type == "drop"


def test_the_verdict_comes_first_with_figures_and_intervals(command: Command, judged: wellfit.Run) -> None:
    verdict = judged.fit
    assert verdict is not None
    lines = command("diagnose", judged.path).out.splitlines()
    assert lines[0] == f"Fit:     {verdict.verdict.replace('_', ' ')}"
    figure = str(verdict.train["accuracy"])
    assert re.fullmatch(r"[\d.]+ \([\d.]+ to [\d.]+\)", figure)
    (told,) = [line for line in lines if line.startswith("    accuracy, with 95 % intervals: ")]
    assert f"training {figure}, validation {verdict.valid['accuracy']}" in told


def test_json_is_one_object_with_findings_and_fit(command: Command, ill: wellfit.Run, judged: wellfit.Run) -> None:
    assert judged.fit is not None
    assert command("diagnose", judged.path, "--json").record["fit"] == json.loads(json.dumps(judged.fit.as_dict()))
    record = command("diagnose", ill.path, "--json").record
    grave = [finding for finding in record["findings"] if finding["severity"] != "info"]
    assert {"code", "severity", "where", "when", "evidence", "message", "remedies"} <= grave[0].keys()
    assert grave == [finding.as_dict() for finding in ill.findings if finding.severity != "info"]


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize(
    ("severity", "fail_on", "code"),
    [
        ("error", "error", 3),
        ("error", "warning", 3),
        ("warning", "error", 0),
        ("warning", "warning", 3),
        ("info", "warning", 0),
        ("error", None, 0),
    ],
)
def test_a_run_is_refused_where_it_was_asked_for(
    command: Command,
    finished: wellfit.Run,
    tmp_path: Path,
    severity: Any,
    fail_on: str | None,
    code: int,
    as_json: bool,
) -> None:
    finding = Finding(code="split_leakage", severity=severity, message="Rows are in both.")
    folder = with_findings(finished, tmp_path / "run", finding)
    options = [] if fail_on is None else ["--fail-on", fail_on]
    answer = command("diagnose", folder, *options, *["--json"] * as_json)
    assert answer.code == code
    assert len(answer.errors) == (code == 3)
    assert "split_leakage" in (answer.errors[0] if code else answer.out)
    if as_json:
        assert [found["code"] for found in answer.record["findings"]].count("split_leakage") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["diagnose", "nowhere"], "There is no such folder"),
        (["treat", "nowhere"], "There is no such folder"),
        (["diagnose", "."], "A run is a folder that wellfit train wrote"),
        (["diagnose", "nowhere", "--fail-on", "info"], "--fail-on"),
        (["diagnose"], "RUN"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_bad_input_is_one_line_and_2(command: Command, arguments: list[str], said: str, as_json: bool) -> None:
    answer = command(*arguments, *["--json"] * as_json)
    assert answer.code == 2
    assert answer.err.count("\n") == 1
    assert said in answer.err
    if as_json:
        assert answer.record["exit_code"] == 2


@pytest.mark.parametrize("name", ["history.parquet", "findings.json"])
def test_an_altered_run_is_one_line_and_2(command: Command, finished: wellfit.Run, tmp_path: Path, name: str) -> None:
    folder = with_findings(finished, tmp_path / "run")
    (folder / name).write_bytes(b"\x00 no such thing")
    answer = command("diagnose", folder, "--json")
    assert answer.code == 2
    assert len(answer.errors) == 1
    assert answer.record["exit_code"] == 2


def test_rows_that_were_in_memory_are_asked_for(command: Command, tmp_path: Path) -> None:
    settings = {"epochs": 1, "model": {"hidden": [4]}, "threads": 1, "report": False}
    run = wellfit.train(small_columns(), "label", out=str(tmp_path / "run"), **settings)
    for arguments in (["diagnose", run.path, "--learning-curve"], ["treat", run.path]):
        answer = command(*arguments)
        assert answer.code == 2
        assert "in memory" in answer.errors[0]


def test_a_learning_curve_is_measured_kept_and_told_again(
    command: Command, finished: wellfit.Run, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(finished.path, folder)
    answer = command("diagnose", folder, "--learning-curve")
    assert answer.code == 0, answer.err
    assert "training rows in place of 76" in answer.out
    kept = json.loads((folder / "learning_curve.json").read_text())
    assert {point["rows"] for point in kept["points"]} == {10, 19, 38, 76}
    again = command("diagnose", folder, "--json").record
    assert again["learning_curve"] == kept
    assert again["fit"]["learning_curve"] == kept
    assert command("report", folder).code == 0
    assert "What more rows would bring" in (folder / "report.html").read_text()


def treated(cured: bool) -> Treatment:
    rows = [
        TrialRow(
            remedy="train.optimizer.lr=auto",
            change={"train.optimizer.lr": "auto"},
            effect=None,
            seconds=1.25,
            accepted=cured,
            why="gain beyond seed noise on 3 fresh seeds",
        )
    ]
    remedy = Remedy(path="train.optimizer.lr", value="auto", why="its own rate")
    return Treatment(
        findings=[LEAK],
        trials=rows,
        metric="accuracy",
        before=0.5,
        after=0.9 if cured else None,
        accepted=[remedy] if cured else [],
        options={"train.optimizer.lr": "auto", "model": {"type": "mlp"}} if cured else {},
        advice=["Give more rows."],
    )


@pytest.mark.parametrize("cured", [True, False])
def test_treat_prints_what_was_tried_and_how_to_have_it(
    command: Command, finished: wellfit.Run, monkeypatch: pytest.MonkeyPatch, cured: bool
) -> None:
    asked: dict[str, Any] = {}

    def stand_in(run: Path, **given: Any) -> Treatment:
        asked.update(given, run=run)
        given["report"]("train.optimizer.lr=auto")
        return treated(cured)

    monkeypatch.setattr("wellfit.treatment.treat_run", stand_in)
    answer = command("treat", finished.path)
    assert answer.code == 0
    assert asked["run"] == finished.path
    assert asked["apply"] is False
    assert answer.err.splitlines() == [f"Trying remedies on {finished.path}", "train.optimizer.lr=auto"]
    assert "error: 'age' gives it away. [target_leakage]" in answer.out
    assert re.search(rf"train.optimizer.lr=auto +- +1.2 +{'yes' if cured else 'no'} +gain beyond", answer.out)
    assert "Give more rows." in answer.out
    if cured:
        assert "Proved: accuracy goes from 0.5 to 0.9" in answer.out
        assert "-o train.optimizer.lr=auto -o 'model={type: mlp}'" in answer.out
    else:
        assert "No remedy is proved to help." in answer.out
    record = command("treat", finished.path, "--json").record
    assert record["run"] is None
    assert len(record["accepted"]) == int(cured)


def test_treat_names_the_run_it_made(command: Command, finished: wellfit.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def stand_in(run: Path, **given: Any) -> Treatment:
        treatment = treated(cured=True)
        treatment.result = finished if given["apply"] else None
        return treatment

    monkeypatch.setattr("wellfit.treatment.treat_run", stand_in)
    answer = command("treat", finished.path, "--apply")
    assert answer.out.splitlines()[-1] == f"Run:    {finished.path}"
    assert command("treat", finished.path, "--apply", "--json").record["run"] == str(finished.path)


def test_train_names_verdict_and_grave_findings_in_a_line_each(
    command: Command, ill: wellfit.Run, judged: wellfit.Run
) -> None:
    # A finished run is left as it is, and tells the same again.
    answer = command("resume", ill.path)
    assert answer.code == 0, answer.err
    grave = [finding for finding in ill.findings if finding.severity != "info"]
    assert grave
    for finding in grave:
        assert f"{finding.severity}: {finding.message} [{finding.code}]" in answer.out.splitlines()
    assert re.search(rf"^Why: +wellfit diagnose {re.escape(str(ill.path))}$", answer.out, flags=re.MULTILINE)
    assert judged.fit is not None
    told = command("resume", judged.path).out
    assert re.search(rf"^Fit: +{judged.fit.verdict.replace('_', ' ')}\. ", told, flags=re.MULTILINE)
    assert command("resume", judged.path, "--json").record["fit"]["verdict"] == judged.fit.verdict


def learnable(labels: str) -> str:
    columns = small_columns(400)
    if labels == "shuffled":
        columns["label"] = np.random.default_rng(0).permutation(columns["label"]).tolist()
    return csv_text(columns)


DEEP = ("--deep", "-o", "train.threads=1", "-o", "model.hidden=[32]")


def test_check_deep_learns_a_batch_and_tells_labels_from_shuffled_ones(command: Command) -> None:
    Path("rows.csv").write_text(learnable("real"))
    answer = command("check", "rows.csv", "--target", "label", *DEEP)
    assert answer.code == 0, answer.err
    assert re.search(r"^First pass: the loss is 0\.\d+\.$", answer.out, flags=re.MULTILINE)
    assert re.search(r"^One batch by heart: 32 rows learned in \d+ updates\.$", answer.out, flags=re.MULTILINE)
    shuffled, real = map(float, re.findall(r"Labels shuffled: validation loss ([\d.]+), ([\d.]+) as", answer.out)[0])
    assert shuffled > 1.5 * real
    assert "warning:" not in answer.out


def test_check_deep_finds_labels_that_were_shuffled(command: Command) -> None:
    Path("rows.csv").write_text(learnable("shuffled"))
    record = command("check", "rows.csv", "--target", "label", "--json", *DEEP).record
    assert {"first_pass", "by_heart", "shuffled"} == record["deep"].keys()
    assert "shuffled_labels" in [finding["code"] for finding in record["findings"] if finding["severity"] != "info"]
    assert record["deep"]["shuffled"]["standard_errors"] < 2


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["train.optimizer.lr=1e-8"], "learning_rate_too_low"),
        (["model.hidden=[1]", "model.norm=none"], "underfitting"),
    ],
)
def test_check_deep_names_what_keeps_a_batch_from_being_learned(
    command: Command, options: list[str], code: str
) -> None:
    Path("rows.csv").write_text(learnable("real"))
    given = [part for option in options for part in ("-o", option)]
    record = command("check", "rows.csv", "--target", "label", "--json", *DEEP, *given).record
    assert code in [finding["code"] for finding in record["findings"] if finding["severity"] != "info"]
    assert record["deep"]["by_heart"]["share"] > 0.1


def test_check_alone_trains_nothing(command: Command, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.training.Trainer.run", lambda self: pytest.fail("it trained"))
    answer = command("check", table, "--target", "label", *QUICK_OPTIONS)
    assert answer.code == 0
    assert "One batch by heart" not in answer.out
