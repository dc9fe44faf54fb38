"""What tests of the whole flow share: a small table, quick settings, a finished run and the command line."""

from __future__ import annotations

import contextlib
import io
import json
import random
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import wellfit

QUICK = {"epochs": 2, "model": {"hidden": [4]}, "threads": 1, "report": False}
"""Settings of trainings that only have to happen."""

QUICK_OPTIONS = ("-o", "train.epochs=2", "-o", "model.hidden=[4]", "-o", "train.threads=1", "-o", "output.report=false")


def small_columns(rows: int = 120, seed: int = 0) -> dict[str, list[Any]]:
    """A number, a number with missing cells, a category, and a target that hangs on them."""
    draw = random.Random(seed)
    columns: dict[str, list[Any]] = {"size": [], "age": [], "kind": [], "label": []}
    for row in range(rows):
        size, kind = round(draw.random(), 4), draw.choice("uvw")
        columns["size"].append(size)
        columns["age"].append(None if row % 9 == 3 else draw.randint(18, 90))
        columns["kind"].append(kind)
        columns["label"].append("yes" if size + 0.3 * (kind == "u") > 0.6 else "no")
    return columns


def csv_text(columns: Mapping[str, list[Any]]) -> str:
    """The columns as a file would hold them."""
    lines = [",".join(columns)]
    for row in zip(*columns.values(), strict=True):
        lines.append(",".join("" if cell is None else str(cell) for cell in row))
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Answer:
    """What a command gave."""

    code: int
    out: str
    err: str

    @property
    def record(self) -> dict[str, Any]:
        """The one JSON object on standard output."""
        lines = self.out.splitlines()
        assert len(lines) == 1, self.out
        record: dict[str, Any] = json.loads(lines[0])
        return record

    @property
    def errors(self) -> list[str]:
        """The lines that begin with error:."""
        return [line for line in self.err.splitlines() if line.startswith("error:")]


Command = Callable[..., Answer]


def run_command(*arguments: object) -> Answer:
    """Run the command line in this process."""
    import wellfit.cli as command

    out, err = io.StringIO(), io.StringIO()
    before, command.STARTED = sys.argv, time.monotonic()
    sys.argv = ["wellfit", *map(str, arguments)]
    code = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            command.main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    finally:
        sys.argv = before
    return Answer(code, out.getvalue(), err.getvalue())


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command line, run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return run_command


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
