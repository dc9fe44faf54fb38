"""Time that is left over goes into members of further folds, which count like those that were planned."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

import wellfit
from small import csv_text, small_columns
from wellfit.bagging import EnsembleExperiment
from wellfit.bagging.rest import more_members
from wellfit.bagging.stage import Stage
from wellfit.config import from_mapping
from wellfit.preparation import prepare_table

TRAIN = {"epochs": 3, "loss": "cce", "batch_size": 32}
PLANNED: list[dict[str, Any]] = [
    {"type": "linear", "members": 8, "train": TRAIN},
    {"type": "realmlp", "members": 3, "hidden": [8], "train": TRAIN},
    {"type": "tabm", "members": 2, "k": 2, "width": 8, "train": TRAIN},
]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that leaves nearly all of the time."""
    chosen = "wellfit.bagging.ensemble.chosen_members"
    monkeypatch.setattr(chosen, lambda table, pool, until, known: (PLANNED, [until] * len(PLANNED)))
    # So few updates would be compared with a linear model.
    monkeypatch.setattr(EnsembleExperiment, "_hurried", lambda self, stage: False)


def stage(kind: str, members: int, seconds: float) -> Any:
    return SimpleNamespace(member={"type": kind}, seconds=seconds, bag=SimpleNamespace(members=members))


def more(*kinds: tuple[float, list[Any]], folds: int = 8, seconds: float = 100.0) -> tuple[str, int] | None:
    pool: Any = SimpleNamespace(crossed=True, folds=range(folds))
    member = more_members([kind for _, kind in kinds], [weight for weight, _ in kinds], pool, seconds)
    return None if member is None else (str(member["type"]), int(member["members"]))


def test_the_architecture_that_counts_the_most_gets_more() -> None:
    linear, light, heavy = (0.5, [stage("linear", 8, 0.1)]), [stage("realmlp", 4, 8.0)], [stage("tabm", 2, 20.0)]
    assert more(linear, (0.1, light), (0.4, heavy), seconds=100) == ("tabm", 6)
    assert more(linear, (0.1, light), (0.4, heavy), seconds=45) == ("tabm", 3)
    assert more(linear, (0.4, light), (0.1, heavy), seconds=100) == ("realmlp", 4)
    # No time for one of the dear ones: the others get it.
    assert more(linear, (0.1, light), (0.4, heavy), seconds=10) == ("realmlp", 3)
    assert more(linear, (0.1, light), (0.4, heavy), seconds=3) is None


def test_every_fold_has_one_member_before_there_are_second_ones() -> None:
    whole = (0.9, [stage("tabm", 5, 5.0), stage("tabm", 3, 4.0)])
    assert more((0.1, [stage("realmlp", 5, 1.0)]), whole) == ("realmlp", 3)


def test_second_members_come_when_every_fold_has_one() -> None:
    whole = (0.9, [stage("tabm", 5, 5.0), stage("tabm", 3, 4.0)])
    assert more((0.1, [stage("linear", 8, 0.1)]), whole) == ("tabm", 8)
    assert more((0.1, [stage("realmlp", 8, 1.0)]), whole, seconds=4) == ("tabm", 2)
    twice = (0.9, [stage("tabm", 8, 5.0), stage("tabm", 8, 5.0)])
    assert more((0.1, [stage("realmlp", 8, 1.0)]), twice) == ("realmlp", 8)
    assert more((0.1, [stage("realmlp", 16, 1.0)]), twice) is None


@pytest.mark.usefixtures("planned")
def test_time_that_is_left_gives_every_fold_its_members() -> None:
    Path("table.csv").write_text(csv_text(small_columns(200)))
    run = wellfit.train("table.csv", "label", out="run", time="60s", threads=1, report=False)
    members = [(member["type"], member["members"]) for member in run.config["model"]["members"]]
    assert members[:3] == [("linear", 8), ("realmlp", 3), ("tabm", 2)]
    totals = {kind: sum(count for name, count in members if name == kind) for kind, _ in members}
    assert totals == {"linear": 8, "realmlp": 16, "tabm": 16}
    shares = run.predictor.module.weights.numpy()
    assert shares.sum() == pytest.approx(1.0)
    for kind in ("realmlp", "tabm"):
        each = [share / count for share, (name, count) in zip(shares, members, strict=True) if name == kind]
        assert np.allclose(each, each[0])
    assert "16 realmlp networks" in (run.path / "log.txt").read_text()
    again = wellfit.train("table.csv", "label", out="again", **replayed(run))
    assert (run.path / "model.safetensors").read_bytes() == (again.path / "model.safetensors").read_bytes()


@pytest.mark.usefixtures("planned")
def test_further_members_learn_the_next_folds() -> None:
    given = {"data": {"target": "label"}, "train": {"threads": 1, "time": 60.0}}
    experiment = EnsembleExperiment(prepare_table(from_mapping(given), pl.DataFrame(small_columns(200))))
    experiment.trained()
    held = [np.concatenate([ids.numpy() for ids in one.bag.ids("valid")]) for one in experiment.stages]
    kinds = [one.member["type"] for one in experiment.stages]
    rows = len(experiment.pool.rows.target)
    # The next folds, not the first ones again: otherwise the members would be judged on few of the rows.
    for kind in ("realmlp", "tabm"):
        judged = np.concatenate([ids for name, ids in zip(kinds, held, strict=True) if name == kind])
        assert np.array_equal(np.sort(judged), np.repeat(np.arange(rows), 2))
    _, known = experiment._held_out()
    assert len(known) == rows


@pytest.mark.usefixtures("planned")
def test_time_to_score_the_test_rows_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"data": {"target": "label"}, "train": {"threads": 1, "time": 60.0}}
    experiment = EnsembleExperiment(prepare_table(from_mapping(given), pl.DataFrame(small_columns(200))))
    for one in experiment.stages:
        one.run()
        one.said()
        # 20 rows a fold: so long for what they say of one row is as long for all 40 test rows.
        one.answering = 0.5 * sum(len(ids) for ids in one.bag.ids("valid")) / one.bag.members / 40
        assert one.scoring(40) == pytest.approx(0.5)
        assert one.seconds > 0.0
    left: list[float] = []
    monkeypatch.setattr("wellfit.bagging.ensemble.more_members", lambda *given: left.append(given[3]))
    now = time.monotonic()
    assert experiment._more() is None
    assert experiment._until is not None
    assert left[0] == pytest.approx(experiment._until - now - 0.5 * len(experiment.stages), abs=0.5)


@pytest.mark.usefixtures("planned")
def test_further_members_that_the_clock_ends_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stage, "cut", property(lambda self: self.bag.first > 0))
    run = wellfit.train(pl.DataFrame(small_columns(200)), "label", out="run", time="60s", threads=1, report=False)
    assert [member["type"] for member in run.config["model"]["members"]] == ["linear", "realmlp", "tabm"]


def replayed(run: wellfit.Run) -> dict[str, Any]:
    config = yaml.safe_load((run.path / "config.yaml").read_text())
    return {name: config[name] for name in ("split", "clean", "features", "model", "train")}
