"""Trains the real tables with the defaults, by the command itself, and holds the test scores against the baselines.

Run: WELLFIT_DATA=FOLDER python benchmarks/main_job.py [--only adult,titanic] [--seed 0] [--keep FOLDER] [-o KEY=VALUE]

Prints a table and writes benchmarks/results/main_job.json, unless only some tables were asked for. Ends with exit
code 1 where a table misses its bar or fails.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from record import facts, save, show


@dataclass(frozen=True)
class Job:
    """A table: its file, its target, and what its test score must reach."""

    name: str
    file: str
    target: str
    metric: str
    test: str | None = None
    bar: float | None = None


JOBS = (
    Job("adult", "adult/adult-train.csv.gz", "-1", "accuracy", test="adult/adult-test.csv.gz", bar=0.850),
    Job("california", "california-housing/housing.csv.gz", "median_house_value", "rmse", bar=53_000),
    Job("titanic", "titanic/train.csv", "Survived", "accuracy"),
    Job("bank", "bank-marketing/bank-full.csv.gz", "y", "auc"),
    Job("ames", "ames-housing/ames.csv", "price", "rmse"),
    Job("credit-g", "credit-g/credit.csv", "default", "auc"),
    Job("horse-colic", "horse-colic/horse-colic.csv", "c22", "accuracy"),
    Job("diamonds", "diamonds/diamonds.csv.gz", "price", "rmse"),
    Job("diamonds (Parquet)", "diamonds/diamonds.parquet", "price", "rmse"),
)
LOWER_IS_BETTER = ("rmse", "mae", "log_loss")


def arguments(job: Job, seed: int, data: str, out: str, overrides: Sequence[str]) -> list[str]:
    """Give the command's arguments; ``data`` is the folder as it is written before the file's name."""
    options = [*overrides, *([f"data.test={data}/{job.test}"] if job.test else [])]
    settings = [part for option in options for part in ("-o", option)]
    wanted = ["train", f"{data}/{job.file}", f"--target={job.target}", "--seed", str(seed), "--out", out]
    return [*wanted, *settings, "--json"]


def trained(job: Job, seed: int, data: Path, out: Path, overrides: Sequence[str]) -> dict[str, Any]:
    command = [sys.executable, "-m", "wellfit", *arguments(job, seed, str(data), str(out), overrides)]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    shown = arguments(job, seed, "$WELLFIT_DATA", f"runs/{out.name}", overrides)
    result: dict[str, Any] = {
        "command": " ".join(["wellfit", *shown]),
        "seconds": round(time.perf_counter() - started, 1),
        "metric": job.metric,
        "bar": job.bar,
    }
    if done.returncode:
        return {**result, "error": done.stderr.strip().splitlines()[-1:], "passed": False}
    answer = json.loads(done.stdout)
    score = answer["metrics"]["test"][job.metric]
    rows = json.loads((out / "plan.json").read_text())["rows"]
    return {**result, "task": answer["task"], "rows": rows, **answer["metrics"], "passed": passes(job, score)}


def passes(job: Job, score: float) -> bool | None:
    if job.bar is None:
        return None
    return score <= job.bar if job.metric in LOWER_IS_BETTER else score >= job.bar


def row(name: str, result: dict[str, Any]) -> list[str]:
    if "error" in result:
        return [name, "failed", *result["error"]]
    metric = result["metric"]
    baselines = [f"{key} {figure(scores.get(metric))}" for key, scores in result["baselines"].items()]
    verdict = {None: "", True: "ok", False: "MISSED"}[result["passed"]]
    bar = "" if result["bar"] is None else f"{figure(result['bar'])} {verdict}"
    scores = [figure(result["test"][metric]), figure(result["valid"].get(metric)), ", ".join(baselines)]
    return [name, result["task"], f"{result['rows']['test']:,}", metric, *scores, bar, f"{result['seconds']:.0f}"]


def figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:,.0f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="names of tables, with commas between")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="keep the run folders here")
    parser.add_argument("-o", action="append", default=[], metavar="KEY=VALUE", help="another setting than the default")
    options = parser.parse_args()
    if "WELLFIT_DATA" not in os.environ:
        parser.error("set WELLFIT_DATA to the folder that holds the tables")
    data = Path(os.environ["WELLFIT_DATA"])
    names = [name for name in options.only.split(",") if name]
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for job in (job for job in JOBS if not names or job.name in names):
            out = (options.keep or Path(scratch)) / job.name.replace(" ", "-").strip("()")
            print(f"{job.name} ...", file=sys.stderr, flush=True)
            results[job.name] = trained(job, options.seed, data, out, options.o)
    head = ["table", "task", "test rows", "metric", "test", "valid", "baselines (test)", "bar", "seconds"]
    show(f"Test scores with the defaults, seed {options.seed}", head, (row(*item) for item in results.items()))
    if not names and not options.o:
        print(save("main_job", {**facts(), "seed": options.seed, "tables": results}))
    return int(any(result["passed"] is False for result in results.values()))


if __name__ == "__main__":
    raise SystemExit(main())
