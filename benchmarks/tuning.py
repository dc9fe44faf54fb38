"""Tunes real tables, and holds the result against the untuned default and against random search in the same time.

Run: WELLFIT_DATA=FOLDER python benchmarks/tuning.py [--only pima,mpg] [--trials 20] [--model mlp] [--workers 1]
     [--keep FOLDER]

All three are the same architecture on the same rows; tables of more than 20,000 rows are left out. Tuned is what
`wellfit.tune` gives: search, of few rows on five folds, proof on fresh seeds, final training. Random search draws from
the same ranges without giving trials up, for as many seconds as tuning took in all, and takes the best on validation
rows, as a search does that is written in an afternoon. Each choice is then trained on three seeds; figures are their
means, so that one lucky seed decides nothing.

Prints a table and writes benchmarks/results/tuning.json. With --keep a table's figures are kept in a folder as soon as
they are there, and read from it by the next run.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna

from record import facts, save, show
from wellfit.config import Config, from_mapping, with_values
from wellfit.tuning import tune_run
from wellfit.tuning.bench import Bench, Job
from wellfit.tuning.settings import with_settings
from wellfit.tuning.space import default_space
from wellfit.tuning.subject import Subject

SEEDS = (0, 1, 2)
"""Seeds on which each choice is trained; the search uses the first."""


@dataclass(frozen=True)
class Table:
    name: str
    file: str
    target: str | int
    drop: tuple[str, ...] = ()


TABLES = (
    Table("pima", "pima/pima.csv", -1),
    Table("penguins", "penguins/penguins.csv", "species"),
    Table("titanic", "titanic/train.csv", "Survived"),
    Table("credit-g", "credit-g/credit.csv", "default"),
    Table("horse-colic", "horse-colic/horse-colic.csv", "c22"),
    Table("phoneme", "phoneme/phoneme.csv", -1),
    Table("sick", "sick/sick.csv", "Class"),
    Table("mushroom", "mushroom/mushrooms.csv", "type"),
    Table("mammography", "mammography/mammography.csv", -1),
    Table("letter", "letter/letterdata.csv", "letter"),
    Table("covertype-20k", "covertype-20k/covtype.20k.csv.gz", -1),
    Table("mpg", "mpg/mpg.csv", "mpg"),
    Table("insurance", "insurance/insurance.csv", "charges"),
    Table("wine-red", "wine-quality/winequality-red.csv", -1),
    Table("wine-white", "wine-quality/winequality-white.csv", -1),
    Table("ames", "ames-housing/ames.csv", "price", drop=("rownames", "Order", "PID")),
    Table("taxis", "taxis/taxis.csv", "fare", drop=("total", "tip", "tolls")),
    Table("bike-sharing", "bike-sharing/hour.csv.gz", "cnt", drop=("casual", "registered", "instant")),
)


def config_of(table: Table, folder: Path, options: argparse.Namespace, out: Path) -> Config:
    return from_mapping(
        {
            "data": {"source": str(folder / table.file), "target": table.target},
            "features": {"columns": {name: {"type": "drop"} for name in table.drop}},
            "model": {"type": options.model},
            "train": {"seed": SEEDS[0], **({"epochs": options.epochs} if options.epochs else {})},
            "tune": {"trials": options.trials, "workers": options.workers},
            "output": {"run": str(out), "report": False},
        }
    )


def tuned(config: Config) -> tuple[Mapping[str, Any], dict[str, Any], float]:
    """Give what tuning keeps, its record, and the seconds it took."""
    started = time.monotonic()
    run = tune_run(config)
    record = run.tuning or {}
    best = record["best"]
    return ({} if best is None else best["values"]), record, time.monotonic() - started


def drawn(bench: Bench, seconds: float) -> tuple[Mapping[str, Any], int]:
    """Give the best of random draws that fit into a time, and how many there were; the first is the default."""
    started = time.monotonic()
    space = default_space(bench.config, bench.resolved(), bench.prepared.rows["train"])
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    best: tuple[float, Mapping[str, Any]] | None = None
    count, values = 0, {}
    while time.monotonic() - started < seconds:
        left = seconds - (time.monotonic() - started)
        measured = bench.measure(Job(key="random", values=values, seconds=left))
        if measured.state == "complete" and measured.value is not None:
            cost = -measured.value if bench.greater_is_better else measured.value
            best = min([held for held in (best, (cost, values)) if held], key=lambda held: held[0])
        count += 1
        trial = study.ask()
        values = {one.key: one.value(one.suggest(trial)) for one in space}
    return (best[1] if best else {}), count


def scored(bench: Bench, values: Mapping[str, Any]) -> dict[str, float]:
    """Train a choice on each seed; give the mean figure of validation and test rows."""
    from wellfit.experiment import Experiment

    figures: dict[str, list[float]] = {"valid": [], "test": []}
    for seed in SEEDS:
        config = with_settings(bench.config, {**values, "train.seed": seed})
        experiment = Experiment(bench.ready(config))
        experiment.trainer.run()
        outcome = experiment.outcome()
        for split, held in figures.items():
            held.append(float(outcome.prepared.score(outcome.predictor, split).metrics[bench.metric] or float("nan")))
    return {split: statistics.fmean(held) for split, held in figures.items()}


def kept(table: Table, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Compare a table, or read what an earlier run has kept of it."""
    if options.keep is None:
        return compared(table, folder, options)
    path = Path(options.keep) / f"{table.name}.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(compared(table, folder, options)))
    held: dict[str, Any] = json.loads(path.read_text())
    return held


def compared(table: Table, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        config = config_of(table, folder, options, Path(place) / "run")
        values, record, seconds = tuned(config)
    bench = Bench(Subject(with_values(config, {"tune.folds": 1})))
    random_values, draws = drawn(bench, seconds)
    choices = {"default": {}, "tuned": values, "random": random_values}
    return {
        "metric": bench.metric,
        "greater_is_better": bench.greater_is_better,
        "rows": dict(bench.prepared.rows),
        "seconds": round(seconds, 1),
        "kept": record["kept"],
        "states": {state: sum(trial["state"] == state for trial in record["trials"]) for state in STATES},
        "random_trials": draws,
        "values": {name: dict(choice) for name, choice in choices.items()},
        **{name: scored(bench, choice) for name, choice in choices.items()},
    }


STATES = ("complete", "pruned", "failed")


def wins(results: Mapping[str, Mapping[str, Any]], split: str, rival: str) -> dict[str, int]:
    """Count the tables on which tuned is better than a rival, the same, and worse."""
    counts = {"better": 0, "same": 0, "worse": 0}
    for result in results.values():
        gain = result["tuned"][split] - result[rival][split]
        gain = gain if result["greater_is_better"] else -gain
        counts["same" if gain == 0 else "better" if gain > 0 else "worse"] += 1
    return counts


def line(name: str, result: Mapping[str, Any]) -> list[str]:
    figures = [
        f"{result[choice][split]:.4g}" for split in ("valid", "test") for choice in ("default", "tuned", "random")
    ]
    return [name, result["metric"], result["kept"], f"{result['seconds']:.0f}", str(result["random_trials"]), *figures]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="names of tables, with commas")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--model", default="mlp", help="mlp, realmlp, ...")
    parser.add_argument("--epochs", type=int, help="epochs of each training; left out: the architecture's own")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--keep", help="a folder for the figures of each table")
    options = parser.parse_args(arguments)
    folder = Path(os.environ["WELLFIT_DATA"])
    chosen = options.only.split(",") if options.only else [table.name for table in TABLES]
    results = {}
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for table in TABLES:
        if table.name in chosen:
            results[table.name] = kept(table, folder, options)
            print(*line(table.name, results[table.name]), flush=True)
    head = ["table", "metric", "kept", "s", "random trials", *[f"{s} {c}" for s in ("valid", "test") for c in CHOICES]]
    show("Means over three seeds", head, (line(name, result) for name, result in results.items()))
    counted = {
        f"{split}, against {rival}": wins(results, split, rival) for split in ("valid", "test") for rival in RIVALS
    }
    for name, counts in counted.items():
        print(f"{name}: better on {counts['better']}, the same on {counts['same']}, worse on {counts['worse']}")
    settings = {"trials": options.trials, "model": options.model, "workers": options.workers, "seeds": list(SEEDS)}
    print(save("tuning", {**facts(), "settings": settings, "tables": results, "wins": counted}))


CHOICES = ("default", "tuned", "random")
RIVALS = ("default", "random")

if __name__ == "__main__":
    main()
