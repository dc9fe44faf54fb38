"""One network of a table within a time limit: its schedule ends before the clock, unless a person said otherwise."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import wellfit
from wellfit.bagging import pace
from wellfit.bagging.cost import PARTS, Cost
from wellfit.config import from_mapping, load_config, with_values
from wellfit.preparation import prepare_table
from wellfit.prepared import PreparedTable
from wellfit.recording import train_run

SETTINGS: dict[str, Any] = {
    "data": {"target": "y"},
    "model": "realmlp",
    "train": {"time": 30, "threads": 1},
}


def frame(rows: int = 400) -> pl.DataFrame:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(rows, 3))
    return pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": x[:, 0] * x[:, 1] + 0.1 * x[:, 2]})


def paced(monkeypatch: pytest.MonkeyPatch, cost: Cost, answering: float = 0.0, **train: Any) -> PreparedTable:
    """Give rows whose training costs what is said here."""
    asked = from_mapping({**SETTINGS, "train": {**SETTINGS["train"], **train}})
    monkeypatch.setattr(pace, "_measured", lambda *given: (cost, answering))
    return pace.paced(prepare_table(asked, frame()), asked, time.monotonic())


def test_epochs_are_as_many_as_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    train = paced(monkeypatch, Cost(update=0.1, validation=0.1, steps=10)).config.train
    assert 18 <= train.epochs <= 27
    assert train.epoch_steps is None
    # Rows have to be answered for the scores in the same time.
    slower = paced(monkeypatch, Cost(update=0.1, validation=0.1, steps=10), answering=10.0).config.train
    assert train.epochs - 10 <= slower.epochs <= train.epochs - 7


def test_an_epoch_that_does_not_fit_is_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    cost = Cost(update=0.01, validation=0.5, steps=5000)
    found = paced(monkeypatch, cost)
    train = found.config.train
    assert train.epoch_steps is not None
    assert PARTS[0] <= train.epochs <= PARTS[1]
    assert 18 <= train.epochs * (cost.update * train.epoch_steps + cost.validation) <= 28
    assert any(f"{train.epochs} of {train.epoch_steps:,} updates" in note for note in found.notes)


def test_where_all_fits_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    train = paced(monkeypatch, Cost(update=0.001, validation=0.001, steps=10)).config.train
    assert (train.epochs, train.epoch_steps) == (256, None)


@pytest.mark.parametrize(
    "said",
    [{"epochs": 300}, {"epoch_steps": 7}, {"steps": 9}, {"time": None}, {"optimizer": {"name": "adam", "lr": "find"}}],
)
def test_what_a_person_said_stays(said: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    train = paced(monkeypatch, Cost(update=10.0, validation=1.0, steps=10), **said).config.train
    assert train.epochs == said.get("epochs", 256)
    assert train.epoch_steps == said.get("epoch_steps")


def test_a_few_updates_are_measured() -> None:
    prepared = prepare_table(from_mapping(SETTINGS), frame())
    cost, answering = pace._measured(prepared, time.monotonic() + 60)
    assert cost.update > 0.0
    assert cost.steps == 1
    assert cost.validation == pytest.approx(0.4 * cost.update * prepared.rows["valid"] / 256)
    scored = prepared.rows["valid"] + prepared.rows["test"]
    assert answering == pytest.approx(0.4 * cost.update * scored / 256)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_run_learns_to_its_end_and_is_replayed(
    streamed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "_measured", lambda *given: (Cost(update=0.25, validation=0.1, steps=14), 0.0))
    frame(5000).write_csv(tmp_path / "rows.csv")
    settings: dict[str, Any] = {"train": {"time": 20, "threads": 1}, "data": {"streamed": streamed}}
    run = wellfit.train(tmp_path / "rows.csv", target="y", out=tmp_path / "run", model="realmlp", **settings)
    train = run.config["train"]
    assert train["epochs"] <= PARTS[1]
    assert 1 <= train["epoch_steps"] <= 14
    # All updates were made: the clock ended nothing.
    assert train["steps"] == train["epochs"] * train["epoch_steps"]
    assert len(run.history["lr"]) == train["epochs"]
    assert "updates each fit into the time" in (run.path / "log.txt").read_text()
    # What was measured then does not matter to who trains it again.
    monkeypatch.setattr(pace, "_measured", lambda *given: (Cost(update=9.0, validation=9.0, steps=14), 0.0))
    config = load_config(run.path / "config.yaml").config
    again = train_run(with_values(config, {"output.run": str(tmp_path / "again")}))
    first, second = ((one.path / "model.safetensors").read_bytes() for one in (run, again))
    assert first == second
