"""Rows that pass by in batches take a bounded memory, beside a few bytes a row."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

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
from wellfit.data.large import memory, stream
from wellfit.data.sources.sql import sqlite
from wellfit.sharding import learning
learning.SAMPLE_CELLS = stream.CELLS = 200_000
sqlite.BATCH_ROWS = 10_000
memory.memory_limit = lambda: int(sys.argv[4])
before = held()
threading.Thread(target=watch, daemon=True).start()
data = {"source": sys.argv[1], "target": "y", "streamed": sys.argv[3], "cache": sys.argv[2]}
train = {"epochs": 1, "batch_size": 4096, "threads": 1, "doctor": "off"}
data["streamed"] = {"true": True, "false": False, "auto": "auto"}[sys.argv[3]]
prepared = prepare(from_mapping({"data": data, "train": train, "model": {"type": "mlp", "hidden": [8]}}))
Experiment(prepared).trainer.run()
print(json.dumps(peak - before))
"""


def peak(source: str, folder: Path, streamed: str, limit: float = 1e12) -> float:
    """Give the most anonymous memory that a training took, in MB, in a process of its own."""
    command = [sys.executable, "-c", CHILD, source, str(folder / f"cache-{streamed}"), streamed, str(int(limit))]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    return float(json.loads(done.stdout))


def columns(rows: int) -> dict[str, Any]:
    draw = np.random.default_rng(0)
    return {**{f"x{place}": draw.normal(size=rows) for place in range(20)}, "y": draw.choice(["no", "yes"], rows)}


needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")


@pytest.mark.slow
@needs_proc
def test_memory_grows_less_with_the_rows_than_the_table_does(tmp_path: Path) -> None:
    peaks, bytes_held = [], []
    for rows in (600_000, 1_800_000):
        frame = pl.DataFrame(columns(rows))
        frame.write_parquet(tmp_path / f"{rows}.parquet", row_group_size=50_000)
        peaks.append(peak(str(tmp_path / f"{rows}.parquet"), tmp_path / str(rows), "true"))
        bytes_held.append(frame.estimated_size() / 1e6)
    assert peaks[1] - peaks[0] < 0.75 * (bytes_held[1] - bytes_held[0])


@pytest.mark.slow
@needs_proc
def test_before_it_is_decided_no_more_is_taken_than_may_be(tmp_path: Path) -> None:
    frame = pl.DataFrame(columns(400_000))
    with sqlite3.connect(tmp_path / "t.db") as connection:
        connection.execute(f"CREATE TABLE t ({', '.join(frame.columns)})")
        connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * frame.width)})", frame.iter_rows())
    connection.close()
    source = f"sql:sqlite:///{tmp_path / 't.db'}?table=t"
    decided, whole = (peak(source, tmp_path, told, limit=3e8) for told in ("auto", "false"))
    assert (tmp_path / "cache-auto").exists()
    assert decided < 0.75 * whole
