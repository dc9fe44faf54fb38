"""Trains RealMLP-TD by wellfit's recipe and by pytabkit, on the same rows, and compares scores and times.

Run: WELLFIT_DATA=FOLDER python benchmarks/tables/realmlp_parity.py [--only california,adult] [--seeds 3] [--epochs 256]
         [--precision bfloat16]

Wants pytabkit (in the extra `bench`). Each contender trains in this process, one after the other, with as many threads;
a seed deals the rows and draws the weights. Prints a table and writes benchmarks/results/realmlp_parity.json, unless
only some tables were asked for, or epochs or precision were changed. Ends with exit code 1 where the scores differ by
more than two standard errors of the seeds' differences and more than 1 %, or wellfit takes more than a third of the
time.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np
import polars as pl
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from record import facts, save, show
from wellfit.config import from_mapping
from wellfit.experiment import Experiment
from wellfit.metrics import all_scores
from wellfit.preparation import prepare

EPOCHS = 256


@dataclass(frozen=True)
class Task:
    name: str
    file: str
    target: str
    metric: str


TASKS = (
    Task("california", "california-housing/housing.csv.gz", "median_house_value", "rmse"),
    Task("adult", "adult/adult-train.csv.gz", "-1", "accuracy"),
)


@dataclass(frozen=True)
class Fit:
    score: float
    wall: float
    cpu: float


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    done = work()
    return done, time.perf_counter() - wall, time.process_time() - cpu


def prepared_rows(task: Task, data: Path, seed: int, epochs: int, precision: str | None = None) -> Any:
    settings: dict[str, Any] = {
        "data": {"source": str(data / task.file), "target": int(task.target) if task.target == "-1" else task.target},
        "split": {"seed": seed, "test": 0.2, "valid": 0.2},
        "model": "realmlp",
        "train": {
            "metric": task.metric,
            "seed": seed,
            "epochs": epochs,
            "doctor": "off",
            "threads": torch.get_num_threads(),
            **({} if precision is None else {"precision": precision}),
        },
    }
    return prepare(from_mapping(settings))


def ours(prepared: Any, task: Task, seed: int, epochs: int) -> Fit:
    def work() -> Experiment:
        experiment = Experiment(prepared)
        experiment.trainer.run()
        return experiment

    experiment, wall, cpu = timed(work)
    scores = experiment.outcome().predictor.score(prepared.frames["test"]).metrics
    return Fit(float(scores[task.metric]), wall, cpu)


def theirs(prepared: Any, task: Task, seed: int, epochs: int) -> Fit:
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    regression = prepared.target.task == "regression"
    frames = {name: plain(prepared, name) for name in ("train", "valid", "test")}
    targets = {name: encoded(prepared, name) for name in frames}
    make = RealMLP_TD_Regressor if regression else RealMLP_TD_Classifier
    model = make(n_cv=1, n_refit=0, random_state=seed, n_epochs=epochs, n_threads=torch.get_num_threads(), verbosity=0)
    names = [name for name, kind in frames["train"].dtypes.items() if str(kind) == "category"]

    def work() -> None:
        model.fit(frames["train"], targets["train"], frames["valid"], targets["valid"], cat_col_names=names)

    _, wall, cpu = timed(work)
    predicted = model.predict(frames["test"]) if regression else model.predict_proba(frames["test"])
    truth = targets["test"]
    if regression:
        truth, predicted = prepared.target.decode(truth), prepared.target.decode(np.asarray(predicted).reshape(-1))
    return Fit(float(all_scores(prepared.target.task, truth, predicted)[task.metric]), wall, cpu)


def plain(prepared: Any, name: str) -> Any:
    """Give typed rows as pytabkit takes them: numbers filled by the training median, categories as such."""
    typed = prepared.cleaning.apply(prepared.frames[name].drop(prepared.not_features))[0]
    train = prepared.cleaning.apply(prepared.frames["train"].drop(prepared.not_features))[0]
    columns = []
    for column in typed.columns:
        series = typed[column]
        if series.dtype.is_numeric():
            columns.append(series.cast(pl.Float64).fill_null(train[column].cast(pl.Float64).median()))
        else:
            columns.append(series.cast(pl.String).fill_null("missing"))
    frame = pl.DataFrame(columns).to_pandas()
    return frame.astype({column.name: "category" for column in columns if column.dtype == pl.String})


def encoded(prepared: Any, name: str) -> Any:
    return prepared.target.encode(prepared.frames[name].get_column(prepared.target.name))[0]


def compared(task: Task, data: Path, seeds: int, epochs: int, precision: str | None) -> dict[str, Any]:
    fits: dict[str, list[Fit]] = {"wellfit": [], "pytabkit": []}
    for seed in range(seeds):
        prepared = prepared_rows(task, data, seed, epochs, precision)
        for name, train in (("wellfit", ours), ("pytabkit", theirs)):
            fits[name].append(train(prepared, task, seed, epochs))
            print(task.name, seed, name, fits[name][-1], file=sys.stderr, flush=True)
    differences = [a.score - b.score for a, b in zip(*fits.values(), strict=True)]
    error = stdev(differences) / len(differences) ** 0.5 if len(differences) > 1 else float("nan")
    record: dict[str, Any] = {"metric": task.metric, "difference": mean(differences), "standard_error": error}
    for name, made in fits.items():
        record[name] = {
            "scores": [fit.score for fit in made],
            "seconds": [round(fit.wall, 2) for fit in made],
            "cpu_seconds": [round(fit.cpu, 2) for fit in made],
        }
    ratios = [a.wall / b.wall for a, b in zip(*fits.values(), strict=True)]
    within = abs(mean(differences)) <= max(2 * error, 0.01 * abs(mean(fit.score for fit in fits["pytabkit"])))
    return {**record, "time_ratio": mean(ratios), "within_noise": bool(within), "fast": mean(ratios) <= 1 / 3}


def table_rows(records: dict[str, dict[str, Any]]) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = []
    for table, record in records.items():
        for name in ("wellfit", "pytabkit"):
            fits = record[name]
            score, seconds, cpu = (mean(fits[key]) for key in ("scores", "seconds", "cpu_seconds"))
            rows.append([table, record["metric"], name, f"{score:.5g}", f"{seconds:.1f}", f"{cpu:.1f}"])
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--precision", help="of wellfit's products; the recipe's own unless given")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    data = Path(os.environ["WELLFIT_DATA"])
    tasks = [task for task in TASKS if not given.only or task.name in given.only.split(",")]
    records = {task.name: compared(task, data, given.seeds, given.epochs, given.precision) for task in tasks}
    show("RealMLP-TD", ["table", "metric", "by", "test score", "seconds", "CPU seconds"], table_rows(records))
    for name, record in records.items():
        print(f"{name}: {record['time_ratio']:.2f} of the time; difference {record['difference']:.4g}")
    if not given.only and given.epochs == EPOCHS and given.precision is None:
        save("realmlp_parity", {**facts(("wellfit", "pytabkit", "torch", "numpy")), "tables": records})
    return 0 if all(record["within_noise"] and record["fast"] for record in records.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
