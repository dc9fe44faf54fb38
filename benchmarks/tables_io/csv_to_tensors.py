"""Times the way from a CSV file to tensors that can be trained from, beside pandas with scikit-learn, and its memory.

Run: python benchmarks/tables_io/csv_to_tensors.py [--rows 2000000] [--rounds 3] [--columns 30] [--large 10000000]
     [--file FILE]

A table is generated (half categories, 5 % of the cells missing) or given, then each contestant prepares it in a process
of its own, in turn, round after round, on all cores:

wellfit        ``prepare_table``: read, split, clean, leaks looked for, features learned, train and valid as tensors;
               numbers scaled as the rival does
scikit-learn   ``pandas.read_csv``, the same split, a ColumnTransformer: numbers by SimpleImputer and
               StandardScaler, categories by SimpleImputer and OneHotEncoder or, of many levels, OrdinalEncoder

pandas reads with its C engine, which was the fastest here; imports are not timed, and count as memory for both. Peak
memory is the process's greatest resident size. Before, the scaled numbers of both are compared on fewer rows, set
alike: they may differ by a millionth. --large prepares a larger table with wellfit alone, once. Writes
benchmarks/results/csv_to_tensors.json. Exit code 1 where a bar is missed: 4 times as fast, a third of the memory.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

# Before Polars, as on the command line: wellfit sets how soon freed memory goes back.
import wellfit  # noqa: F401

sys.path.insert(0, str(Path(__file__).parent.parent))

from record import facts, save, show, spread

FASTER, LEANER, ALIKE = 4.0, 3.0, 1e-6
"""The bars: times as fast, times less memory, the greatest difference of scaled numbers."""
PROBE_ROWS = 100_000
TARGET = "target"
"""The target of a generated table; a contestant's process does not load what generates it."""
ONE_HOT_UP_TO = 9
"""Levels up to which a category becomes flags, for both."""

Prepared = dict[str, np.ndarray]
"""The scaled numbers of the training rows, by column."""


def by_wellfit(path: str) -> Callable[[], Prepared]:
    """Import what is needed; give the function that is timed."""
    import torch

    from wellfit.config import from_mapping
    from wellfit.preparation import prepare_table

    features = {"scale": "standard", "encode": {"name": "embedding", "onehot_up_to": ONE_HOT_UP_TO}}
    config = from_mapping({"version": 1, "data": {"source": path, "target": TARGET}, "features": features})

    def prepared() -> Prepared:
        made = prepare_table(config)
        tensors = [torch.from_numpy(part) for m in made.matrices.values() for part in (m.numeric, m.categorical)]
        names, written = made.features.numeric_names, made.frames["train"].columns
        train = made.matrices["train"].numeric
        assert len(tensors) == 4
        return {name: train[:, place] for place, name in enumerate(names) if name in written}

    return prepared


def by_sklearn(path: str) -> Callable[[], Prepared]:
    """Import what is needed; give the function that is timed."""
    import pandas as pd
    import torch
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    def prepared() -> Prepared:
        frame = pd.read_csv(path, engine="c")
        labels = frame.pop(TARGET).factorize(sort=True)[0]
        rest, _ = train_test_split(np.arange(len(frame)), test_size=0.2, random_state=42, stratify=labels)
        train, valid = train_test_split(rest, test_size=0.2, random_state=42, stratify=labels[rest])
        rows = frame.iloc[np.sort(train)]
        numbers = [name for name in frame if name.startswith("number")]
        levels = {name: rows[name].nunique() for name in frame if name not in numbers}
        few = [name for name, count in levels.items() if count <= ONE_HOT_UP_TO]
        many = [name for name in levels if name not in few]
        flags = OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32)
        ids = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, dtype=np.float32)
        number = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
        steps = [
            ("numbers", number, numbers),
            ("few", make_pipeline(SimpleImputer(strategy="most_frequent"), flags), few),
            ("many", make_pipeline(SimpleImputer(strategy="most_frequent"), ids), many),
        ]
        transformer = ColumnTransformer(steps, sparse_threshold=0.0)
        made = transformer.fit_transform(rows).astype(np.float32)
        later = transformer.transform(frame.iloc[np.sort(valid)]).astype(np.float32)
        tensors = [torch.from_numpy(part) for part in (made, later)]
        assert len(tensors) == 2
        return {name: made[:, place] for place, name in enumerate(numbers)}

    return prepared


CONTESTANTS = {"wellfit": by_wellfit, "scikit-learn": by_sklearn}


def child(name: str, path: str) -> dict[str, float]:
    """Prepare once and say how long it took, in seconds of the clock and of the cores, and the peak memory."""
    prepared = CONTESTANTS[name](path)
    started, worked = time.perf_counter(), time.process_time()
    prepared()
    seconds, cpu = time.perf_counter() - started, time.process_time() - worked
    # Kilobytes on Linux, bytes on macOS.
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return {"seconds": seconds, "cpu_seconds": cpu, "peak_gb": peak / 1e9}


def in_child(name: str, path: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", name, "--file", str(path)]
    answer: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return answer


def greatest_difference(path: Path) -> float:
    """Scale the numbers of one table by both, set alike, and give how far apart they come out, beside 1 or their size.

    wellfit learns mean and deviation of the cells that are there; scikit-learn is told to, and fills before it scales.
    """
    import pandas as pd
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import StandardScaler

    ours = by_wellfit(str(path))()
    train = pd.read_csv(path).iloc[dealt(str(path))]
    apart = 0.0
    for name, values in ours.items():
        cells = train[[name]].to_numpy()
        theirs = StandardScaler().fit(cells).transform(SimpleImputer(strategy="median").fit_transform(cells))[:, 0]
        apart = max(apart, float((np.abs(values - theirs) / np.maximum(1.0, np.abs(theirs))).max()))
    return apart


def dealt(path: str) -> np.ndarray:
    """Give the training rows, as both contestants deal them."""
    import pandas as pd
    from sklearn.model_selection import train_test_split

    labels = pd.read_csv(path, usecols=[TARGET])[TARGET].factorize(sort=True)[0]
    rest, _ = train_test_split(np.arange(len(labels)), test_size=0.2, random_state=42, stratify=labels)
    train, _ = train_test_split(rest, test_size=0.2, random_state=42, stratify=labels[rest])
    return np.sort(train)


def measured(path: Path, rounds: int) -> dict[str, dict[str, Any]]:
    found: dict[str, list[dict[str, float]]] = {name: [] for name in CONTESTANTS}
    for _ in range(rounds):
        for name, figures in found.items():
            figures.append(in_child(name, path))
    return {name: {key: spread([one[key] for one in its]) for key in its[0]} for name, its in found.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--columns", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--large", type=int, default=0, help="rows of a table that wellfit alone prepares, once")
    parser.add_argument("--file", type=Path, help="a file that generate.py wrote, in place of a new one")
    parser.add_argument("--child", choices=sorted(CONTESTANTS), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(child(given.child, str(given.file))))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        return benchmark(given, Path(folder))


def _generated(path: Path, **recipe: int) -> None:
    from tables_io.generate import Recipe, write

    write(path, Recipe(**recipe))


def benchmark(given: argparse.Namespace, folder: Path) -> int:
    probe = folder / "probe.csv"
    _generated(probe, rows=PROBE_ROWS, columns=given.columns, seed=1)
    apart = greatest_difference(probe)
    path = given.file or folder / "table.csv"
    if given.file is None:
        _generated(path, rows=given.rows, columns=given.columns)
    figures = measured(path, given.rounds)
    ours, theirs = figures["wellfit"], figures["scikit-learn"]
    faster = theirs["seconds"]["median"] / ours["seconds"]["median"]
    leaner = theirs["peak_gb"]["median"] / ours["peak_gb"]["median"]
    larger = _larger(folder, given)
    rows = [[name, *(f"{its[key]['median']:.2f}" for key in its)] for name, its in figures.items()]
    if larger:
        rows.append([f"wellfit, {given.large:,} rows", *(f"{value:.2f}" for value in larger.values())])
    show(f"{path.stat().st_size / 1e6:,.0f} MB of CSV", ["median", "seconds", "seconds of cores", "peak, GB"], rows)
    verdict = {"times as fast": round(faster, 2), "times leaner": round(leaner, 2), "scaled numbers apart": apart}
    print(*(f"{name}: {value:.3g}" for name, value in verdict.items()), sep="; ")
    settings = {"rows": given.rows, "columns": given.columns, "rounds": given.rounds, "bytes": path.stat().st_size}
    bars = {"times as fast": FASTER, "times leaner": LEANER, "scaled numbers apart": ALIKE}
    packages = (*facts()["versions"], "pandas", "pyarrow")
    record = {**facts(packages), **settings, "bars": bars, "verdict": verdict, "figures": figures, "larger": larger}
    print(save("csv_to_tensors", record))
    return int(faster < FASTER or leaner < LEANER or apart > ALIKE)


def _larger(folder: Path, given: argparse.Namespace) -> dict[str, float]:
    if not given.large:
        return {}
    path = folder / "larger.csv"
    _generated(path, rows=given.large, columns=given.columns)
    return in_child("wellfit", path)


if __name__ == "__main__":
    sys.exit(main())
