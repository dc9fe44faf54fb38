"""Trains on Fashion-MNIST and MNIST under time limits, and beside a ResNet-18 in plain torch and in Keras.

Run: python benchmarks/images.py [--only fashion10,fashion40,mnist5,time92] [--cap 900] [--seed 0]

fashion10  Fashion-MNIST within 10 minutes, the whole command: reading, training, scores, report
fashion40  the same within 40 minutes
mnist5     MNIST within 5 minutes
time92     seconds until 92 % of Fashion-MNIST's test images are right: of wellfit the whole command with 5 epochs; of
           the rivals training alone, looked at four times an epoch, the looks not counted; stopped at --cap

Wants WELLFIT_DATA with fashion-mnist-png and mnist-png. Writes benchmarks/results/images.json, part by part.
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

import numpy as np

from record import RESULTS, facts, save, show

FASHION, MNIST = "fashion-mnist-png/fashion_mnist_png.tar.gz", "mnist-png/mnist_png.tar.gz"
RIVALS = ("torch", "keras")
GOAL = 0.92
AHEAD = 2.0
"""How many times faster than a rival is wanted."""


@dataclass(frozen=True)
class Job:
    archive: str
    options: tuple[str, ...]
    bar: float
    limit: float | None = None


JOBS = {
    "fashion10": Job(FASHION, ("--time", "10m"), 0.935, 600),
    "fashion40": Job(FASHION, ("--time", "40m"), 0.945, 2400),
    "mnist5": Job(MNIST, ("--time", "5m"), 0.994, 300),
    "time92": Job(FASHION, ("-o", "train.epochs=5"), GOAL),
}


def trained(job: Job, seed: int, out: Path) -> dict[str, Any]:
    data = Path(os.environ["WELLFIT_DATA"]) / job.archive
    options = [*job.options, "--seed", str(seed), "--out", str(out), "--force", "--json"]
    command = [sys.executable, "-m", "wellfit", "train", str(data), "--target", "label", *options]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        return {"seconds": round(seconds, 1), "error": done.stderr.strip().splitlines()[-1:], "passed": False}
    metrics = json.loads(done.stdout)["metrics"]
    model = json.loads((out / "model.json").read_text())
    accuracy = metrics["test"]["accuracy"]
    # Past the limit by no more than 5 % or 3 seconds.
    on_time = job.limit is None or seconds <= job.limit + max(0.05 * job.limit, 3.0)
    return {
        "command": "wellfit train $WELLFIT_DATA/" + job.archive + " --target label " + " ".join(job.options),
        "seconds": round(seconds, 1),
        "bar": job.bar,
        "on_time": on_time,
        "passed": accuracy >= job.bar and on_time,
        **metrics,
        "model": {key: model[key] for key in ("type", "options", "parameters", "steps", "views")},
    }


def raced(name: str, data: Path, cap: float, seed: int) -> dict[str, Any]:
    """Give the seconds a rival trained until the goal, None where it did not get there before the cap."""
    rival = str(Path(__file__).parent / "image_rivals.py")
    command = [sys.executable, rival, name, str(data), str(GOAL), str(cap), str(seed)]
    environment = {**os.environ, "KERAS_BACKEND": "torch"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1:]}
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def arrays(out: Path) -> Path:
    """Lay Fashion-MNIST down as arrays for the rivals, which read no archives."""
    from wellfit.data.sources import read_table

    table = read_table(Path(os.environ["WELLFIT_DATA"]) / FASHION)
    assert table.images is not None
    pixels = table.images.pixels.numpy()[table.frame["image"].to_numpy()]
    test = (table.frame["split"] == "test").to_numpy()
    np.savez(out, x=pixels, y=table.frame["label"].cast(int).to_numpy(), test=test)
    return out


def time92(seed: int, cap: float, scratch: Path) -> dict[str, Any]:
    result = trained(JOBS["time92"], seed, scratch / "time92")
    data = arrays(scratch / "fashion.npz")
    rivals = {name: raced(name, data, cap, seed) for name in RIVALS}
    for rival in rivals.values():
        if "error" not in rival:
            # One that was stopped took at least as long.
            rival["times_ours"] = round((rival["seconds"] or rival["stopped_at"]) / result["seconds"], 2)
    ahead = all(rival.get("times_ours", AHEAD) >= AHEAD for rival in rivals.values())
    return {**result, "rivals": rivals, "passed": bool(result["passed"] and ahead)}


def row(name: str, result: dict[str, Any]) -> list[str]:
    if "error" in result:
        return [name, "failed", *map(str, result["error"])]
    rivals = result.get("rivals", {})
    told = ", ".join(f"{rival} x{found['times_ours']}" for rival, found in rivals.items() if "times_ours" in found)
    figures = [f"{result['test']['accuracy']:.4f}", f"{result['valid']['accuracy']:.4f}", f"{result['bar']:.3f}"]
    return [name, *figures, f"{result['seconds']:.0f}", "ok" if result["passed"] else "MISSED", told]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(JOBS), help="parts, with commas between")
    parser.add_argument("--cap", type=float, default=900.0, help="seconds after which a rival is stopped")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if "WELLFIT_DATA" not in os.environ:
        parser.error("set WELLFIT_DATA to the folder that holds the images")
    path = RESULTS / "images.json"
    parts: dict[str, Any] = json.loads(path.read_text())["parts"] if path.exists() else {}
    names = [name for name in options.only.split(",") if name]
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        for name in names:
            print(f"{name} ...", file=sys.stderr, flush=True)
            made = time92(options.seed, options.cap, scratch) if name == "time92" else None
            parts[name] = {**facts(), **(made or trained(JOBS[name], options.seed, scratch / name))}
            save("images", {"parts": parts})
    head = ["part", "test", "valid", "bar", "seconds", "", "rivals' time by ours"]
    show("Accuracy on the test images", head, (row(name, parts[name]) for name in names))
    return int(any(not parts[name]["passed"] for name in names))


if __name__ == "__main__":
    raise SystemExit(main())
