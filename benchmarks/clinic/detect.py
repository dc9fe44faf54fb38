"""Runs the doctor on the clinic's cases and scores what it raises: detection, diagnosis, false alarms.

Run: python benchmarks/clinic/detect.py --clinic DIR [--cases FILE|own] [--only TEXT,...] [--seeds N] [--jobs 1]
     [--arms fit,loop,...] [--cache DIR] [--record-only | --from-cache]

fit   wellfit.fit trains the case; its findings are scored
loop  the clinic's own loop trains it with wellfit.Monitor in it; what wellfit.diagnose says is scored
loop-rows  the same, wellfit.Monitor told the loss and the rows
torchmortem, training-doctor, torch-audit  the same loop watched by these (rivals.py tells how they are installed)

Every training is a process's with one thread. Its history is kept in the cache, and what is there is not trained again;
--record-only trains and scores nothing, --from-cache trains nothing: it lets the checks of today read the histories
kept. Prints the tables; over three seeds of each of a file's cases or more it writes benchmarks/results/clinic.json
too, a section a file and arm.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from figures import facts, save, show, spread
from recordings import ARMS, OURS, Recording, Shelf, record_all
from scoring import MAIN_HEAD, bars_line, bars_met, codes, main_row, mistakes, scored, show_faults, show_mistakes
from source import Run, add_options, clinic, read_cases, runs_of

RESULT = "clinic"
SEEDS = 3
"""Seeds of every case that a figure written down is over."""


def diagnosed(shelf: Shelf, run: Run) -> tuple[tuple[str, int], list[str]]:
    """Let the checks read a history that was kept."""
    from wellfit.diagnosis import diagnose

    history = shelf.history(run)
    found = [] if history is None else diagnose(history)
    return run.key, codes([finding.as_dict() for finding in found])


def diagnose_all(shelf: Shelf, runs: Sequence[Run], jobs: int) -> dict[tuple[str, int], list[str]]:
    if jobs == 1:
        return dict(diagnosed(shelf, run) for run in runs)
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        return dict(pool.map(diagnosed, [shelf] * len(runs), runs, chunksize=16))


def train(arm: str, runs: Sequence[Run], shelf: Shelf, options: argparse.Namespace) -> None:
    missing = sum(shelf.lacks(run) for run in runs)
    recordings = record_all(runs, arm, options.clinic, shelf, options.jobs)
    for done, recording in enumerate(recordings, 1):
        state = recording.failure.splitlines()[0] if recording.failure else f"{recording.seconds:.2f} s"
        print(f"{arm} {done}/{missing} {recording.case} {recording.seed}: {state}", file=sys.stderr, flush=True)


def show_failures(arm: str, recordings: Sequence[Recording]) -> None:
    rows = [[r.case, str(r.seed), r.failure.splitlines()[0][:120]] for r in recordings if r.failure]
    if rows:
        show(f"{arm}: trainings that did not end: {len(rows)}", ["case", "seed", "error"], rows)


def raised_in(
    arm: str, runs: Sequence[Run], shelf: Shelf, options: argparse.Namespace
) -> dict[tuple[str, int], list[str]]:
    if options.from_cache and arm in OURS:
        return diagnose_all(shelf, runs, options.jobs)
    return {run.key: codes(shelf.get(run).findings) for run in runs}


def score(arm: str, runs: Sequence[Run], shelf: Shelf, options: argparse.Namespace) -> dict[str, Any]:
    """Score an arm, print its details, and give what is written."""
    kept = [run for run in runs if shelf.has(run)]
    recordings = [shelf.get(run) for run in kept]
    raised = raised_in(arm, kept, shelf, options)
    report = scored(clinic(options.clinic), raised, list({run.case["id"]: run.case for run in kept}.values()))
    lists = mistakes(raised, kept)
    if arm in OURS:
        show_faults(arm, report)
        show_mistakes(arm, lists)
    show_failures(arm, recordings)
    seconds = [recording.cpu_seconds for recording in recordings]
    report.pop("missed")
    return {
        "trainings": len(kept),
        "bars met": bars_met(report),
        "score": report,
        "cpu seconds of a training": spread(seconds),
        "failed": [recording.key for recording in recordings if recording.failure],
        **lists,
    }


def write(arm: str, options: argparse.Namespace, figures: dict[str, Any]) -> None:
    path = Path(__file__).parents[1] / "results" / f"{RESULT}.json"
    results: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    cases = results.setdefault(Path(options.cases).stem, {})
    cases[arm] = {**facts(*([arm] if arm not in OURS else [])), **figures}
    save(RESULT, results)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--arms", default="fit", help=", ".join(ARMS))
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    parser.add_argument("--cache", help="the folder of the recordings; a temporary one where left out")
    parser.add_argument("--record-only", action="store_true")
    parser.add_argument("--from-cache", action="store_true")
    options = parser.parse_args()
    if (options.record_only or options.from_cache) and not options.cache:
        parser.error("--record-only and --from-cache need --cache DIR")
    if unknown := set(options.arms.split(",")) - set(ARMS):
        parser.error(f"no arm {', '.join(unknown)}; there are {', '.join(ARMS)}")
    runs = runs_of(read_cases(options), options.seeds)
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for arm in options.arms.split(","):
            shelf = Shelf(Path(options.cache or scratch) / arm)
            if not options.from_cache:
                train(arm, runs, shelf, options)
            if options.record_only:
                continue
            figures = score(arm, runs, shelf, options)
            rows.append([*main_row(arm, figures["score"]), bars_line(figures["bars met"]) if arm in OURS else ""])
            if not options.only and (options.seeds or SEEDS) >= SEEDS and figures["trainings"] == len(runs):
                write(arm, options, figures)
    if rows:
        show(f"{Path(options.cases).name}: {len(runs)} trainings", [*MAIN_HEAD, "missed"], rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
