"""A run is treated on its own split, its test rows change nothing, and the cure is trained into a new folder."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

import wellfit
from searches import treatment_of
from small import csv_text
from wellfit.config import Config, load_config, with_values
from wellfit.errors import RunFolderError
from wellfit.treatment import treat_run
from wellfit.treatment.differences import differing
from wellfit.treatment.settings import settings_for, standard_settings


def columns(rows: int, seed: int) -> dict[str, list[Any]]:
    draw = random.Random(seed)
    a, b = ([round(draw.uniform(-1, 1), 3) for _ in range(rows)] for _ in range(2))
    return {"a": a, "b": b, "y": ["yes" if x + y > 0 else "no" for x, y in zip(a, b, strict=True)]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs that learn nothing, on the same rows and with test tables that differ."""
    place = tmp_path_factory.mktemp("runs")
    (place / "data.csv").write_text(csv_text(columns(200, 0)))
    for name, seed in (("one", 1), ("two", 2)):
        (place / f"{name}.csv").write_text(csv_text(columns(60, seed)))
        wellfit.train(
            str(place / "data.csv"),
            "y",
            out=str(place / name),
            data={"test": str(place / f"{name}.csv")},
            model={"hidden": [8]},
            train={"epochs": 4, "optimizer": {"name": "minibatch", "lr": 1e-6}, "threads": 1, "batch_size": 32},
            report=False,
        )
    return place


def test_the_cure_is_proved_and_trained_into_a_new_folder(folder: Path) -> None:
    before = wellfit.load(folder / "one").metrics["test"]["accuracy"]
    treated = treat_run(folder / "one", apply=True, budget=12, seeds=2)
    assert treated.cured
    assert treated.result.path == folder / "one-treated"
    assert treated.result.metrics["test"]["accuracy"] > before
    assert wellfit.load(folder / "one").metrics["test"]["accuracy"] == before
    given, cured = (load_config(folder / name / "config.yaml").config for name in ("one", "one-treated"))
    assert differing(treated.options, given, cured) == treated.options
    assert {remedy.path: remedy.value for remedy in treated.accepted} == treated.options
    assert not any(isinstance(value, dict) and len(value) == 1 for value in treated.options.values())


def test_what_comes_to_the_same_is_no_change() -> None:
    given = with_values(Config(), {"model": "mlp", "train.optimizer.lr": 5.0, "train.batch_size": 64})
    settings = {"train.optimizer": "nadam", "train.batch_size": "auto", "train.clip_norm": 1.0, "model": "mlp"}
    settled = with_values(given, {**settings, "train.optimizer.lr": 0.003, "train.batch_size": 64})
    assert differing(settings, given, settled) == {"train.optimizer": "nadam"}


def test_test_rows_change_nothing(folder: Path) -> None:
    one, two = (treatment_of(treat_run(folder / name, budget=9, seeds=2)) for name in ("one", "two"))
    assert one == two


def test_rows_that_were_in_memory_are_asked_for(tmp_path: Path) -> None:
    wellfit.train(
        columns(120, 3), "y", out=str(tmp_path / "m"), epochs=1, threads=1, report=False, model={"hidden": [4]}
    )
    with pytest.raises(RunFolderError, match="Give them as data="):
        treat_run(tmp_path / "m")


def test_a_folder_that_is_no_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError):
        treat_run(tmp_path / "none")


def test_nothing_is_proposed_for_which_rows_are_read() -> None:
    finding = wellfit.Finding(
        code="shuffled_labels",
        severity="error",
        message="m",
        remedies=(wellfit.findings.Remedy(path="data.source", value="x", why=""),),
    )
    assert list(settings_for([finding])) == []


def test_every_standard_setting_is_one_of_the_config() -> None:
    for change in standard_settings():
        assert with_values(Config(), change.options).model["type"] == "mlp"
