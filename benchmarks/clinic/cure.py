"""Treats the clinic's faulty cases and looks, afterwards, at test rows that no treatment saw.

Run: python benchmarks/clinic/cure.py --clinic DIR [--cases FILE|own] [--only TEXT,...] [--seeds 1] [--jobs 1]
     [--cache DIR] [--no-search]

A run is cured where its test metric ends within the seed noise of the healthy twin, or better: not below the mean of
the twin, trained from three first weights on the same rows, by two of its standard deviations, or by the 0.02 under
which the clinic knows no fault. Beside it random search draws from the same changes, with as many trainings as the
treatment made (at least 13, so that a treatment that gave up early does not bind it) and the same proof. Cases whose
cause no setting can change (labels that tell nothing) are listed apart. Prints a table and writes
benchmarks/results/clinic_cure.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType
from typing import Any

import recordings  # noqa: F401 - one thread a process, before torch is imported
from figures import facts, save, show
from source import Run, add_options, clinic, read_cases, runs_of

BAR = 0.95
UNEDITABLE = {"shuffled_labels": "no setting of a training joins labels to their rows again"}
LEAST = 0.02
"""The clinic's own: a test metric nearer to the twin's than this is no fault."""
ROUNDING = 1e-9
"""Of few test rows the figures are few too, and one of them may be the wanted one but for the last digit."""
TWINS = 3
FEWEST = 13


@dataclass
class Cure:
    """What a treatment and a random search made of one run."""

    case: str
    seed: int
    truth: str
    twin: list[float]
    given: float
    treated: float
    remedies: str
    accepted: bool
    trainings: int
    seconds: float
    searched: float | None = None
    search_remedies: str = ""
    search_trainings: int = 0
    failure: str = ""

    @property
    def wanted(self) -> float:
        """The least test metric that is a cure."""
        spread = statistics.stdev(self.twin) if len(self.twin) > 1 else 0.0
        return statistics.mean(self.twin) - max(LEAST, 2 * spread)

    @property
    def cured(self) -> bool:
        return self.treated >= self.wanted - ROUNDING

    @property
    def search_cured(self) -> bool:
        return self.searched is not None and self.searched >= self.wanted - ROUNDING


def twin_metrics(twin: dict[str, Any], seed: int, module: ModuleType) -> list[float]:
    """Give the test metrics of the twin trained from several first weights on the run's rows."""
    import torch
    from maker import maker_of

    metrics = []
    for start in range(TWINS):
        problem = module.build(twin, seed)
        if start:
            torch.manual_seed(1000 * start + seed)
            problem.module = maker_of(problem, module)()
        metrics.append(module.reference_fit(problem, seed + 1000 * start)["final_test"])
    return metrics


def treated(run: Run, twin: dict[str, Any], folder: str, *, search: bool) -> Cure:
    """Treat a run, then search at random with as many trainings."""
    import torch

    torch.set_num_threads(1)
    module = clinic(folder)
    cure = Cure(run.case["id"], run.seed, run.case["truth"], twin_metrics(twin, run.seed, module), *_nothing())
    try:
        _treat(cure, run, module)
        if search:
            _search(cure, run, module)
    except ImportError:
        raise  # the environment's fault, not the treatment's
    except Exception as error:
        cure.failure = f"{type(error).__name__}: {error}\n{traceback.format_exc(limit=-4)}"
    return cure


def _nothing() -> tuple[float, float, str, bool, int, float]:
    return float("nan"), float("nan"), "", False, 0, 0.0


def _treat(cure: Cure, run: Run, module: ModuleType) -> None:
    from adapter import fit, fit_options
    from maker import maker_of, worth

    from wellfit.treatment import treat

    given = module.build(run.case, run.seed)
    fit(given, module, doctor="off")
    cure.given = module.assess(given, given.test)[1]
    problem = module.build(run.case, run.seed)
    began = time.process_time()
    treatment = treat(maker_of(problem, module), problem.train, **fit_options(problem, module))
    cure.seconds = round(time.process_time() - began, 2)
    cure.treated = worth(problem, module, treatment.result.module, treatment.outputs)
    cure.remedies = "; ".join(dict.fromkeys(f"{r.path} {r.value}" for r in treatment.accepted)) or "none"
    cure.accepted, cure.trainings = bool(treatment.accepted), treatment.trainings


def _search(cure: Cure, run: Run, module: ModuleType) -> None:
    from adapter import fit_options
    from maker import maker_of, worth
    from random_search import random_search

    problem = module.build(run.case, run.seed)
    options = fit_options(problem, module)
    valid, seed = options.pop("valid"), options.pop("seed")
    found = random_search(
        maker_of(problem, module),
        problem.train,
        valid,
        budget=max(cure.trainings, FEWEST),
        # Told what treat has to find out: that every class counts alike.
        balanced=problem.fit["metric"] == "balanced_accuracy",
        seed=seed,
        **options,
    )
    cure.searched = worth(problem, module, found.module, found.outputs)
    cure.search_remedies = found.course if found.accepted else "none"
    cure.search_trainings = found.trainings


def treat_all(runs: Sequence[Run], twins: dict[str, Any], options: argparse.Namespace, cache: Path) -> list[Cure]:
    """Treat what is not in the cache, some at a time."""
    cache.mkdir(parents=True, exist_ok=True)
    cures, missing = [], []
    for run in runs:
        path = cache / f"{run.case['id']}-{run.seed}.json"
        kept = Cure(**json.loads(path.read_text())) if path.is_file() else None
        if kept is None or kept.failure:
            missing.append(run)
        else:
            cures.append(kept)
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        work = [
            pool.submit(treated, run, twins[run.case["twin"]], options.clinic, search=not options.no_search)
            for run in missing
        ]
        for done, future in enumerate(as_completed(work), 1):
            cure = future.result()
            (cache / f"{cure.case}-{cure.seed}.json").write_text(json.dumps(asdict(cure)))
            cures.append(cure)
            print(f"{done}/{len(missing)} {line(cure)}", file=sys.stderr, flush=True)
    return sorted(cures, key=lambda cure: (cure.truth, cure.case, cure.seed))


def line(cure: Cure) -> str:
    if cure.failure:
        return f"{cure.case} {cure.seed}: {cure.failure.splitlines()[0]}"
    state = "cured" if cure.cured else "NOT cured"
    search = "" if cure.searched is None else f", search {cure.searched:.3f}"
    figures = f"{cure.given:.3f} -> {cure.treated:.3f}, wanted {cure.wanted:.3f}{search}"
    return f"{cure.case} {cure.seed}: {state} {figures} ({cure.trainings} trainings, {cure.seconds:.0f} s)"


def counts(cures: Sequence[Cure], module: ModuleType) -> dict[str, Any]:
    """Give the counts of cured runs with their intervals."""
    total = len(cures)
    healed = sum(cure.cured for cure in cures)
    searched = [cure for cure in cures if cure.searched is not None]
    found = sum(cure.search_cured for cure in searched)
    return {
        "runs": total,
        "cured": healed,
        "rate": round(healed / max(total, 1), 4),
        "interval": [round(end, 4) for end in module.wilson(healed, total)],
        "accepted": sum(cure.accepted for cure in cures),
        "trainings": round(statistics.mean(cure.trainings for cure in cures), 1) if cures else 0,
        "random search": {
            "runs": len(searched),
            "cured": found,
            "rate": round(found / max(len(searched), 1), 4),
            "trainings": round(statistics.mean(cure.search_trainings for cure in searched), 1) if searched else 0,
        },
    }


def show_counts(cures: Sequence[Cure], whole: dict[str, Any], module: ModuleType) -> None:
    rows = []
    for truth in sorted({cure.truth for cure in cures}):
        some = counts([cure for cure in cures if cure.truth == truth], module)
        search = some["random search"]
        rows.append([truth, str(some["runs"]), str(some["cured"]), f"{search['cured']}/{search['runs']}"])
    search = whole["random search"]
    ends = f"{whole['interval'][0]:.3f}-{whole['interval'][1]:.3f}"
    met = "ok" if whole["rate"] >= BAR and whole["rate"] > search["rate"] else "MISSED"
    total = f"{whole['cured']} = {whole['rate']:.3f} ({ends})  >= {BAR} {met}"
    rows.append(["all", str(whole["runs"]), total, f"{search['cured']}/{search['runs']} = {search['rate']:.3f}"])
    rows.append(["trainings a run", "", str(whole["trainings"]), str(search["trainings"])])
    show("Faulty runs cured, judged on test rows", ["cause", "runs", "treat", "random search"], rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.set_defaults(seeds=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--cache", help="the folder of what was treated; a temporary one where left out")
    parser.add_argument("--no-search", action="store_true", help="no random search")
    options = parser.parse_args()
    module = clinic(options.clinic)
    everything = argparse.Namespace(**{**vars(options), "only": ""})
    twins = {case["id"]: case for case in read_cases(everything)}
    faulty = [case for case in read_cases(options) if case["truth"] != "healthy"]
    apart = sorted(case["id"] for case in faulty if case["truth"] in UNEDITABLE)
    runs = runs_of([case for case in faulty if case["truth"] not in UNEDITABLE], options.seeds)
    with tempfile.TemporaryDirectory() as scratch:
        cures = treat_all(runs, twins, options, Path(options.cache or scratch))
    whole = counts(cures, module)
    missed = [cure for cure in cures if not cure.cured]
    for cure in missed:
        print(line(cure), "by", cure.remedies)
    show_counts(cures, whole, module)
    print(f"Not to be cured by settings: {', '.join(apart) or 'none'}.")
    if not options.only:
        record = {**whole, "apart": apart, "missed": [line(cure) for cure in missed]}
        path = Path(__file__).parents[1] / "results" / "clinic_cure.json"
        results = json.loads(path.read_text()) if path.exists() else {}
        results[Path(options.cases).stem] = {**facts(), "bar": BAR, **record, "each": [asdict(cure) for cure in cures]}
        save("clinic_cure", results)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
