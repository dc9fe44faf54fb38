"""Times one step of ftrl and nesterov against torch's foreach Adam, on the same parameters, interleaved.

Run: python benchmarks/optimizer_step.py [--rounds 200] [--steps 20] [--threads N] [--cpu-time]

``--cpu-time`` counts this process's processor time instead of wall time, for a machine that does other work too; use it
with ``--threads 1``, because waiting threads spin.

Prints the median time of a step and its ratio to Adam's; each should be at most 1.3.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import nn

from wellfit.optimizers import OPTIMIZERS

LIMIT = 1.3
WIDTHS = (100, 256, 256, 256, 2)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(*(nn.Linear(a, b) for a, b in pairwise(WIDTHS)))


def stepper(make: Callable[[list[nn.Parameter]], torch.optim.Optimizer]) -> Callable[[], None]:
    params = list(network().parameters())
    generator = torch.Generator().manual_seed(1)
    for param in params:
        param.grad = torch.randn(param.shape, generator=generator) * 1e-3
    optimizer = make(params)

    def step() -> None:
        if hasattr(optimizer, "train"):
            optimizer.train()
        optimizer.step()

    return step


def timed(step: Callable[[], None], steps: int, clock: Callable[[], float]) -> float:
    start = clock()
    for _ in range(steps):
        step()
    return (clock() - start) / steps


def measure(rounds: int, steps: int, clock: Callable[[], float]) -> dict[str, list[float]]:
    steppers = {
        "torch adam foreach": stepper(lambda params: torch.optim.Adam(params, foreach=True)),
        "ftrl": stepper(OPTIMIZERS["ftrl"].make),
        "ftrl l1 l2": stepper(lambda params: OPTIMIZERS["ftrl"].make(params, l1=1e-3, l2=1e-3)),
        "nesterov": stepper(OPTIMIZERS["nesterov"].make),
        "momentum": stepper(OPTIMIZERS["momentum"].make),
        "lion": stepper(OPTIMIZERS["lion"].make),
        "schedule_free_adamw": stepper(OPTIMIZERS["schedule_free_adamw"].make),
        "nadam": stepper(OPTIMIZERS["nadam"].make),
        "adam (fused)": stepper(OPTIMIZERS["adam"].make),
    }
    for step in steppers.values():
        timed(step, steps, clock)
    times: dict[str, list[float]] = {name: [] for name in steppers}
    for _ in range(rounds):
        for name, step in steppers.items():
            times[name].append(timed(step, steps, clock))
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--cpu-time", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    clock = time.process_time if options.cpu_time else time.perf_counter
    times = measure(options.rounds, options.steps, clock)
    base = times["torch adam foreach"]
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {options.rounds} rounds of {options.steps}")
    for name, measured in times.items():
        ratio = statistics.median(a / b for a, b in zip(measured, base, strict=True))
        verdict = ("  ok" if ratio <= LIMIT else f"  over {LIMIT}") if name.startswith(("ftrl", "nesterov")) else ""
        print(f"{name:22s} {statistics.median(measured) * 1e6:8.1f} us/step   {ratio:5.2f} x adam{verdict}")


if __name__ == "__main__":
    main()
