"""What a person sees in a terminal: progress, and the summary of a run."""

from __future__ import annotations

import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

import wellfit
from small import QUICK_OPTIONS, Command
from wellfit.cli.summary import finding_lines
from wellfit.errors import RunFailed
from wellfit.findings import Finding
from wellfit.training.progress import LiveProgress, live_progress

HIDDEN, SHOWN = "\x1b[?25l", "\x1b[?25h"
"""What a terminal is sent to hide its cursor, and to show it."""


def plain(screen: str) -> str:
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", screen)


def drawn(width: int, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("wellfit.training.progress._REDRAWN_EVERY", 0.0)
    screen = io.StringIO()
    progress = LiveProgress(Console(file=screen, force_terminal=True, width=width))
    X = torch.linspace(-1, 1, 64).reshape(-1, 1)
    rows = (X, 3 * X[:, 0])
    progress.open()
    wellfit.fit(
        torch.nn.Linear(1, 1),
        rows,
        valid=rows,
        loss="mse",
        batch_size=16,
        epochs=3,
        early_stopping=9,
        callbacks=[progress],
    )
    progress.close()
    return screen.getvalue()


def test_progress_shows_rate_losses_and_the_best_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = drawn(80, monkeypatch)
    # The cursor is hidden while something moves, and shown again.
    assert screen.rindex(SHOWN) > screen.rindex(HIDDEN)
    for said in ("Reading", "epoch 3/3", "steps/s", "train ", "valid ", "best epoch", "Scoring"):
        assert said in plain(screen)


@pytest.mark.parametrize(("width", "counted"), [(80, False), (120, True)])
def test_a_narrow_terminal_keeps_the_losses(width: int, counted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = plain(drawn(width, monkeypatch))
    assert ("12/12" in screen) is counted
    assert "…" not in screen


def test_progress_is_quiet_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", io.StringIO())
    with live_progress() as callbacks:
        assert callbacks == []


def test_a_failure_leaves_the_terminal_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr(screen, "isatty", lambda: True)

    def fail() -> None:
        with live_progress() as callbacks:
            assert len(callbacks) == 1
            raise RunFailed("It failed.")

    with pytest.raises(RunFailed):
        fail()
    assert screen.getvalue().rindex(SHOWN) > screen.getvalue().rindex(HIDDEN)


def with_metrics(run: wellfit.Run, folder: Path, change: dict[str, Any]) -> Path:
    shutil.copytree(run.path, folder)
    metrics = json.loads((folder / "metrics.json").read_text())
    for name, scores in change.items():
        metrics["baselines"][name] |= scores
    (folder / "metrics.json").write_text(json.dumps(metrics))
    return folder


@pytest.mark.parametrize(("linear", "doubted"), [(0.0, True), (50.0, False)])
def test_a_better_linear_model_is_said(
    finished: wellfit.Run, tmp_path: Path, command: Command, linear: float, doubted: bool
) -> None:
    folder = with_metrics(finished, tmp_path / "run", {"linear": {"log_loss": linear}})
    # A finished run is left as it is, and tells the same again.
    answer = command("resume", folder)
    assert answer.code == 0
    assert ("the linear model's log_loss is better" in answer.out) is doubted
    assert f"Predict: wellfit predict {folder}" in answer.out


def test_a_path_with_a_space_is_quoted(table: Path, tmp_path: Path, command: Command) -> None:
    answer = command("train", table, "--target", "label", "--out", "my run", *QUICK_OPTIONS)
    assert answer.code == 0, answer.err
    assert "Predict: wellfit predict 'my run' NEW_ROWS" in answer.out
    assert not any(line.endswith(" ") for line in answer.out.splitlines())


def test_grave_findings_come_first_and_notes_are_counted() -> None:
    notes = [Finding(code="missing_values", severity="info", where=f"c{n}", message=f"c{n} lacks") for n in range(5)]
    grave = Finding(code="non_finite", severity="error", message="It blew up.")
    lines = finding_lines([*notes, grave], shown=2)
    assert lines == [
        "error: It blew up. [non_finite]",
        "note: c0 lacks [missing_values]",
        "note: c1 lacks [missing_values]",
        "note: 3 more in the report.",
    ]
