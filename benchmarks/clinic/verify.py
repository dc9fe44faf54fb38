"""Trains the own cases with the clinic's loop and writes those that are what they say: cases.jsonl.

Run: python benchmarks/clinic/verify.py --clinic DIR [--only TEXT,...] [--jobs 1] [--cache DIR] [--dry]

Every case is trained on five seeds, and each task's first healthy case by two stronger nets besides (three times as
long, twice as wide), to know how good a healthy training may be. acceptance.py holds the rule. Of the codes accepted
beside the truth a rate stays where the rate alone (x0.1, 0.01, 0.001, or x10, 100) wins back four fifths of the test
metric lost to the twin, a state of units or gradients where a look inside shows it. Prints what was refused and why;
writes cases.jsonl and, with the figures of every training, verification.jsonl. --dry writes nothing, and so does
--only. What is in the cache is not trained again.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
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


@dataclass(frozen=True)
class Seen:
    """What one training gave: its ending, what a look inside shows, the metric of a constant guess."""

    ending: Ending
    shown: dict[str, bool]
    constant: float


def train(case: Case, seed: int, folder: str, cache: str | None) -> Seen:
    """Train once, or read what an equal training gave."""
    said = {field: value for field, value in case.items() if field not in ("id", "truth", "accept", "twin", "note")}
    key = hashlib.sha256(json.dumps([said, seed], sort_keys=True).encode()).hexdigest()[:24]
    path = None if cache is None else Path(cache) / f"{key}.json"
    if path is not None and path.is_file():
        kept = json.loads(path.read_text())
        return Seen(Ending(**kept["ending"]), kept["shown"], kept["constant"])
    seen = trained(case, seed, folder)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(seen)))
    return seen


def trained(case: Case, seed: int, folder: str) -> Seen:
    import torch

    torch.set_num_threads(1)
    module = clinic(folder)
    problem = module.build(case, seed)
    before = look(problem)
    ending = ending_of(module.reference_fit(problem), len(problem.test[0]))
    after = look(problem)
    shown = {state: before.get(state, False) or after.get(state, False) for state in STATES}
    return Seen(ending, shown, constant_metric(problem))


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

    def __init__(self, folder: str, jobs: int, cache: str | None) -> None:
        self.folder, self.cache = folder, cache
        self.pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"))
        self.seen: dict[str, dict[int, Seen]] = defaultdict(dict)

    def make(self, cases: Sequence[Case], seeds: Sequence[int] = SEEDS) -> None:
        work = [(case, seed) for case in cases for seed in seeds]
        futures = [self.pool.submit(train, case, seed, self.folder, self.cache) for case, seed in work]
        for done, ((case, seed), future) in enumerate(zip(work, futures, strict=True), 1):
            self.seen[case["id"]][seed] = future.result()
            test = self.seen[case["id"]][seed].ending.test
            print(f"{done}/{len(work)} {case['id']} {seed}: test {test:.3f}", file=sys.stderr, flush=True)

    def endings(self, name: str) -> dict[int, Ending]:
        return {seed: seen.ending for seed, seen in self.seen[name].items()}

    def shown(self, name: str, state: str, seeds: Sequence[int]) -> list[bool]:
        return [self.seen[name][seed].shown[state] for seed in seeds]


def best_of_tasks(cases: Sequence[Case], trainings: Trainings) -> dict[str, float]:
    """Give each task's best mean test metric, of the cases and of the stronger nets."""
    best: dict[str, float] = {}
    for case in cases:
        for name in (case["id"], case["id"] + "*long", case["id"] + "*wide"):
            if name in trainings.seen:
                mean = statistics.mean(ending.test for ending in trainings.endings(name).values())
                best[case["task"]] = max(best.get(case["task"], -1.0), mean)
    return best


def metric_of(case: Case) -> str:
    return str(case.get("metric", "r2" if case["loss"] in ("mse", "mae", "huber") else "accuracy"))


def accepted_beside(case: Case, seeds: Sequence[int], twin: Mapping[int, Ending], trainings: Trainings) -> list[str]:
    """Give the truth and those candidates that the trainings bear out."""

    def borne_out(code: str) -> bool:
        if code == case["truth"]:
            return True
        if code in STATES:
            return all(trainings.shown(case["id"], code, seeds))
        return code not in RATES or _rate_wins_back(case, code, seeds, twin, trainings)

    return [code for code in case["accept"] if borne_out(code)]


def _rate_wins_back(
    case: Case, code: str, seeds: Sequence[int], twin: Mapping[int, Ending], trainings: Trainings
) -> bool:
    ill = trainings.endings(case["id"])
    lost = statistics.mean(twin[seed].test - ill[seed].test for seed in seeds)
    for factor in RATES[code]:
        trial = {**case, "id": f"{case['id']}*{factor:g}", "lr": case["lr"] * factor}
        trainings.make([trial], seeds)
        won = statistics.mean(trainings.endings(trial["id"])[seed].test - ill[seed].test for seed in seeds)
        if won >= WIN_BACK * lost:
            return True
    return False


def verified(cases: Sequence[Case], trainings: Trainings) -> list[Case]:
    """Give the cases that are what they say, each with its seeds, accepted codes and symptoms."""
    best, kept, healthy = best_of_tasks(cases, trainings), [], {}
    for case in cases:
        if case["truth"] == "healthy":
            endings = trainings.endings(case["id"])
            seeds = healthy_seeds(endings, best[case["task"]], metric_of(case))
            healthy[case["id"]] = {seed: endings[seed] for seed in seeds}
            kept += [{**case, "seeds": seeds}] if seeds else []
    for case in cases:
        if case["truth"] != "healthy":
            endings, twin = trainings.endings(case["id"]), healthy.get(case["twin"], {})
            seeds = faulty_seeds(case["truth"], endings, twin)
            if not seeds:
                continue
            accept = accepted_beside(case, seeds, twin, trainings)
            constant = trainings.seen[case["id"]][seeds[0]].constant
            facts = outcomes([endings[seed] for seed in seeds], [twin[seed] for seed in seeds], constant)
            seen = [state for state in STATES if any(trainings.shown(case["id"], state, seeds))]
            refused = [code for code in case["accept"] if code in RATES]
            symptoms = sorted({*facts, *seen, *refused} - set(accept))
            kept.append({**case, "accept": accept, "symptoms": symptoms, "seeds": seeds})
    return kept


def write(kept: Sequence[Case], trainings: Trainings, best: Mapping[str, float]) -> None:
    folder = Path(__file__).parent
    (folder / "cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in kept))
    lines = []
    for case in kept:
        endings = {seed: _rounded(asdict(ending)) for seed, ending in trainings.endings(case["id"]).items()}
        figures = {"metric": metric_of(case), "best_of_task": round(best[case["task"]], 4), "endings": endings}
        lines.append(json.dumps({"id": case["id"], **figures}) + "\n")
    (folder / "verification.jsonl").write_text("".join(lines))


def _rounded(ending: Mapping[str, Any]) -> dict[str, Any]:
    return {name: float(f"{value:.5g}") for name, value in ending.items()}


def explain(cases: Sequence[Case], kept: Sequence[Case], trainings: Trainings, best: Mapping[str, float]) -> None:
    passed = {case["id"] for case in kept}
    for case in cases:
        if case["id"] not in passed:
            tests = " ".join(f"{ending.test:.3f}" for ending in trainings.endings(case["id"]).values())
            rises = " ".join(f"{ending.valid_rise:.2f}" for ending in trainings.endings(case["id"]).values())
            print(f"refused {case['id']} ({case['truth']}): test {tests}; rise {rises}; best {best[case['task']]:.3f}")
    print(f"{len(kept)} of {len(cases)} cases kept, {sum(case['truth'] == 'healthy' for case in kept)} healthy.")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--cache", help="a folder that keeps what trainings gave")
    parser.add_argument("--dry", action="store_true", help="write nothing")
    options = parser.parse_args()
    wanted = [text for text in options.only.split(",") if text]
    named = [case for case in CASES if not wanted or any(text in case["id"] for text in wanted)]
    twins = {case["twin"] for case in named} - {case["id"] for case in named}
    cases = [*(case for case in CASES if case["id"] in twins), *named]
    trainings = Trainings(options.clinic, options.jobs, options.cache)
    trainings.make(cases)
    first = {case["task"]: case for case in reversed(cases) if case["truth"] == "healthy"}
    trainings.make([strong for case in first.values() for strong in stronger(case)], SEEDS[:3])
    best = best_of_tasks(cases, trainings)
    kept = verified(cases, trainings)
    trainings.pool.shutdown()
    explain(cases, kept, trainings, best)
    if not options.dry and not options.only:
        write(kept, trainings, best)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
