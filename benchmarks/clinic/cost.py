"""What it costs to have a healthy training watched: whole fits with the doctor watching and with it off, in turn.

Run: python benchmarks/clinic/cost.py --clinic DIR [--cases FILE|own] [--only TEXT,...] [--pairs 5] [--mlp-epochs 3]

Each healthy case's first seed, and the network of training_loop.py, is trained in pairs, one right after the other, the
order turned each time, on one thread. CPU seconds are compared, so that other work on the machine plays little part.
The bar is for the training: probes before, within and after it, and statistics on the way. What reading the findings
takes then, once, stands beside it: baselines fitted to the same rows, checks and verdict. Prints a table and writes
benchmarks/results/clinic_cost.json.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from types import ModuleType
from typing import Any

import recordings  # noqa: F401 - one thread, before torch is imported
from figures import facts, save, show, spread
from source import add_options, clinic, read_cases

BAR = 1.02
WATCH, OFF, READ = "watch", "off", "read"


def seconds_of(train: Callable[[str], Any], doctor: str) -> tuple[float, float]:
    """Give the CPU seconds of the training, and of reading what was found."""
    began = time.process_time()
    result = train(doctor)
    ended = time.process_time()
    if doctor == WATCH:
        _ = result.findings, result.fit
    return ended - began, time.process_time() - ended


def pairs_of(train: Callable[[str], Any], pairs: int) -> dict[str, list[float]]:
    """Give the CPU seconds of fits watched and not, pair by pair, and of reading the findings."""
    found: dict[str, list[float]] = {WATCH: [], OFF: [], READ: []}
    train(OFF)  # what is done once a process is not counted
    for pair in range(pairs):
        # There and back, so that neither always comes after the other.
        for doctor in (WATCH, OFF) if pair % 2 == 0 else (OFF, WATCH):
            trained, read = seconds_of(train, doctor)
            found[doctor].append(trained)
            if doctor == WATCH:
                found[READ].append(read)
    return found


def case_trainer(case: dict[str, Any], module: ModuleType) -> Callable[[str], Any]:
    from adapter import fit

    return lambda doctor: fit(module.build(case, case["seeds"][0]), module, doctor=doctor)


def mlp_trainer(epochs: int) -> Callable[[str], Any]:
    """Give the training of training_loop.py's network: 50,000 rows, batches of 256."""
    import numpy as np
    import torch
    from torch import nn

    import wellfit
    from workloads import WIDTHS, WORKLOADS

    work = WORKLOADS["mlp"]
    generator = np.random.default_rng(0)
    rows = generator.standard_normal((work.rows, WIDTHS[0]), dtype=np.float32)
    target = (rows[:, :10].sum(1) + rows[:, 10] * rows[:, 11] + generator.standard_normal(work.rows) > 0).astype(int)
    held = work.rows * 4 // 5

    def train(doctor: str) -> Any:
        torch.manual_seed(0)
        hidden = [part for a, b in pairwise(WIDTHS) for part in (nn.Linear(a, b), nn.ReLU())]
        return wellfit.fit(
            nn.Sequential(*hidden, nn.Linear(WIDTHS[-1], 2)),
            (rows[:held], target[:held]),
            valid=(rows[held:], target[held:]),
            loss="cce",
            optimizer="adam",
            lr=1e-4,
            batch_size=work.batch,
            epochs=epochs,
            threads=1,
            doctor=doctor,
        )

    return train


def measured(name: str, train: Callable[[str], Any], pairs: int) -> dict[str, Any]:
    found = pairs_of(train, pairs)
    ratios = [a / b for a, b in zip(found[WATCH], found[OFF], strict=True)]
    print(f"{name}: {statistics.median(ratios):.3f}", file=sys.stderr, flush=True)
    read = round(1000 * statistics.median(found[READ]), 2)
    added_ms = added(found[WATCH], found[OFF])
    return {"cpu seconds": spread(found[OFF]), "ratio": spread(ratios), "added ms": added_ms, "findings ms": read}


def added(watched: list[float], alone: list[float]) -> float:
    """Give the milliseconds that watching added, in the median."""
    return round(1000 * statistics.median(a - b for a, b in zip(watched, alone, strict=True)), 2)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--mlp-epochs", type=int, default=3)
    options = parser.parse_args()
    module = clinic(options.clinic)
    results = {}
    if options.mlp_epochs:
        name = f"training_loop's MLP, {options.mlp_epochs} epochs"
        results[name] = measured(name, mlp_trainer(options.mlp_epochs), options.pairs)
    for case in read_cases(options):
        if case["truth"] == "healthy":
            results[case["id"]] = measured(case["id"], case_trainer(case, module), options.pairs)
    rows = []
    for name, figures in results.items():
        ratio = figures["ratio"]
        spans = f"{ratio['median']:.3f} ({ratio['min']:.2f}-{ratio['max']:.2f})"
        times = [f"{figures['cpu seconds']['median']:.2f}", f"{figures['added ms']:.1f}"]
        rows.append([name, *times, spans, f"{figures['findings ms']:.1f}"])
    medians = [figures["ratio"]["median"] for figures in results.values()]
    over_all = sum(f["added ms"] for f in results.values()) / 1000
    alone = sum(f["cpu seconds"]["median"] for f in results.values())
    met = "ok" if statistics.median(medians) <= BAR else "MISSED"
    read = sum(figures["findings ms"] for figures in results.values())
    rows.append(["median of all", "", "", f"{statistics.median(medians):.3f}  <= {BAR} {met}", ""])
    rows.append(
        ["all together", f"{alone:.2f}", f"{1000 * over_all:.1f}", f"{1 + over_all / alone:.3f}", f"{read:.1f}"]
    )
    head = ["", "CPU s", "added ms", "ratio, median (min-max)", "findings ms"]
    show("A healthy fit watched by one that is not", head, rows)
    if not options.only:
        together = {"median of all": statistics.median(medians), "all together": round(1 + over_all / alone, 4)}
        save("clinic_cost", {**facts(), "bar": BAR, **together, "fits": results})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
