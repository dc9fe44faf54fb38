"""The set-up: versions that are held, and a continuous integration that does not take a skip for a pass."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def constrained() -> dict[str, str]:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and line[0] != "#"]
    pairs = [re.fullmatch(r"([A-Za-z0-9._-]+)==([\w.+!]+)", line) for line in lines]
    assert all(pairs), [line for line, pair in zip(lines, pairs, strict=True) if pair is None]
    return {canonical(pair[1]): pair[2] for pair in pairs if pair}


def test_every_dependency_is_held_to_a_version() -> None:
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    names = {canonical(re.split(r"[^A-Za-z0-9._-]", line)[0]) for line in wanted}
    held = constrained()
    assert names - set(held) == set()
    assert held["torch"] == "2.13.0"
    assert "wellfit" not in held


SUMMARY = "3 passed, 1 skipped, 2 deselected in 1.20s"


@pytest.mark.parametrize(
    ("lines", "status", "code", "last"),
    [
        ([SUMMARY], 0, 0, SUMMARY),
        (["SKIPPED [1] tests/test_a.py:3: needs a GPU", SUMMARY], 0, 0, SUMMARY),
        (["SKIPPED [1] tests/test_a.py:3: WELLFIT_DATA is not set", SUMMARY], 0, 1, SUMMARY),
        (
            ["FAILED tests/test_a.py::test_b", "1 failed in 0.10s", "make: *** [test] Error 1"],
            2,
            1,
            "1 failed in 0.10s",
        ),
        ([], 0, 1, "The tests did not run."),
    ],
)
def test_ci_judges_the_suite(tmp_path: Path, lines: list[str], status: int, code: int, last: str) -> None:
    folder = tmp_path / "with a space"
    (folder / ".ci").mkdir(parents=True)
    (folder / ".ci" / "run").write_text((ROOT / ".ci" / "run").read_text())
    make = tmp_path / "bin" / "make"
    make.parent.mkdir()
    (tmp_path / "said").write_text("".join(f"{line}\n" for line in lines))
    make.write_text(
        f'#!/bin/sh\n[ "$1" = test ] && [ -n "$WELLFIT_DATA" ] || exit 9\ncat "{tmp_path}/said"\nexit {status}\n'
    )
    make.chmod(0o755)
    environment = {**os.environ, "PATH": f"{make.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", str(folder / ".ci" / "run")], capture_output=True, text=True, env=environment, check=False
    )
    assert (done.returncode != 0) is bool(code), done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == last
