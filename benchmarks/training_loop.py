"""Times training with everything on beside a hand-written loop and five other libraries, in turn, on the same work.

Run: python benchmarks/training_loop.py [--quick] [--only epochs,mlp,cnn,batch32,small,statistics,penalties,monitor]
     [--epochs 1,5,50] [--rounds 7] [--threads 2] [--device cpu] [--compiled]

epochs      wellfit.fit against the hand-written loop, whole trainings of 1, 5 and 50 epochs, or of those that --epochs
            names: what was measured of other lengths is kept
mlp         steps per second of all contestants; cnn, batch32 and small: the same on other work
statistics  what the statistics of the layers cost
penalties   what L1 and L2 cost
monitor     what a bare Monitor costs in the hand-written loop: CPU time of whole epochs, which noise blurs, and of its
            calls and hooks within the loop, the clock's own included

Each contestant is a process of its own that stays; rounds go through them in turn, so that each ratio is of neighbours
in time. A round's figure is its wall time; start-up (import, making the network, a first round, compiling) is apart.
Prints tables and writes benchmarks/results/training_loop.json, section by section; --quick writes nothing.
A contestant that is not installed (pip install '.[bench]') is named in the table.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from contestants import CONTESTANTS
from record import RESULTS, facts, save, show, spread
from workloads import WORKLOADS, Workload, make_rows, quick

HAND, OURS = "hand-written", "wellfit"
WATCHED, MONITOR = "hand-written, watched", "Monitor alone"
WITHOUT, SAMPLES = "wellfit, no statistics", "statistics alone"
PENALTIES = {"L1": ("wellfit, L1", "L1 alone"), "L2": ("wellfit, L2", "L2 alone")}
COMPILED = "wellfit, compiled"
AHEAD = {
    "Keras on torch": 2.0,
    "Lightning": 1.8,
    "Lightning, batches read at once": None,
    "skorch": 1.6,
    "skorch, batches read at once": None,
    "scikit-learn": 1.4,
    "Keras on JAX": 1.0,
}
"""How many times the rival's steps per second are wanted, on the MLP.

The bars of Lightning and skorch were set beside the DataLoader that their documentation shows; the same with the
fastest reading that torch's own allows stands below each, to be seen too.
"""
OVERHEAD, OF_STATISTICS, OF_PENALTY, OF_MONITOR = 1.05, 1.02, 1.03, 1.02
"""How many times the hand-written loop's time training may take; of training's without statistics; without penalty; of
the hand-written loop's without a Monitor."""
SAMPLED_STEPS, MONITORED_STEPS = 5000, 2000
"""Steps that statistics alone and a Monitor alone are timed over; samples are densest in the first 2,000."""
SECTIONS = ("epochs", *WORKLOADS, "statistics", "penalties", "monitor")
SETTLE = 0.2
"""Seconds between rounds: threads that wait for work spin for a while."""


@dataclass(frozen=True)
class Setting:
    """What the options say."""

    rounds: int
    quick: bool
    lengths: tuple[int, ...]
    """Epochs of the trainings that are compared as a whole."""
    threads: int
    device: str
    compiled: bool
    folder: Path

    def work(self, name: str) -> Workload:
        return quick(WORKLOADS[name]) if self.quick else WORKLOADS[name]


class Contestant:
    """A contestant's process, and what it said."""

    def __init__(self, name: str, work: Workload, setting: Setting) -> None:
        self.name, self.work = name, work
        size = "quick" if setting.quick else "whole"
        arguments = [name, work.name, size, str(setting.folder), str(setting.threads), setting.device]
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "contestants.py"), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(setting.folder / "stderr").open("a"),
            text=True,
            env=_environment(setting),
        )
        self.said = self._answer()
        self.refused: str | None = self.said.get("refused")
        self.seconds: list[float] = []
        self.cpu: list[float] = []

    def train(self, epochs: int) -> float:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{epochs}\n")
        self.process.stdin.flush()
        answer = self._answer()
        self.seconds.append(answer["seconds"])
        self.cpu.append(answer.get("cpu", float("nan")))
        return self.seconds[-1]

    def end(self) -> None:
        if self.refused is None:
            assert self.process.stdin is not None
            self.process.stdin.close()
            self.said |= self._answer()
        self.process.wait()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        # A rival that fails is a line in the table; the others go on.
        answer: dict[str, Any] = json.loads(line) if line else {"refused": "it failed", "seconds": float("nan")}
        return answer


def _environment(setting: Setting) -> dict[str, str]:
    threads = str(setting.threads)
    limits = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads)
    hidden = {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"} if setting.device == "cpu" else {}
    return {**os.environ, **limits, **hidden}


def race(names: Sequence[str], work: Workload, setting: Setting, epochs: int) -> list[Contestant]:
    """Start the contestants, let them train in turn, and end them."""
    runners = []
    for name in names:
        print(f"{work.name}: {name} ...", file=sys.stderr, flush=True)
        runners.append(Contestant(name, work, setting))
    racing = [runner for runner in runners if runner.refused is None]
    for round_ in range(setting.rounds):
        # There and back, so that none always comes after the same one.
        for runner in racing if round_ % 2 == 0 else racing[::-1]:
            time.sleep(SETTLE)
            runner.train(epochs)
    for runner in runners:
        runner.end()
    return runners


def ratios(of: Contestant, to: Contestant) -> dict[str, float]:
    return spread([a / b for a, b in zip(of.seconds, to.seconds, strict=True)])


def written(figures: dict[str, float]) -> str:
    return f"{figures['median']:.3f} ({figures['min']:.2f}-{figures['max']:.2f})"


def verdict(good: bool) -> str:
    return "ok" if good else "MISSED"


def epochs_section(setting: Setting) -> dict[str, Any]:
    results, rows = {}, []
    for epochs in setting.lengths:
        work = replace(setting.work("mlp"), epochs=epochs)
        hand, ours = race([HAND, OURS], work, setting, epochs)
        ratio = ratios(ours, hand)
        results[str(epochs)] = {"seconds": {HAND: hand.seconds, OURS: ours.seconds}, "ratio": ratio}
        taken = [f"{statistics.median(runner.seconds):.3f}" for runner in (hand, ours)]
        rows.append([str(epochs), *taken, written(ratio), f"<= {OVERHEAD} {verdict(ratio['median'] <= OVERHEAD)}"])
    title = f"Whole trainings, {setting.work('mlp').title}"
    show(title, ["epochs", f"{HAND} s", f"{OURS} s", "ratio, median (min-max)", "bar"], rows)
    return {"bar": OVERHEAD, "epochs": results}


def race_section(name: str, setting: Setting) -> dict[str, Any]:
    work = setting.work(name)
    names = [HAND, OURS, *([COMPILED] if setting.compiled else []), *AHEAD]
    runners = race(names, work, setting, work.epochs)
    hand, ours = runners[0], runners[1]
    results, rows = {}, []
    for runner in runners:
        if runner.refused is not None:
            results[runner.name] = {"refused": runner.refused}
            rows.append([runner.name, runner.refused])
            continue
        record = {
            "versions": runner.said["versions"],
            "steps per second": spread([work.steps / seconds for seconds in runner.seconds]),
            "times hand-written": ratios(runner, hand),
            "wellfit is faster": ratios(runner, ours),
            "startup s": round(runner.said["startup"], 2),
            "peak MB": round(runner.said.get("peak_mb", 0.0)),
        }
        results[runner.name] = record
        rows.append(_race_row(runner.name, record, barred=name == "mlp"))
    head = ["", "steps/s", "x hand-written (min-max)", "wellfit is x faster", "bar", "start-up s", "peak MB"]
    show(f"{work.title}: {work.steps} steps a round, {setting.rounds} rounds", head, rows)
    return {"work": work.title, "steps a round": work.steps, "contestants": results}


def _race_row(name: str, record: dict[str, Any], *, barred: bool) -> list[str]:
    bar = ""
    wanted = AHEAD.get(name) if barred else None
    if wanted is not None:
        bar = f">= {wanted} {verdict(record['wellfit is faster']['median'] >= wanted)}"
    if name == OURS:
        limit = OVERHEAD if barred else 1.10
        bar = f"<= {limit} {verdict(record['times hand-written']['median'] <= limit)}"
    faster = "" if name == OURS else written(record["wellfit is faster"])
    speed = f"{record['steps per second']['median']:.0f}"
    ends = [bar, f"{record['startup s']:.1f}", str(record["peak MB"])]
    return [name, speed, written(record["times hand-written"]), faster, *ends]


def statistics_section(setting: Setting) -> dict[str, Any]:
    ours, without = race([OURS, WITHOUT], setting.work("mlp"), setting, setting.work("mlp").epochs)
    figures = share_of(SAMPLES, ours, without, setting)
    rows = [written_share("statistics", figures, OF_STATISTICS)]
    show("Statistics of the layers: time with them by time without", SHARE_HEAD, rows)
    return {"bar": OF_STATISTICS, **figures}


def penalties_section(setting: Setting) -> dict[str, Any]:
    results, rows = {}, []
    for name, (with_it, alone) in PENALTIES.items():
        penalised, without = race([with_it, OURS], setting.work("mlp"), setting, setting.work("mlp").epochs)
        results[name] = share_of(alone, penalised, without, setting)
        rows.append(written_share(name, results[name], OF_PENALTY))
    show("Penalties: time with each by time without", SHARE_HEAD, rows)
    return {"bar": OF_PENALTY, "penalties": results}


def monitor_section(setting: Setting) -> dict[str, Any]:
    watched, hand = race([WATCHED, HAND], setting.work("mlp"), setting, setting.work("mlp").epochs)
    (alone,) = race([MONITOR], setting.work("mlp"), setting, MONITORED_STEPS)
    part = 1e6 * statistics.median(alone.seconds) / MONITORED_STEPS
    # As long as a step takes where all of its threads are at work.
    step = 1e6 * statistics.median(hand.cpu) / setting.threads / setting.work("mlp").steps
    rounds = spread([a / b for a, b in zip(watched.cpu, hand.cpu, strict=True)])
    figures = {"rounds": rounds, "alone us a step": round(part, 2), "step us": round(step, 1)}
    figures["alone"] = round(1 + part / step, 5)
    rows = [written_share("Monitor", figures, OF_MONITOR)]
    show("A bare Monitor: CPU time with it by CPU time without", SHARE_HEAD, rows)
    return {"bar": OF_MONITOR, **figures}


SHARE_HEAD = ["", "rounds with by without", "alone us a step", "of us a step", "1 + share", "bar"]


def share_of(name: str, with_it: Contestant, without: Contestant, setting: Setting) -> dict[str, Any]:
    """Compare whole rounds, which noise blurs, and time the part alone, which it does not."""
    work = setting.work("mlp")
    (alone,) = race([name], work, setting, SAMPLED_STEPS)
    # Microseconds a step.
    part = 1e6 * statistics.median(alone.seconds) / SAMPLED_STEPS
    step = 1e6 * statistics.median(without.seconds) / work.steps
    figures = {"alone us a step": round(part, 2), "step us": round(step, 1), "alone": round(1 + part / step, 5)}
    return {"rounds": ratios(with_it, without), **figures}


def written_share(name: str, figures: dict[str, Any], bar: float) -> list[str]:
    timed = [f"{figures['alone us a step']:.1f}", f"{figures['step us']:.0f}", f"{figures['alone']:.4f}"]
    return [name, written(figures["rounds"]), *timed, f"<= {bar} {verdict(figures['alone'] <= bar)}"]


def measured(section: str, setting: Setting) -> dict[str, Any]:
    packages = sorted({package for _, _, needed in CONTESTANTS.values() for package in needed})
    about = {**facts(packages), "threads": setting.threads, "device": setting.device, "rounds": setting.rounds}
    made = {
        "epochs": epochs_section,
        "statistics": statistics_section,
        "penalties": penalties_section,
        "monitor": monitor_section,
    }
    return {**about, **(made[section](setting) if section in made else race_section(section, setting))}


def merged(old: dict[str, Any] | None, new: dict[str, Any]) -> dict[str, Any]:
    """Keep what was measured of other lengths, with what it was measured on, where lengths are measured apart."""
    sections = [new] if old is None else [old, new]
    together = {
        length: {**_about(section), **figures} for section in sections for length, figures in section["epochs"].items()
    }
    return {"bar": new["bar"], "epochs": dict(sorted(together.items(), key=lambda item: int(item[0])))}


def _about(section: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in section.items() if name not in ("bar", "epochs")}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="about two minutes; nothing is written")
    parser.add_argument("--epochs", default="", help="lengths of whole trainings, with commas between; 1,5,50")
    parser.add_argument("--only", default="", help="sections, with commas between")
    parser.add_argument("--rounds", type=int, help="rounds of each contestant; 7, or 3 when quick")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", help="cpu or cuda, for those that take one")
    parser.add_argument("--compiled", action="store_true", help="wellfit with compile=True beside the others too")
    options = parser.parse_args()
    chosen = [name for name in options.only.split(",") if name] or ["epochs", "mlp", "statistics"]
    if not options.only and not options.quick:
        chosen = list(SECTIONS)
    if unknown := set(chosen) - set(SECTIONS):
        parser.error(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    path = RESULTS / "training_loop.json"
    results: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        rounds = options.rounds or (3 if options.quick else 7)
        lengths = tuple(map(int, (options.epochs or ("1,5" if options.quick else "1,5,50")).split(",")))
        setting = Setting(rounds, options.quick, lengths, options.threads, options.device, options.compiled, folder)
        for name in sorted({section if section in WORKLOADS else "mlp" for section in chosen}):
            print(f"Rows of {name}: {make_rows(setting.work(name), folder)}.")
        for section in chosen:
            found = measured(section, setting)
            results[section] = merged(results.get(section), found) if section == "epochs" else found
            if not options.quick:
                save("training_loop", results)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
