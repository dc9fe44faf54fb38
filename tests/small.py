"""A small table, quick settings and the command line, for tests of the whole flow."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import random
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

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
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([columns, *zip(*columns.values(), strict=True)])
    return text.getvalue()


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
Scored = Callable[[type[Any]], list[str]]


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
