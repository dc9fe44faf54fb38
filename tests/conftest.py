"""A small table, a run that was trained on it, and the command line: fixtures of the tests of the whole flow."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

import wellfit
from small import QUICK, Command, Scored, csv_text, run_command, small_columns


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command line, run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return run_command


@pytest.fixture
def scored_splits(monkeypatch: pytest.MonkeyPatch) -> Scored:
    """Gives the list that the names of the splits go into on which prepared rows of a kind are scored."""

    def watch(kind: type[Any]) -> list[str]:
        scored: list[str] = []
        score = kind.score

        def noted(self: Any, predictor: Any, split: str) -> Any:
            scored.append(split)
            return score(self, predictor, split)

        monkeypatch.setattr(kind, "score", noted)
        return scored

    return watch


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small CSV; its target is the column label."""
    path = tmp_path_factory.mktemp("table") / "small.csv"
    path.write_text(csv_text(small_columns()))
    return path


@pytest.fixture(scope="session")
def finished(table: Path, tmp_path_factory: pytest.TempPathFactory) -> wellfit.Run:
    """A run trained on the small table, report and all; tests leave it as it is."""
    out = tmp_path_factory.mktemp("runs") / "small"
    return wellfit.train(table, "label", out=str(out), **{**QUICK, "report": True})


@pytest.fixture(autouse=True, scope="session")
def _interrupts_are_heard() -> None:
    """A shell lets what it starts in the background ignore Ctrl-C, and children inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
