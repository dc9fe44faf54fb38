"""A process that makes trainings for a study: one JSON object a line in, one out.

in   {"key": ..., "values": {...}, "seed": ..., "rungs": [...], "seconds": ...}      a training to be made
out  {"epoch": ..., "value": ...}         at a rung, answered by  {"stop": true or false}
out  {"state": ..., "value": ..., ...}    what it gave
out  {"fault": ...}                       why there can be none at all
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from typing import Any, TextIO

__all__ = ["main"]


def main(path: str, parent: str) -> None:
    """Read the rows, and make the trainings that standard input asks for, until it ends."""
    asked, answers = sys.stdin, sys.stdout
    # What a library prints must not come between the answers.
    sys.stdout = sys.stderr
    warnings.simplefilter("ignore")
    from wellfit.errors import WellfitError
    from wellfit.tuning.bench import Bench
    from wellfit.tuning.folder import StudyFolder
    from wellfit.tuning.subject import Subject

    try:
        folder = StudyFolder(path)
        bench = Bench(Subject(folder.read()), settled=folder.settled())
    except WellfitError as error:
        _say(answers, {"fault": str(error)})
        return
    for line in asked:
        _make(bench, json.loads(line), int(parent), asked, answers)


def _make(bench: Any, given: dict[str, Any], parent: int, asked: TextIO, answers: TextIO) -> None:
    from dataclasses import asdict

    from wellfit.tuning.bench import Job

    def report(epoch: int, value: float) -> bool:
        if os.getppid() != parent:
            # Nobody waits for the answer any more.
            sys.exit(1)
        _say(answers, {"epoch": epoch, "value": value})
        return bool(json.loads(asked.readline() or '{"stop": true}')["stop"])

    job = Job(**{**given, "rungs": tuple(given["rungs"])})
    _say(answers, asdict(bench.measure(job, report)))


def _say(answers: TextIO, record: dict[str, Any]) -> None:
    answers.write(json.dumps(record) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
