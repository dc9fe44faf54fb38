"""Times what a person waits for before anything is trained, and one prediction.

Run: python benchmarks/startup.py [--rounds 7]

Import of wellfit (bar 0.3 s) and ``wellfit --help`` (bar 0.5 s), each in a process of its own beside a bare Python, in
turn; one raw row through ``run.predict`` (bar 5 ms median of 200) given as a Polars frame, a pandas frame and a
dictionary. Prints a table and writes benchmarks/results/startup.json. Exit code 1 where a bar is missed.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from record import facts, save, show, spread

BARS = {"import wellfit": 300.0, "wellfit --help": 500.0, "predict": 5.0}
"""Milliseconds."""
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import wellfit": ["-c", "import wellfit"],
    "wellfit --help": ["-m", "wellfit", "--help"],
}
PREDICTIONS, WARM_UP = 200, 20


def commands(rounds: int) -> dict[str, dict[str, float]]:
    """Time each command in turn, round after round; the first round fills the caches and is left out."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for round_ in range(rounds + 1):
        for name, arguments in COMMANDS.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
            if round_:
                times[name].append(1e3 * (time.perf_counter() - started))
    bare = times["python -c pass"]
    above = {name: statistics.median(a - b for a, b in zip(taken, bare, strict=True)) for name, taken in times.items()}
    return {name: {**spread(taken), "above bare python": round(above[name], 1)} for name, taken in times.items()}


def predictions() -> dict[str, dict[str, float]]:
    import pandas as pd

    import wellfit

    frame = table()
    with tempfile.TemporaryDirectory() as folder:
        run = wellfit.train(frame, target="bought", epochs=2, output={"run": str(Path(folder) / "run")})
        one = frame.drop("bought").head(1)
        row: dict[str, list[Any]] = one.to_dict(as_series=False)
        given = {"polars": one, "pandas": pd.DataFrame(row), "dict": row}
        return {f"predict one row ({kind})": predicted(run, row) for kind, row in given.items()}


def predicted(run: Any, row: Any) -> dict[str, float]:
    taken = []
    for _ in range(WARM_UP + PREDICTIONS):
        started = time.perf_counter()
        run.predict(row)
        taken.append(1e3 * (time.perf_counter() - started))
    # The slowest of 200 tells of the machine, the one that 95 % stay under of the code.
    return {**spread(taken[WARM_UP:]), "p95": round(statistics.quantiles(taken[WARM_UP:], n=20)[-1], 3)}


def table() -> Any:
    """Make a table with the kinds of columns that a raw row has: numbers, categories, a date, missing cells."""
    import polars as pl

    rows = 600
    return pl.DataFrame(
        {
            "age": [20 + place % 50 for place in range(rows)],
            "income": [None if place % 17 == 0 else 1000.0 + 37 * (place % 91) for place in range(rows)],
            "city": [["Bern", "Basel", "Chur"][place % 3] for place in range(rows)],
            "kind": [["new", "known", None][place % 3] for place in range(rows)],
            "since": [f"20{10 + place % 14}-0{1 + place % 9}-11" for place in range(rows)],
            "bought": [["no", "yes"][int(place % 50 > 20)] for place in range(rows)],
        }
    )


def bar(name: str) -> float | None:
    return next((limit for prefix, limit in BARS.items() if name.startswith(prefix)), None)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="processes started of each command, 5 or more")
    options = parser.parse_args()
    figures = {**commands(max(options.rounds, 5)), **predictions()}
    rows, missed = [], False
    for name, measured in figures.items():
        limit = bar(name)
        late = limit is not None and measured["median"] > limit
        missed |= late
        last = "" if limit is None else f"{limit:g} {'MISSED' if late else 'ok'}"
        other = measured.get("above bare python", measured.get("p95", 0.0))
        rows.append([name, *(f"{value:.2f}" for value in (measured["median"], measured["min"], other)), last])
    show("Milliseconds", ["what", "median", "min", "above bare python / p95", "bar"], rows)
    print(save("startup", {**facts((*facts()["versions"], "pandas")), "unit": "ms", "bars": BARS, "figures": figures}))
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
