"""The main job on a real table: train, look at the score, predict rows that the training never saw.

The table is the Wisconsin breast cancer table, which comes with scikit-learn: 569 patients, 30 measurements of a
cell sample each, and whether the tumour was benign or malignant. It is written to demo/ as it is, but for ten
patients who are kept apart, to be predicted in the end.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import polars as pl
from sklearn.datasets import load_breast_cancer

FOLDER = Path("demo")
RUN = Path("runs/demo")
KEPT_APART = 10


def export() -> pl.Series:
    """Write the table and, in a file of their own and without their diagnosis, the new patients; give the truth."""
    bunch = load_breast_cancer()
    table = pl.DataFrame(bunch.data, schema=[str(name) for name in bunch.feature_names])
    table = table.with_columns(diagnosis=pl.Series(bunch.target_names[bunch.target].tolist()))
    FOLDER.mkdir(exist_ok=True)
    table[:-KEPT_APART].write_csv(FOLDER / "patients.csv")
    new = table[-KEPT_APART:]
    new.drop("diagnosis").write_csv(FOLDER / "new_patients.csv")
    return new["diagnosis"]


def wellfit(command: str) -> None:
    """Run a command as a person types it."""
    print(f"\n$ wellfit {command}", flush=True)
    finished = subprocess.run([sys.executable, "-m", "wellfit", *shlex.split(command)], check=False)
    if finished.returncode:
        sys.exit(finished.returncode)


def main() -> None:
    """Train, predict, and say where to look."""
    truth = export()
    print(f"{FOLDER}/patients.csv: a real table, whose column 'diagnosis' is to be learned from 30 measurements.")
    wellfit(f"train {FOLDER}/patients.csv --target diagnosis --time 20s --out {RUN} --force")
    wellfit(f"predict {RUN} {FOLDER}/new_patients.csv -o {FOLDER}/predictions.csv")

    predicted = pl.read_csv(FOLDER / "predictions.csv")
    print("\nTen patients that the training never saw:\n")
    print("  predicted   probability   truth")
    for label, malignant, true in zip(predicted["prediction"], predicted["probability_malignant"], truth, strict=True):
        probability = malignant if label == "malignant" else 1 - malignant
        print(f"  {label:<11} {probability:11.3f}   {true}{'' if label == true else '   <- wrong'}")
    print(f"\nOpen {RUN}/report.html in a browser: the scores, the curves, the columns and the errors, on one page.")


if __name__ == "__main__":
    main()
