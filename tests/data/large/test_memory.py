"""Rows that pass by in batches take less memory than a table of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

CHILD = """
import json, sys, threading, time
from pathlib import Path
peak = 0
def held():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("RssAnon")).split()[1]) / 1e3
def watch():
    global peak
    while True:
        peak = max(peak, held())
        time.sleep(0.01)
from wellfit.config import from_mapping
from wellfit.experiment import Experiment
from wellfit.preparation import prepare
from wellfit.data.large import stream
from wellfit.sharding import learning
learning.SAMPLE_CELLS = stream.CELLS = 200_000
before = held()
threading.Thread(target=watch, daemon=True).start()
data = {"source": sys.argv[1], "target": "y", "streamed": sys.argv[3] == "1", "cache": sys.argv[2]}
train = {"epochs": 1, "batch_size": 4096, "threads": 1, "doctor": "off"}
prepared = prepare(from_mapping({"data": data, "train": train, "model": {"type": "mlp", "hidden": [8]}}))
Experiment(prepared).trainer.run()
print(json.dumps(peak - before))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_a_table_in_batches_takes_less_memory_than_as_a_whole(tmp_path: Path) -> None:
    rows, draw, path = 400_000, np.random.default_rng(0), tmp_path / "t.csv"
    columns = {f"x{place}": draw.normal(size=rows) for place in range(20)}
    pl.DataFrame({**columns, "y": draw.choice(["no", "yes"], rows)}).write_csv(path)
    peaks = []
    for streamed in "10":
        command = [sys.executable, "-c", CHILD, str(path), str(tmp_path / "cache"), streamed]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
        peaks.append(float(json.loads(done.stdout)))
    assert peaks[0] < 0.75 * peaks[1]
