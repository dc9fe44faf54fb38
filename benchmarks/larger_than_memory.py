"""Measures training on tables larger than memory: time and memory for a row, by the number of rows.

Run: python benchmarks/larger_than_memory.py [--rows 1000000 5000000 20000000] [--columns 30] [--limit 4] [--folder DIR]

Each table is generated as CSV (see tables_io/generate.py) and trained from in a process of its own, which ends itself
where it holds more anonymous memory than the limit, in GB. Measured are the seconds of the two passes over the text
(cold: no shards are there), of an epoch, of scoring the validation rows, and of a second start, which finds the shards;
the most anonymous memory (RssAnon, looked at 20 times a second); and the bytes of the shards. The smallest table is
measured once more in the end, so that a machine that grew slower shows, and started a third time with a cell changed,
which has to be noticed. A line through the peaks tells the memory of 100 million rows. Tables and shards are removed
afterwards; 20 million rows of 30 columns take about 10 GB of disk. Ends with exit code 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from record import facts, save, show
from tables_io.generate import TARGET, Recipe, write

BARS = {"ratio": 1.25, "second start s": 10.0}
"""The most a row of the largest table may cost, by what one of the smallest does, and that a second start takes."""


class Watch:
    """The most anonymous memory of this process so far, in GB; beyond the limit the process ends."""

    def __init__(self, limit: float) -> None:
        self.peak, self.limit = 0.0, limit
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while True:
            lines = Path("/proc/self/status").read_text().splitlines()
            held = next(line for line in lines if line.startswith("RssAnon"))
            self.peak = max(self.peak, int(held.split()[1]) * 1024 / 1e9)
            if self.peak > self.limit:
                print(f"over {self.limit} GB of anonymous memory", file=sys.stderr, flush=True)
                os._exit(3)
            time.sleep(0.05)


def timed(work: Any) -> tuple[Any, dict[str, float]]:
    """Do some work; give what it gave, and its seconds on the wall and of the processor."""
    wall, processor = time.monotonic(), time.process_time()
    made = work()
    return made, {"wall_s": time.monotonic() - wall, "cpu_s": time.process_time() - processor}


def child(path: str, cache: str, limit: str) -> None:
    """Train one epoch on a table, and say what it took."""
    watch = Watch(float(limit))
    from wellfit.config import from_mapping
    from wellfit.experiment import Experiment
    from wellfit.preparation import prepare

    data = {"source": path, "target": TARGET, "streamed": True, "cache": cache}
    config = from_mapping({"data": data, "train": {"epochs": 1, "doctor": "off"}})
    prepared, preparing = timed(lambda: prepare(config))
    found: dict[str, Any] = {"rows": dict(prepared.rows), "prepare": preparing, "prepare_peak_gb": watch.peak}
    experiment, settling = timed(lambda: Experiment(prepared))
    _, training = timed(experiment.trainer.run)
    predictor = prepared.predictor(experiment.module, experiment.loss.spec(), experiment.config)
    scores, scoring = timed(lambda: prepared.score(predictor, "valid"))
    found |= {"settle": settling, "train": training, "score": scoring, "metrics": scores.metrics}
    found |= {"steps": experiment.trainer.position.step, "batch_size": experiment.settled.resolved["batch_size"]}
    found["peak_gb"] = watch.peak
    print(json.dumps(found))


def again(path: str, cache: str, limit: str) -> None:
    """Start once more on the same table."""
    Watch(float(limit))
    from wellfit.config import from_mapping
    from wellfit.preparation import prepare

    data = {"source": path, "target": TARGET, "streamed": True, "cache": cache}
    prepared, preparing = timed(lambda: prepare(from_mapping({"data": data})))
    print(json.dumps({**preparing, "checksum": prepared.source.checksum}))


def started(part: str, path: Path, cache: Path, limit: float) -> dict[str, Any]:
    """Run a part of this file in a process of its own, under the limit."""

    command = [sys.executable, __file__, "--part", part, str(path), str(cache), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{part} failed: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measured(rows: int, columns: int, limit: float, folder: Path, *, change: bool = False) -> dict[str, Any]:
    """Generate a table, train from it twice, a third time with a cell changed if it is to be, and remove it."""
    path, cache = folder / f"{rows}.csv", folder / "cache"
    write(path, Recipe(rows=rows, columns=columns, copies=0.005))
    # A file that changed within the clock's grain has its checksum taken anew.
    os.utime(path, (time.time() - 60, time.time() - 60))
    try:
        found = started("child", path, cache, limit)
        second = started("again", path, cache, limit)
        shards = sum(part.stat().st_size for part in cache.rglob("*.*") if part.is_file())
        sizes = {"csv_gb": path.stat().st_size / 1e9, "shards_gb": shards / 1e9}
        changed = {"changed_start": _changed(path, cache, limit, second)} if change else {}
        return {**found, "second_start": second, **changed, **sizes}
    finally:
        path.unlink()
        shutil.rmtree(cache, ignore_errors=True)


def _changed(path: Path, cache: Path, limit: float, before: dict[str, Any]) -> dict[str, Any]:
    """Change a digit of the last line and the time as it was; start again, and say whether that was noticed."""
    stamp = path.stat().st_mtime
    with path.open("r+b") as file:
        file.seek(-200, os.SEEK_END)
        tail = file.read()
        digit = next(place for place in range(len(tail) - 1, -1, -1) if tail[place : place + 1].isdigit())
        file.seek(digit - len(tail), os.SEEK_END)
        file.write(b"1" if tail[digit : digit + 1] != b"1" else b"2")
    os.utime(path, (stamp + 1, stamp + 1))
    found = started("again", path, cache, limit)
    return {**found, "noticed": found["checksum"] != before["checksum"] and found["wall_s"] > 2 * before["wall_s"]}


def line_through(points: list[tuple[int, float]], at: int) -> float:
    """Give the value of the line through points by least squares; of one point, its own."""
    middle, mean = (sum(values) / len(points) for values in zip(*points, strict=True))
    spread = sum((x - middle) ** 2 for x, _ in points)
    slope = sum((x - middle) * (y - mean) for x, y in points) / spread if spread else 0.0
    return mean + slope * (at - middle)


def per_row(found: dict[str, Any]) -> dict[str, float]:
    """Give microseconds for a row that was read, of the wall and of the processor, training included."""
    read, trained = found["rows"]["read"], found["rows"]["train"]
    return {
        "prepare_us": 1e6 * found["prepare"]["wall_s"] / read,
        "train_us": 1e6 * found["train"]["wall_s"] / trained,
        "whole_us": 1e6 * (found["prepare"]["wall_s"] + found["settle"]["wall_s"] + found["train"]["wall_s"]) / read,
        "whole_cpu_us": 1e6 * (found["prepare"]["cpu_s"] + found["settle"]["cpu_s"] + found["train"]["cpu_s"]) / read,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 5_000_000, 20_000_000])
    parser.add_argument("--columns", type=int, default=30, help="columns beside the target")
    parser.add_argument("--limit", type=float, default=4.0, help="GB of anonymous memory")
    parser.add_argument("--folder", type=Path, default=None, help="where tables and shards are laid down")
    parser.add_argument("--part", nargs=4, default=None, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        {"child": child, "again": again}[given.part[0]](*given.part[1:])
        return 0
    least = min(given.rows)
    with tempfile.TemporaryDirectory(dir=given.folder) as made:
        runs = [measured(rows, given.columns, given.limit, Path(made)) for rows in sorted(given.rows)]
        runs.append(measured(least, given.columns, given.limit, Path(made), change=True))
    record = {**facts(), "limit_gb": given.limit, "columns": given.columns, "bars": BARS}
    record["runs"] = [{**run, "per_row": per_row(run)} for run in runs]
    of_least = [run["per_row"] for run in (record["runs"][0], record["runs"][-1])]
    for run in record["runs"]:
        names = ("whole_us", "whole_cpu_us")
        run["ratio"] = {name: 2 * run["per_row"][name] / sum(one[name] for one in of_least) for name in names}
    peaks = [(run["rows"]["read"], run["peak_gb"]) for run in record["runs"]]
    record["peak_gb_at_100_million"] = line_through(peaks, 100_000_000)
    record["passed"] = _passes(record)
    print(save("larger_than_memory", record))
    head = [
        "rows",
        "prepare us",
        "train us",
        "whole us",
        "ratio",
        "ratio cpu",
        "peak GB",
        "second start s",
        "shards GB",
    ]
    show("A row of a table larger than memory", head, (_line(run) for run in record["runs"]))
    print(f"Memory of 100 million rows by the line through the peaks: {record['peak_gb_at_100_million']:.2f} GB")
    return 0 if record["passed"] else 1


def _passes(record: dict[str, Any]) -> bool:
    """Say whether a row of the largest table costs as little as it may, and second starts are quick and notice."""
    runs = record["runs"]
    noticed = all(run["changed_start"]["noticed"] for run in runs if "changed_start" in run)
    quick = all(run["second_start"]["wall_s"] <= BARS["second start s"] for run in runs)
    return noticed and quick and runs[-2]["ratio"]["whole_us"] <= BARS["ratio"]


def _line(run: dict[str, Any]) -> list[str]:
    row = run["per_row"]
    figures = [
        row["prepare_us"],
        row["train_us"],
        row["whole_us"],
        run["ratio"]["whole_us"],
        run["ratio"]["whole_cpu_us"],
    ]
    others = [run["peak_gb"], run["second_start"]["wall_s"], run["shards_gb"]]
    return [f"{run['rows']['read']:,}", *(f"{figure:.2f}" for figure in [*figures, *others])]


if __name__ == "__main__":
    sys.exit(main())
