"""An ensemble within a time that is killed with SIGKILL, and resumed, is what its config trains anew."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from small import csv_text, small_columns


def begun(*arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen([sys.executable, "-m", "wellfit", *arguments], env=environment, **quiet)


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "after"), [(300, 0.0), (300, 1.5), (300, 4.0), (2500, 3.0), (2500, 5.0)])
def test_a_timed_ensemble_that_was_killed_is_replayed_bit_by_bit(rows: int, after: float, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(csv_text(small_columns(rows)))
    run, again = tmp_path / "run", tmp_path / "again"
    every = ("-o", "train.checkpoint_every=20", "-o", "output.report=false")
    process = begun("train", str(tmp_path / "t.csv"), "--target", "label", "--time", "16s", "--out", str(run), *every)
    while not (run / "config.yaml").exists():
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert begun("resume", str(run)).wait() == 0
    # What the clock decides of the resumed run stands in its config; a run of it that nothing disturbs is the same.
    assert begun("train", "-c", str(run / "config.yaml"), "--out", str(again)).wait() == 0
    assert (run / "model.safetensors").read_bytes() == (again / "model.safetensors").read_bytes()
