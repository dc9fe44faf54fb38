"""Trains the own cases with the clinic's loop and writes those that are what they say: cases.jsonl.

Run: python benchmarks/clinic/verify.py --clinic DIR [--only TEXT,...] [--jobs 1] [--dry]

Every case is trained on five seeds, and every task on two stronger nets besides (three times as long, twice as wide),
to know how good a healthy training may be. acceptance.py holds the rule. Of the codes accepted beside the truth a rate
stays where the rate alone (x0.1, 0.01, 0.001, or x10, 100) wins back four fifths of the test metric lost to the twin, a
state of units or gradients where a look inside shows it. Prints what was refused and why; writes cases.jsonl and, with
the figures of every training, verification.jsonl. --dry writes nothing.
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import recordings  # noqa: F401 - one thread a process, before torch is imported
from acceptance import Ending, ending_of, faulty_seeds, healthy_seeds, outcomes
from inside import STATES, look
from own_cases import CASES
from source import Case, add_options, clinic

SEEDS = (0, 1, 2, 3, 4)
WIN_BACK = 0.8
RATES = {"learning_rate_too_high": (0.1, 0.01, 0.001), "learning_rate_too_low": (10.0, 100.0)}


def stronger(case: Case) -> list[Case]:
    """Give the case trained three times as long, and with layers twice as wide."""
    wide = copy.deepcopy(case["arch"])
    _widen(wide[:-1] if isinstance(wide[-1], list) else wide[:-2])
    longer = {**case, "id": case["id"] + "*long", "epochs": 3 * case["epochs"]}
    return [longer, {**case, "id": case["id"] + "*wide", "arch": wide}]


def _widen(arch: list[Any]) -> None:
    for part in arch:
        if isinstance(part, list) and part[0] in ("linear", "conv", "rnn", "gru", "lstm"):
            part[1] *= 2
        elif isinstance(part, list) and part[0] == "repeat":
            _widen(part[2])


def train(case: Case, seed: int, folder: str) -> tuple[str, int, Ending, dict[str, bool], float]:
    """Train once; give how it ended, what a look inside shows, and the metric of a constant guess."""
    import torch

    torch.set_num_threads(1)
    module = clinic(folder)
    problem = module.build(case, seed)
    before = look(problem)
    ending = ending_of(module.reference_fit(problem), len(problem.test[0]))
    after = look(problem)
    shown = {state: before.get(state, False) or after.get(state, False) for state in STATES}
    return case["id"], seed, ending, shown, constant_metric(problem)


def constant_metric(problem: Any) -> float:
    """Give the metric of the best constant guess: 0 of R2, 1 / classes of balanced accuracy, else the largest class."""
    if problem.task == "regression":
        return 0.0
    counts = problem.train[1].bincount().double()
    if problem.fit["metric"] == "balanced_accuracy":
        return 1 / len(counts)
    return float(counts.max() / counts.sum())


class Trainings:
    """All trainings, made some at a time, each once."""

    def __init__(self, folder: str, jobs: int) -> None:
        self.folder = folder
        self.pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"))
        self.endings: dict[str, dict[int, Ending]] = defaultdict(dict)
        self.shown: dict[str, list[dict[str, bool]]] = defaultdict(list)
        self.constant: dict[str, float] = {}

    def make(self, cases: Sequence[Case], seeds: Sequence[int] = SEEDS) -> None:
        work = [(case, seed, self.folder) for case in cases for seed in seeds]
        for done, (name, seed, ending, shown, constant) in enumerate(self.pool.map(train, *zip(*work, strict=True)), 1):
            self.endings[name][seed] = ending
            self.shown[name].append(shown)
            self.constant[name] = constant
            print(f"{done}/{len(work)} {name} {seed}: test {ending.test:.3f}", file=sys.stderr, flush=True)


def best_of_tasks(cases: Sequence[Case], trainings: Trainings) -> dict[str, float]:
    """Give each task's best mean test metric, of the cases and of the stronger nets."""
    best: dict[str, float] = {}
    for case in cases:
        for name in (case["id"], case["id"] + "*long", case["id"] + "*wide"):
            if name in trainings.endings:
                mean = statistics.mean(ending.test for ending in trainings.endings[name].values())
                best[case["task"]] = max(best.get(case["task"], -1.0), mean)
    return best


def metric_of(case: Case) -> str:
    return str(case.get("metric", "r2" if case["loss"] in ("mse", "mae", "huber") else "accuracy"))


def accepted_beside(case: Case, seeds: Sequence[int], twin: Mapping[int, Ending], trainings: Trainings) -> list[str]:
    """Give the truth and those candidates that the trainings bear out."""
    shown = trainings.shown[case["id"]]

    def borne_out(code: str) -> bool:
        if code == case["truth"]:
            return True
        if code in STATES:
            return all(shown[seed][code] for seed in seeds)
        return code not in RATES or _rate_wins_back(case, code, seeds, twin, trainings)

    return [code for code in case["accept"] if borne_out(code)]


def _rate_wins_back(
    case: Case, code: str, seeds: Sequence[int], twin: Mapping[int, Ending], trainings: Trainings
) -> bool:
    lost = statistics.mean(twin[seed].test - trainings.endings[case["id"]][seed].test for seed in seeds)
    for factor in RATES[code]:
        trial = {**case, "id": f"{case['id']}*{factor:g}", "lr": case["lr"] * factor}
        trainings.make([trial], seeds)
        endings = trainings.endings[trial["id"]]
        won = statistics.mean(endings[seed].test - trainings.endings[case["id"]][seed].test for seed in seeds)
        if won >= WIN_BACK * lost:
            return True
    return False


def verified(cases: Sequence[Case], trainings: Trainings) -> list[Case]:
    """Give the cases that are what they say, each with its seeds, accepted codes and symptoms."""
    best, kept, healthy = best_of_tasks(cases, trainings), [], {}
    for case in cases:
        if case["truth"] == "healthy":
            endings = trainings.endings[case["id"]]
            seeds = healthy_seeds(endings, best[case["task"]], metric_of(case))
            healthy[case["id"]] = {seed: endings[seed] for seed in seeds}
            kept += [{**case, "seeds": seeds}] if seeds else []
    for case in cases:
        if case["truth"] != "healthy":
            endings, twin = trainings.endings[case["id"]], healthy.get(case["twin"], {})
            seeds = faulty_seeds(case["truth"], endings, twin)
            if not seeds:
                continue
            accept = accepted_beside(case, seeds, twin, trainings)
            facts = outcomes([endings[s] for s in seeds], [twin[s] for s in seeds], trainings.constant[case["id"]])
            seen = [state for state in STATES if any(trainings.shown[case["id"]][seed][state] for seed in seeds)]
            refused = [code for code in case["accept"] if code in RATES]
            symptoms = sorted({*facts, *seen, *refused} - set(accept))
            kept.append({**case, "accept": accept, "symptoms": symptoms, "seeds": seeds})
    return kept


def write(kept: Sequence[Case], trainings: Trainings, best: Mapping[str, float]) -> None:
    folder = Path(__file__).parent
    (folder / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in kept))
    lines = []
    for case in kept:
        endings = {seed: _rounded(asdict(ending)) for seed, ending in trainings.endings[case["id"]].items()}
        figures = {"metric": metric_of(case), "best_of_task": round(best[case["task"]], 4), "endings": endings}
        lines.append(json.dumps({"id": case["id"], **figures}) + "\n")
    (folder / "verification.jsonl").write_text("".join(lines))


def _rounded(ending: Mapping[str, Any]) -> dict[str, Any]:
    return {name: float(f"{value:.5g}") for name, value in ending.items()}


def explain(cases: Sequence[Case], kept: Sequence[Case], trainings: Trainings, best: Mapping[str, float]) -> None:
    passed = {case["id"] for case in kept}
    for case in cases:
        if case["id"] not in passed:
            tests = " ".join(f"{ending.test:.3f}" for ending in trainings.endings[case["id"]].values())
            rises = " ".join(f"{ending.valid_rise:.2f}" for ending in trainings.endings[case["id"]].values())
            print(f"refused {case['id']} ({case['truth']}): test {tests}; rise {rises}; best {best[case['task']]:.3f}")
    print(f"{len(kept)} of {len(cases)} cases kept, {sum(case['truth'] == 'healthy' for case in kept)} healthy.")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--dry", action="store_true", help="write nothing")
    options = parser.parse_args()
    wanted = [text for text in options.only.split(",") if text]
    named = [case for case in CASES if not wanted or any(text in case["id"] for text in wanted)]
    twins = {case["twin"] for case in named} - {case["id"] for case in named}
    cases = [*(case for case in CASES if case["id"] in twins), *named]
    trainings = Trainings(options.clinic, options.jobs)
    trainings.make(cases)
    trainings.make([strong for case in cases if case["kind"] == "plain" for strong in stronger(case)], SEEDS[:3])
    best = best_of_tasks(cases, trainings)
    kept = verified(cases, trainings)
    explain(cases, kept, trainings, best)
    if not options.dry and not options.only:
        write(kept, trainings, best)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
