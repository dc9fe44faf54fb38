"""Kills runs with SIGKILL at random moments, resumes them, and compares with the run that was never stopped.

Run: python benchmarks/resume_kills.py [--kills 200] [--jobs 2] [--seed 0] [--ensemble]

Compared bit by bit: weights, history, scores, predictions, and the names of the files left. Every tenth run is a true
``python -m wellfit train``; the others are processes forked from one that has imported everything. Every third run is
killed a second time while it is resumed. Prints a table by phase and writes results/resume_kills.json.

With --ensemble the runs are ensembles of four architectures, written to results/resume_kills_ensemble.json. What the
clock decides can't be compared bit by bit, so that their members are named: as a run under --time saves them before
its first update.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch
from sklearn.datasets import load_breast_cancer

from record import facts, save, show
from wellfit.run import Run

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "training"))
from killer import Runs, wait_and_signal  # noqa: E402

CONFIG = """\
version: 1
data: {{source: {source}, target: target}}
model: {{type: mlp, hidden: [64, 64], dropout: 0.2}}
train:
  {{optimizer: nadam, batch_size: 8, epochs: 14, accumulate: 2, ema: 0.95, augment: {{noise: 0.1}}, schedule: cosine,
   early_stopping: {{patience: 10}}, threads: 1, checkpoint_every: {every}, seed: 5}}
output: {{report: false}}
"""
ENSEMBLE = """\
version: 1
data: {{source: {source}, target: target}}
model:
  type: ensemble
  members:
  - {{type: linear, members: 3, train: {{loss: cce, batch_size: 128, epochs: 4}}}}
  - {{type: realmlp, members: 3, hidden: [32, 32], train: {{loss: cce, batch_size: 64, epochs: 6, schedule: coslog4,
      optimizer: {{name: adam, lr: 0.04}}, early_stopping: {{patience: 256}}}}}}
  - {{type: modernnca, members: 2, width: 16, candidates: 200, train: {{loss: cce, batch_size: 64, epochs: 4,
      schedule: cosine}}}}
  - {{type: tabm, members: 1, width: 32, k: 4, train: {{loss: cce, batch_size: 64, epochs: 4, schedule: cosine}}}}
train: {{threads: 1, checkpoint_every: {every}, seed: 5}}
output: {{report: false}}
"""
SPACINGS = (1, 2, 5, 17)
"""Updates between checkpoints: from every one, where half of the time goes into writing, to less than one an epoch."""
PHASES = ("start-up", "before the first checkpoint", "training", "writing a checkpoint", "writing the run folder")
COMPARED = ("model.safetensors", "history.parquet", "metrics.json", "findings.json", "evaluation.json")


@dataclass(frozen=True)
class Trial:
    """One run: when it is killed, again while resumed, and how far its checkpoints are apart."""

    number: int
    until: str
    after: float
    again: float | None
    every: int


@dataclass(frozen=True)
class Bench:
    folder: Path
    rows: pl.DataFrame
    predictions: np.ndarray
    seconds: float
    real_seconds: float

    @property
    def whole(self) -> Path:
        return self.folder / "whole"

    def config(self, every: int) -> Path:
        return self.folder / f"every-{every}.yaml"


def prepare(folder: Path, text: str) -> Bench:
    load_breast_cancer(as_frame=True).frame.to_csv(folder / "cancer.csv", index=False)
    for every in SPACINGS:
        (folder / f"every-{every}.yaml").write_text(text.format(source=folder / "cancer.csv", every=every))
    with Runs() as run:
        ended = run("train", "-c", folder / "every-1.yaml", "--out", folder / "whole")
    assert ended.status == 0, ended.stderr
    started = time.monotonic()
    begin(folder / "every-2.yaml", folder / "real").wait()
    rows = pl.read_csv(folder / "cancer.csv")
    predictions = Run.load(folder / "whole").predict_proba(rows)
    return Bench(folder, rows, predictions, ended.seconds, time.monotonic() - started)


def begin(config: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "wellfit", "train", "-c", config, "--out", out]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def trials(bench: Bench, count: int, seed: int) -> list[Trial]:
    draw = random.Random(seed)
    made = []
    for number in range(count):
        seconds = bench.real_seconds if number % 10 == 0 else bench.seconds
        # Most anywhere; some where little time is spent: the first moments of the run folder, and its last files.
        until, longest = draw.choice([*[("", seconds)] * 6, ("config.yaml", 0.1), ("plan.json", 0.03)])
        again = draw.random() * bench.seconds if number % 3 == 2 else None
        made.append(Trial(number, until, draw.random() * longest, again, SPACINGS[number % len(SPACINGS)]))
    return made


def phase(path: Path) -> str:
    """Tell from what a killed run left where it was."""
    if not (path / "config.yaml").exists():
        return "start-up"
    if (path / "plan.json").exists() or (path / ".plan.json.part").exists():
        return "writing the run folder"
    # An ensemble has a folder of checkpoints for each architecture.
    if any(list(path.glob(f"checkpoint/{stage}.*.part")) for stage in ("", "[0-9]/")):
        return "writing a checkpoint"
    begun = any(list(path.glob(f"checkpoint/{stage}0*.safetensors")) for stage in ("", "[0-9]/"))
    return "training" if begun else "before the first checkpoint"


def attempt(bench: Bench, trial: Trial, run: Runs) -> tuple[list[str], bool]:
    """Do one run with its kills and its resume; give the phases it was killed in, and whether all bits are the same."""
    path, config = bench.folder / f"run-{trial.number}", bench.config(trial.every)
    until = trial.until and str(path / trial.until)
    if trial.number % 10 == 0:
        process = begin(config, path)
        process.returncode = wait_and_signal(process.pid, until, trial.after, signal.SIGKILL)
        status = process.returncode
    else:
        status = run("train", "-c", config, "--out", path, until=until, after=trial.after).status
    phases = [phase(path)] if status == -signal.SIGKILL else []
    if trial.again is not None and (path / "config.yaml").exists():
        again = run("resume", path, after=trial.again)
        phases += [phase(path)] if again.status == -signal.SIGKILL else []
    begun = (path / "config.yaml").exists()
    ended = run("resume", path) if begun else run("train", "-c", config, "--out", path)
    same = ended.status == 0 and identical(bench, path)
    if same:
        shutil.rmtree(path)
    else:
        print(f"differs: {path}, {trial}, {ended}")
    return phases, same


def identical(bench: Bench, path: Path) -> bool:
    if sorted(os.listdir(bench.whole)) != sorted(os.listdir(path)):
        return False
    if any((bench.whole / name).read_bytes() != (path / name).read_bytes() for name in COMPARED):
        return False
    return np.array_equal(Run.load(path).predict_proba(bench.rows), bench.predictions)


def work(bench: Bench, queue: list[Trial], kills: int, counts: dict[bool, Counter[str]]) -> None:
    with Runs() as run:
        while queue and sum(map(Counter.total, counts.values())) < kills:
            phases, same = attempt(bench, queue.pop(), run)
            counts[same].update(phases)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ensemble", action="store_true", help="runs that train an ensemble")
    given = parser.parse_args()
    torch.set_num_threads(1)
    counts: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="resume-kills-"))
    bench = prepare(folder, ENSEMBLE if given.ensemble else CONFIG)
    queue = trials(bench, 2 * given.kills, given.seed)[::-1]
    with ThreadPoolExecutor(given.jobs) as pool:
        for done in [pool.submit(work, bench, queue, given.kills, counts) for _ in range(given.jobs)]:
            done.result()
    if not counts[False]:
        shutil.rmtree(folder)
    name = "resume_kills_ensemble" if given.ensemble else "resume_kills"
    report(name, bench, counts, time.monotonic() - started)
    sys.exit(1 if counts[False] else 0)


def report(name: str, bench: Bench, counts: dict[bool, Counter[str]], seconds: float) -> None:
    same, differ = counts[True], counts[False]
    phases = {phase: {"kills": same[phase] + differ[phase], "identical": same[phase]} for phase in PHASES}
    total = {"kills": same.total() + differ.total(), "identical": same.total()}
    rows = [(phase, str(row["kills"]), str(row["identical"])) for phase, row in {**phases, "in all": total}.items()]
    show("Runs killed with SIGKILL and resumed", ("killed while", "kills", "identical"), rows)
    record = {
        **facts(),
        "seconds": round(seconds, 1),
        "seconds_of_a_run": round(bench.seconds, 2),
        "seconds_of_a_true_command": round(bench.real_seconds, 2),
        "phases": phases,
        **total,
    }
    print(f"{save(name, record).name} written after {seconds:.0f} s")


if __name__ == "__main__":
    main()
