"""Nothing that validation or test rows hold reaches the plan or the weights."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import wellfit
from small import QUICK, csv_text, small_columns
from strategies import cells
from wellfit.config import from_mapping
from wellfit.errors import DataError
from wellfit.preparation import prepare
from wellfit.preparation_findings import straddling

Columns = dict[str, list[Any]]

PARTS = [("train", "valid", "test", "train", "train")[row % 5] for row in range(120)]

FIXED = {**QUICK, "epochs": 3, "early_stopping": None, "split": {"method": "column", "column": "part"}}


def dealt(seed: int = 0) -> Columns:
    """A small table that says of each row what it is for."""
    return {**small_columns(seed=seed), "part": list(PARTS)}


def changed(columns: Columns, parts: tuple[str, ...], cells: dict[str, Any]) -> Columns:
    """Other cells in the rows of some parts: ``cells`` has a value, or a function of the row, for each column."""
    result = {name: list(values) for name, values in columns.items()}
    for row in range(len(PARTS)):
        if PARTS[row] in parts:
            for name, cell in cells.items():
                result[name][row] = cell(row) if callable(cell) else cell
    return result


def trained(columns: Columns, folder: Path, **config: Any) -> wellfit.Run:
    path = folder.with_suffix(".csv")
    path.write_text(csv_text(columns))
    return wellfit.train(path, "label", out=str(folder), **config)


def plan_of(run: wellfit.Run) -> dict[str, Any]:
    """The plan without what tells of the file as a whole."""
    plan = json.loads((run.path / "plan.json").read_text())
    del plan["source"], plan["rows"]
    return dict(plan)


def weights_of(run: wellfit.Run) -> bytes:
    return (run.path / "model.safetensors").read_bytes()


WILD = {
    "huge": {"size": 1e30, "age": -1e30},
    "infinite": {"size": "inf", "age": "-inf"},
    "missing": {"size": None, "age": None, "kind": None},
    "text": {"size": "many", "age": "N/A", "kind": "  "},
    "dates": {"size": "2024-01-31", "age": "2024-01-31"},
    "new categories": {"kind": lambda row: f"new {row}"},
    "labels swapped": {"label": lambda row: "yes" if row % 2 else "no"},
    "one label": {"label": "no"},
    "new labels": {"label": lambda row: f"label {row % 4}" if row % 4 else "no"},
    "identifiers": {"size": lambda row: row, "age": lambda row: row, "kind": lambda row: f"k{row:05}"},
    "constant": {"size": 0, "age": 0, "kind": "u"},
    "other spellings": {"kind": lambda row: f" {'UVW'[row % 3]} ", "size": "1,234.5", "age": "37 %"},
}


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> wellfit.Run:
    return trained(dealt(), tmp_path_factory.mktemp("untouched") / "run", **FIXED)


BOTH = ("valid", "test")


@pytest.mark.parametrize(
    ("kind", "parts"),
    [
        *((kind, BOTH) for kind in WILD),
        *(("huge", (part,)) for part in BOTH),
        *(("new labels", (part,)) for part in BOTH),
    ],
)
def test_with_epochs_fixed_other_rows_change_nothing(
    untouched: wellfit.Run, tmp_path: Path, kind: str, parts: tuple[str, ...]
) -> None:
    run = trained(changed(dealt(), parts, WILD[kind]), tmp_path / "run", **FIXED)
    assert plan_of(run) == plan_of(untouched)
    assert weights_of(run) == weights_of(untouched)
    assert run.history["train_loss"].tolist() == untouched.history["train_loss"].tolist()


def test_a_training_row_does_change_them(untouched: wellfit.Run, tmp_path: Path) -> None:
    run = trained(changed(dealt(), ("train",), {"size": lambda row: row}), tmp_path / "run", **FIXED)
    assert plan_of(run) != plan_of(untouched)
    assert weights_of(run) != weights_of(untouched)


STOPPING = {**FIXED, "epochs": 8, "early_stopping": {"patience": 2}, "lr": 0.03}


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> wellfit.Run:
    return trained(dealt(), tmp_path_factory.mktemp("stopped") / "run", **STOPPING)


@pytest.mark.parametrize("kind", ["huge", "missing", "new categories", "new labels", "labels swapped"])
def test_with_early_stopping_test_rows_change_nothing(stopped: wellfit.Run, tmp_path: Path, kind: str) -> None:
    run = trained(changed(dealt(), ("test",), WILD[kind]), tmp_path / "run", **STOPPING)
    assert plan_of(run) == plan_of(stopped)
    assert weights_of(run) == weights_of(stopped)
    assert run.history == stopped.history


@pytest.mark.parametrize("kind", ["huge", "new categories", "labels swapped", "one label"])
def test_with_early_stopping_validation_only_chooses_the_epoch(stopped: wellfit.Run, tmp_path: Path, kind: str) -> None:
    run = trained(changed(dealt(), ("valid",), WILD[kind]), tmp_path / "run", **STOPPING)
    assert plan_of(run) == plan_of(stopped)
    ours, others = run.history["train_loss"].tolist(), stopped.history["train_loss"].tolist()
    both = min(len(ours), len(others))
    assert ours[:both] == others[:both]


def test_the_weights_kept_are_those_of_the_epoch_kept(tmp_path: Path) -> None:
    """Labels that are wrong in validation make an early epoch the best; training up to it gives the same weights."""
    flipped = {"label": lambda row: "no" if small["label"][row] == "yes" else "yes"}
    small = dealt()
    columns = changed(small, ("valid",), flipped)
    # A constant rate: the cosine's would be another for another number of epochs.
    options = {**STOPPING, "schedule": None, "lr": 0.01}
    run = trained(columns, tmp_path / "long", **options)
    best = json.loads((run.path / "model.json").read_text())["best_epoch"]
    assert best < len(run.history["train_loss"])
    short = trained(small, tmp_path / "short", **{**options, "epochs": best, "early_stopping": None})
    assert weights_of(short) == weights_of(run)


def test_a_test_file_changes_nothing(tmp_path: Path) -> None:
    columns, runs = small_columns(), []
    options = {**QUICK, "epochs": 3}
    for name, cells_of in {"as it is": {}, **WILD}.items():
        other = small_columns(rows=60, seed=1)
        for column, cell in cells_of.items():
            other[column] = [cell(row) if callable(cell) else cell for row in range(60)]
        path = tmp_path / f"{name}.test.csv"
        path.write_text(csv_text(other))
        runs.append(trained(columns, tmp_path / name, **options, data={"test": str(path)}))
    for run in runs[1:]:
        assert plan_of(run) == plan_of(runs[0])
        assert weights_of(run) == weights_of(runs[0])
        assert run.history == runs[0].history


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_hostile_cells_change_nothing(
    untouched: wellfit.Run, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Any text at all may stand in rows that do not train."""
    columns = {name: [None if cell is None else str(cell) for cell in values] for name, values in dealt().items()}
    hostile = data.draw(st.lists(cells(), min_size=4, max_size=12))
    draw = random.Random(data.draw(st.integers(0, 99)))
    others = changed(columns, ("valid", "test"), dict.fromkeys(("size", "age", "kind"), lambda _: draw.choice(hostile)))
    folder = tmp_path_factory.mktemp("hostile")
    options = {**FIXED, "epochs": 1}
    runs = [
        wellfit.train(pl.DataFrame(table), "label", out=str(folder / name), **options)
        for name, table in {"one": columns, "other": others}.items()
    ]
    assert plan_of(runs[0]) == plan_of(runs[1])
    assert weights_of(runs[0]) == weights_of(runs[1])


@pytest.mark.parametrize("method", ["random", "stratified"])
@pytest.mark.parametrize("seed", [0, 42, 7])
def test_duplicates_never_straddle_the_splits(method: str, seed: int) -> None:
    draw = random.Random(seed)
    rows = [(draw.randint(0, 9), draw.choice("abc"), draw.choice(["no", "yes"])) for _ in range(60)]
    table = pl.DataFrame([draw.choice(rows) for _ in range(600)], schema=["x", "kind", "y"], orient="row")
    config = {"data": {"target": "y"}, "split": {"method": method, "seed": seed}}
    prepared = prepare(from_mapping(config), table)
    parts = {name: set(frame.rows()) for name, frame in prepared.frames.items()}
    assert prepared.rows["duplicates_dropped"] == 600 - table.unique().height > 400
    assert not parts["train"] & parts["valid"]
    assert not parts["train"] & parts["test"]
    assert not parts["valid"] & parts["test"]


def test_duplicates_across_a_pinned_split_are_set_aside_and_told() -> None:
    table = {
        "x": [1, 2, 3, 4, 1, 5, 2, 6, 7, 8],
        "y": [0, 1, 0, 1, 0, 1, 1, 0, 1, 0],
        "part": ["train"] * 4 + ["valid"] * 2 + ["test"] * 4,
    }
    config = {"data": {"target": "y", "task": "binary"}, "split": {"method": "column", "column": "part"}}
    prepared = prepare(from_mapping(config), table)
    assert [prepared.rows[name] for name in ("train", "valid", "test")] == [4, 1, 3]
    assert any("2 rows stand in more than one split" in note for note in prepared.notes)


def test_kept_duplicates_are_told() -> None:
    table = pl.DataFrame({"x": [1.0, 2.0, 3.0, 4.0] * 50, "y": ["a", "b", "a", "b"] * 50})
    prepared = prepare(from_mapping({"data": {"target": "y"}, "clean": {"duplicates": "keep"}}), table)
    assert prepared.rows["duplicates_dropped"] == 0
    assert sum(prepared.rows[name] for name in ("train", "valid", "test")) == 200
    told = [finding.where for finding in prepared.findings if finding.code == "split_leakage"]
    assert told == ["valid", "test"]


def test_validation_rows_of_new_labels_alone_are_refused() -> None:
    columns = changed(dealt(), ("valid",), {"label": lambda row: f"label {row}"})
    with pytest.raises(DataError, match="Validation rows must have labels that training rows have"):
        wellfit.train(columns, "label", **FIXED)


def test_the_split_hangs_on_rows_classes_and_seed_alone() -> None:
    columns = small_columns()
    config = from_mapping({"data": {"target": "label"}})
    ours = prepare(config, columns)
    others = prepare(config, {**columns, "size": list(range(120)), "kind": ["z", "y"] * 60})
    for part in ("train", "valid", "test"):
        assert np.array_equal(getattr(ours.split, part), getattr(others.split, part))


def test_rows_are_compared_whatever_their_columns_are_called() -> None:
    train = pl.DataFrame({"*": ["a", "b", "c"], "^x$": ["1", "2", "3"], '"': ["u", "v", "w"]})
    (found,) = straddling({"train": train, "test": train.head(2)}, "test")
    assert found.evidence == {"rows": 2}
