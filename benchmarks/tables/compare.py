"""Trains real tables with the defaults, beside boosted trees and other networks: the same rows and cores, one run.

Run: WELLFIT_DATA=FOLDER python benchmarks/tables/compare.py [--only adult,titanic] [--rivals lightgbm,catboost]
     [--time 2m] [--seed 0] [--python RIVALS_PYTHON] [--python autogluon=PYTHON] [--keep FOLDER]

A rival gets the rows that wellfit trains and validates on, with its types. Seconds are those of the whole process:
wellfit's from the command's start to the finished folder, a rival's from its start over reading typed rows, fitting and
scoring the test rows to its end (``fit`` alone is beside it). ``--time`` is wellfit's limit, and AutoGluon's; with
``--time realmlp`` it is what RealMLP-TD took on the table (10 s at the least). Tables of fewer than
ten thousand rows are split three times, each contestant trains on each split, and figures are means: of eighty test
rows, one house or car decides. Rivals are imported from another environment where ``--python`` names one (pytabkit,
lightgbm, catboost), or one for a rival alone. What is in the folder of ``--keep`` is not trained again. Prints a table,
and writes benchmarks/results/tables.json, unless only some tables were asked for.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))
from record import facts, save, show
from wellfit.config import from_mapping
from wellfit.preparation import prepare


@dataclass(frozen=True)
class Table:
    """A table: its file, its target, its own test rows, and columns that would give the target away."""

    name: str
    file: str
    target: str
    test: str | None = None
    drop: tuple[str, ...] = ()
    task: str = "auto"


TABLES = (
    Table("adult", "adult/adult-train.csv.gz", "-1", test="adult/adult-test.csv.gz"),
    Table("bank", "bank-marketing/bank-full.csv.gz", "y"),
    Table("titanic", "titanic/train.csv", "Survived"),
    Table("credit-g", "credit-g/credit.csv", "default"),
    Table("mushroom", "mushroom/mushrooms.csv", "type"),
    Table("sick", "sick/sick.csv", "Class"),
    Table("letter", "letter/letterdata.csv", "letter"),
    Table("covertype-20k", "covertype-20k/covtype.20k.csv.gz", "-1"),
    Table("mammography", "mammography/mammography.csv", "-1"),
    Table("phoneme", "phoneme/phoneme.csv", "-1"),
    Table("pima", "pima/pima.csv", "-1"),
    Table("california", "california-housing/housing.csv.gz", "median_house_value"),
    Table("ames", "ames-housing/ames.csv", "price", drop=("rownames", "Order", "PID")),
    Table("bike-sharing", "bike-sharing/hour.csv.gz", "cnt", drop=("casual", "registered", "instant")),
    Table("diamonds", "diamonds/diamonds.csv.gz", "price"),
    Table("wine-white", "wine-quality/winequality-white.csv", "-1", task="regression"),
    Table("mpg", "mpg/mpg.csv", "mpg"),
    Table("insurance", "insurance/insurance.csv", "charges"),
    Table("horse-colic", "horse-colic/horse-colic.csv", "c22"),
    Table("penguins", "penguins/penguins.csv", "species"),
    Table("concrete", "uci-concrete/data.txt", "-1"),
    Table("wine-red", "wine-quality/winequality-red.csv", "-1", task="regression"),
    Table("taxis", "taxis/taxis.csv", "fare", drop=("total", "tip", "tolls")),
    Table("beijing", "beijing-pm25/pollution.csv.gz", "pm2.5", drop=("No",)),
    Table("nycflights", "nycflights/nycflights.csv.gz", "arr_delay", drop=("rownames", "dep_delay")),
)
NAMES = ("realmlp-td", "lightgbm", "catboost", "histgb", "sklearn-mlp", "tabm-d", "autogluon")
"""RealMLP-TD comes first, as its time may be the limit of others."""
TREES = ("lightgbm", "catboost", "histgb")
LEAST_SECONDS = 10.0
SPLITS = (42, 1, 2)
"""Seeds of the splits: the default, and two more."""
MANY_ROWS = 10_000
"""Rows from which on there is one split."""


def settings(table: Table, folder: Path, split: int) -> dict[str, Any]:
    data: dict[str, Any] = {"source": str(folder / table.file), "target": table.target, "task": table.task}
    if table.test:
        data["test"] = str(folder / table.test)
    columns = {name: {"type": "drop"} for name in table.drop}
    return {"data": data, "features": {"columns": columns}, "split": {"seed": split}}


def frames(table: Table, folder: Path, into: Path, split: int) -> tuple[str, str, str, str]:
    """Write the rows that wellfit trains and tests on, typed; give their files, the target and the task."""
    prepared = prepare(from_mapping(settings(table, folder, split)))
    into = into / str(split)
    into.mkdir(exist_ok=True)
    written = []
    for names in (("train", "valid"), ("test",)):
        raw = pl.concat([prepared.frames[name] for name in names], how="vertical_relaxed")
        typed, _ = prepared.cleaning.apply(raw)
        ids, _ = prepared.target.encode(raw.get_column(prepared.target.name))
        answers = prepared.target.decode(ids) if prepared.target.task == "regression" else ids
        kept = typed.with_columns(
            pl.col(pl.Datetime).dt.epoch("s").cast(pl.Float64),
            pl.col(pl.String).cast(pl.Categorical),
        ).with_columns(pl.Series("the target", answers))
        path = into / f"{table.name}-{names[0]}.parquet"
        _one_vocabulary(kept, into / f"{table.name}-train.parquet").write_parquet(path)
        written.append(str(path))
    return written[0], written[1], "the target", prepared.target.task


def _one_vocabulary(frame: pl.DataFrame, first: Path) -> pl.DataFrame:
    """Give the categories of the training rows to both files: a level of its own for what is new."""
    levels = pl.read_parquet(first) if first.exists() else frame
    casts = []
    for name in [name for name, kind in frame.schema.items() if kind == pl.Categorical or isinstance(kind, pl.Enum)]:
        known = levels.get_column(name).cast(pl.String).drop_nulls().unique().sort().to_list()
        texts = frame.get_column(name).cast(pl.String)
        casts.append(texts.set(~texts.is_in(known) & texts.is_not_null(), None).cast(pl.Enum(known)))
    return frame.with_columns(casts)


def rival(name: str, given: Sequence[str], seed: int, limit: float, python: str) -> dict[str, Any]:
    script = str(Path(__file__).with_name("rivals.py"))
    command = [python, script, name, *given, str(seed), str(limit)]
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = round(time.perf_counter() - started, 2)
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["no answer"])[-1][:200]}
    return {"seconds": seconds, **json.loads(done.stdout.strip().splitlines()[-1])}


def wellfit(table: Table, folder: Path, split: int, limit: float, seed: int, out: Path) -> dict[str, Any]:
    options = [
        f"data.task={table.task}",
        f"split.seed={split}",
        *(f"features.columns.{name}.type=drop" for name in table.drop),
    ]
    options += [f"data.test={folder / table.test}"] if table.test else []
    command = [sys.executable, "-m", "wellfit", "train", str(folder / table.file), f"--target={table.target}"]
    command += ["--seed", str(seed), "--time", f"{limit:.0f}s", "--out", str(out), "--force", "--json"]
    started = time.perf_counter()
    done = subprocess.run(
        [*command, *(part for option in options for part in ("-o", option))],
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = round(time.perf_counter() - started, 1)
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["no answer"])[-1][:200]}
    members = [line for line in (out / "log.txt").read_text().splitlines() if line.startswith("Trained: ensemble")]
    return {"seconds": seconds, "limit": limit, **json.loads(done.stdout)["metrics"]["test"], "members": members}


def compared(table: Table, options: argparse.Namespace, folder: Path, scratch: Path) -> dict[str, Any]:
    """Train a table by all, on each of its splits; figures are their means."""
    splits = [on_split(table, split, options, folder, scratch) for split in _splits(table, folder)]
    first = splits[0]["contestants"]
    return {
        "task": splits[0]["task"],
        "splits": len(splits),
        "seconds_of": splits[0]["seconds_of"],
        "contestants": {name: averaged([split["contestants"][name] for split in splits]) for name in first},
    }


def _splits(table: Table, folder: Path) -> tuple[int, ...]:
    rows = prepare(from_mapping(settings(table, folder, SPLITS[0]))).rows["read"]
    return SPLITS if table.test is None and rows < MANY_ROWS else SPLITS[:1]


def averaged(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Give the mean of each figure, and each split's; one that failed on a split has failed."""
    failed = next((one for one in found if "error" in one), None)
    if failed is not None or len(found) == 1:
        return dict(failed or found[0])
    figures = [name for name, value in found[0].items() if isinstance(value, (int, float))]
    means = {name: sum(one[name] for one in found) / len(found) for name in figures}
    return {**means, "on_each": [dict(one) for one in found]}


def on_split(table: Table, split: int, options: argparse.Namespace, folder: Path, scratch: Path) -> dict[str, Any]:
    """Train a table by all, but for those whose figures are kept."""
    kept = Path(options.keep or scratch) / f"{table.name}-{split}.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    fresh = {"seconds_of": "processes", "contestants": {}}
    record: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else fresh
    found = record["contestants"]
    given = frames(table, folder, scratch, split)
    record["task"] = given[3]
    pythons = dict(part.rpartition("=")[::2] for part in options.python)
    for name in [name for name in NAMES if name in options.rivals.split(",") and name not in found]:
        python = pythons.get(name, pythons.get("", sys.executable))
        found[name] = rival(name, given, options.seed, _limit(options.time, found), python)
        kept.write_text(json.dumps(record))
    if "wellfit" not in found:
        limit = _limit(options.time, found)
        found["wellfit"] = wellfit(table, folder, split, limit, options.seed, scratch / "run")
        kept.write_text(json.dumps(record))
    return {
        **{key: record[key] for key in ("task", "seconds_of")},
        "contestants": {name: found[name] for name in ("wellfit", *NAMES) if name in found},
    }


def _limit(asked: str, found: Mapping[str, Mapping[str, Any]]) -> float:
    if asked != "realmlp":
        return float(asked.rstrip("s"))
    return max(LEAST_SECONDS, found.get("realmlp-td", {}).get("seconds", 120.0))


def main() -> None:
    options = _options()
    folder = Path(os.environ.get("WELLFIT_DATA", ""))
    results: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for table in [table for table in TABLES if not options.only or table.name in options.only.split(",")]:
            results[table.name] = compared(table, options, folder, Path(scratch))
            _print(table.name, results[table.name])
    summary = summed(results)
    print(json.dumps(summary, indent=1))
    if not options.only:
        save("tables", {**facts(), "summary": summary, "tables": results})


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="")
    parser.add_argument("--rivals", default=",".join(NAMES))
    parser.add_argument("--time", default="120s", help="seconds, or realmlp")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--python", action="append", default=[], help="PYTHON, or RIVAL=PYTHON")
    parser.add_argument("--keep", help="the folder of what was trained; a temporary one where left out")
    return parser.parse_args()


def main_metric(task: str) -> str:
    return "rmse" if task == "regression" else "log_loss"


def ranks(found: Mapping[str, Mapping[str, Any]], metric: str) -> dict[str, float]:
    """Give each contestant's rank, 1 the best, by the figures as they are shown; equal ones share the mean of theirs.

    Those that failed come last together. A log loss of 0.0000003 is no better than one of 0.0000009.
    """
    values = {name: _shown(float(result.get(metric, math.inf))) for name, result in found.items()}
    return {
        name: 1 + sum(other < value for other in values.values()) + (sum(v == value for v in values.values()) - 1) / 2
        for name, value in values.items()
    }


def summed(results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    each = [ranks(result["contestants"], main_metric(result["task"])) for result in results.values()]
    names = list(each[0]) if each else []
    trees = [
        min(
            _shown(result["contestants"][name].get(main_metric(result["task"]), math.inf))
            for name in TREES
            if name in names
        )
        > _shown(result["contestants"]["wellfit"].get(main_metric(result["task"]), math.inf))
        for result in results.values()
        if any(name in names for name in TREES)
    ]
    return {
        "tables": len(each),
        "mean_rank": {name: round(sum(one[name] for one in each) / len(each), 2) for name in names},
        "better_than_the_best_tree": f"{sum(trees)} of {len(trees)}",
    }


def _print(name: str, result: Mapping[str, Any]) -> None:
    metric = main_metric(result["task"])
    extra = [] if metric == "rmse" else ["accuracy", "auc"]
    rows = [
        [who, *(_figure(found.get(key)) for key in (metric, *extra, "seconds")), str(found.get("error", ""))[:60]]
        for who, found in result["contestants"].items()
    ]
    show(name, ["", metric, *extra, "seconds", ""], rows)
    sys.stdout.flush()


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}" if value >= 100 else f"{value:.4f}"


def _shown(value: float) -> float:
    """Give a figure to the digits that `_figure` shows."""
    return round(value, 1 if value >= 100 else 4)


if __name__ == "__main__":
    main()
