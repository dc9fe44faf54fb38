"""How much of known dirt is found, and how many clean cells are touched: on generated and on real tables.

Run: [WELLFIT_DATA=FOLDER] python benchmarks/dirt/measure.py [--rows 20000] [--seeds 3] [--only adult]

Found means: a copy is set aside; a disguised missing cell is missing; a number, a date or a level in another form has
its true value; a typing error is read as its level or proposed to be. Prints a table and writes
benchmarks/results/dirt.json. Ends with exit code 1 where a kind misses its bar.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).parent.parent))

from dirt.hands import HANDS
from dirt.inject import KINDS, Dirt, inject, roles_of
from dirt.tables import clean_table
from record import facts, save, show
from wellfit.data.cleaning import CleaningPlan, repeated_rows
from wellfit.data.sources import read_table

FOUND, TOUCHED = 0.99, 0.005
"""The bars: the least share of dirt found, the greatest share of clean cells touched."""

TABLES = (
    "adult/adult-train.csv.gz",
    "bank-marketing/bank-full.csv.gz",
    "bank-marketing/bank-additional-full.csv.gz",
    "titanic/train.csv",
    "credit-g/credit.csv",
    "mushroom/mushrooms.csv",
    "horse-colic/horse-colic.csv",
    "sick/sick.csv",
    "penguins/penguins.csv",
    "california-housing/housing.csv.gz",
    "ames-housing/ames.csv",
    "bike-sharing/hour.csv.gz",
    "diamonds/diamonds.csv.gz",
    "taxis/taxis.csv",
    "mpg/mpg.csv",
    "beijing-pm25/pollution.csv.gz",
    "nycflights/nycflights.csv.gz",
    "insurance/insurance.csv",
    "wine-quality/winequality-white.csv",
    "pima/pima.csv",
)


@dataclass
class Tally:
    """Counts of one table."""

    found: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*KINDS, "duplicate"), 0))
    dirt: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*KINDS, "duplicate"), 0))
    touched: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("rows", "lost", "changed", "proposed", "undirtied"), 0)
    )
    clean: int = 0
    rows: int = 0
    lost_columns: list[str] = field(default_factory=list)
    seconds: float = 0.0
    misses: list[str] = field(default_factory=list)


def measured(clean: pl.DataFrame, dirt: Dirt) -> Tally:
    """Clean the dirty table, and hold every cell against the clean one."""
    tally = Tally(rows=dirt.frame.height)
    truth = CleaningPlan.fit(clean)
    typed_truth, report = truth.apply(clean)
    tally.touched["undirtied"] = sum(column.merged + column.unparsed for column in report.columns.values())
    started = time.perf_counter()
    repeated = repeated_rows(dirt.frame)
    frame = dirt.frame.filter(~repeated)
    plan = CleaningPlan.fit(frame)
    typed, _ = plan.apply(frame)
    tally.seconds = time.perf_counter() - started
    tally.dirt["duplicate"], tally.found["duplicate"] = int(dirt.copies.sum()), int((repeated & dirt.copies).sum())
    tally.touched["rows"] = int((repeated & ~dirt.copies).sum())
    kept, origin = frame, dirt.origin[~repeated]
    proposed = {column.name: column.proposed for column in plan.columns}
    for name in typed_truth.columns:
        if name not in typed.columns or typed[name].dtype != typed_truth[name].dtype:
            tally.lost_columns.append(name)
        _hold(tally, name, typed, typed_truth[origin], dirt, origin, proposed.get(name, {}), kept)
    return tally


def _hold(
    tally: Tally,
    name: str,
    typed: pl.DataFrame,
    truth: pl.DataFrame,
    dirt: Dirt,
    origin: np.ndarray,
    proposed: dict[str, str],
    raw: pl.DataFrame,
) -> None:
    there = name in typed.columns and typed[name].dtype == truth[name].dtype
    read = typed[name] if there else pl.Series(name, [None] * len(truth), dtype=truth[name].dtype)
    right = _equal(read, truth[name])
    meant = read.replace(proposed) if proposed and read.dtype == pl.String else read
    right_if_proposed = _equal(meant, truth[name])
    any_dirt = np.zeros(len(origin), dtype=bool)
    for kind in KINDS:
        rows = np.isin(origin, dirt.cells[kind].get(name, np.empty(0)))
        any_dirt |= rows
        good = read.is_null().to_numpy() if kind == "missing" else right_if_proposed if kind == "typo" else right
        good = good & there
        tally.dirt[kind] += int(rows.sum())
        tally.found[kind] += int((rows & good).sum())
        missed = np.flatnonzero(rows & ~good)[:3]
        tally.misses += [f"{kind} {name}: {raw[name][int(row)]!r} for {truth[name][int(row)]!r}" for row in missed]
    clean = ~any_dirt
    tally.clean += int(clean.sum())
    lost = clean & (read.is_null() & truth[name].is_not_null()).to_numpy()
    tally.touched["lost"] += int(lost.sum())
    changed = clean & ~lost & ~right
    tally.touched["changed"] += int(changed.sum())
    proposals = clean & right & ~right_if_proposed
    tally.touched["proposed"] += int(proposals.sum())
    for kind, rows in (("lost", lost), ("changed", changed), ("proposed", proposals)):
        shown = np.flatnonzero(rows)[:3]
        tally.misses += [f"clean {kind} {name}: {raw[name][int(row)]!r}, read {meant[int(row)]!r}" for row in shown]


def _equal(left: pl.Series, right: pl.Series) -> np.ndarray:
    if left.dtype == pl.Float64:
        a, b = left.to_numpy(), right.to_numpy()
        return (np.isclose(a, b, rtol=1e-9, atol=0) | (np.isnan(a) & np.isnan(b))).astype(bool)
    return left.eq_missing(right).to_numpy()


def real_table(path: Path) -> pl.DataFrame:
    """Read a real table as text, without the rows that stand twice in it already."""
    frame = read_table(path).frame
    return frame.filter(~repeated_rows(frame))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000, help="rows of a generated table")
    parser.add_argument("--seeds", type=int, default=3, help="tables generated, and injections into each real one")
    parser.add_argument("--rate", type=float, default=0.05, help="share of a column's cells that each kind dirties")
    parser.add_argument("--only", default="", help="tables whose name holds this")
    parser.add_argument("--verbose", action="store_true", help="print what was missed")
    given = parser.parse_args()
    results: dict[str, dict[str, list[Tally]]] = {hand: {} for hand in HANDS}
    for seed in range(given.seeds):
        for name, clean in _tables(given.rows, seed):
            for hand, tallies in results.items():
                if given.only in name:
                    dirt = inject(clean, roles_of(clean), hand=hand, rate=given.rate, seed=seed)
                    tallies.setdefault(name, []).append(measured(clean, dirt))
                    if given.verbose:
                        print(f"{name}, {hand} hand", *tallies[name][-1].misses[:40], sep="\n   ")
    record = {hand: {name: _figures(found) for name, found in tallies.items()} for hand, tallies in results.items()}
    for hand, figures in record.items():
        _show(f"Dirt of {hand} hand", figures)
    total = _figures([tally for tallies in results.values() for found in tallies.values() for tally in found])
    _show("All", {"all": total})
    if not given.only:
        bars = {"found": FOUND, "clean cells touched": TOUCHED}
        settings = {"seeds": given.seeds, "rate of each kind": given.rate, "bars": bars}
        save("dirt", {**facts(), **settings, "all": total, "hands": record})
    return 0 if _passes(total) else 1


def _tables(rows: int, seed: int) -> Any:
    yield f"generated, {rows:,} rows", clean_table(rows, seed)
    yield "generated, 1,000 rows", clean_table(1_000, seed)
    folder = os.environ.get("WELLFIT_DATA")
    for path in TABLES if folder else ():
        yield path.partition(".")[0], real_table(Path(folder or "") / path)


def _figures(tallies: list[Tally]) -> dict[str, Any]:
    kinds = tallies[0].dirt
    dirt = {kind: sum(tally.dirt[kind] for tally in tallies) for kind in kinds}
    found = {kind: sum(tally.found[kind] for tally in tallies) for kind in kinds}
    clean = sum(tally.clean for tally in tallies)
    touched = {kind: sum(tally.touched[kind] for tally in tallies) / max(clean, 1) for kind in tallies[0].touched}
    return {
        "found": {kind: round(found[kind] / dirt[kind], 5) for kind in kinds if dirt[kind]},
        "dirt": dirt,
        "clean cells touched": {kind: round(share, 6) for kind, share in touched.items()},
        "clean cells": clean,
        "columns lost": sorted({name for tally in tallies for name in tally.lost_columns}),
        "seconds": round(sum(tally.seconds for tally in tallies) / len(tallies), 3),
    }


def _passes(total: dict[str, Any]) -> bool:
    return min(total["found"].values()) >= FOUND and max(total["clean cells touched"].values()) <= TOUCHED


def _show(title: str, record: dict[str, dict[str, Any]]) -> None:
    kinds = [*KINDS, "duplicate"]
    head = ["found, %", *kinds, "clean touched, %", "proposed, %", "columns lost", "s"]
    rows = []
    for name, figures in record.items():
        touched = figures["clean cells touched"]
        rows.append(
            [
                name,
                *(f"{100 * figures['found'][kind]:.2f}" if kind in figures["found"] else "-" for kind in kinds),
                f"{100 * (touched['lost'] + touched['changed'] + touched['rows'] + touched['undirtied']):.3f}",
                f"{100 * touched['proposed']:.3f}",
                ", ".join(figures["columns lost"]) or "-",
                f"{figures['seconds']:.2f}",
            ]
        )
    show(title, head, rows)


if __name__ == "__main__":
    sys.exit(main())
