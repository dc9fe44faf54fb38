"""Time that is too short for a network: a linear model is what is kept, is as good as one can be, and is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

import wellfit
from wellfit.bagging import EnsembleExperiment, budget
from wellfit.bagging.bag import pooled
from wellfit.bagging.cost import Cost
from wellfit.bagging.recipes import HASTY_STEPS, hasty_member
from wellfit.bagging.stage import Stage, held_out
from wellfit.config import from_mapping
from wellfit.ensembling import clearly_better
from wellfit.errors import DataError
from wellfit.preparation import prepare_table
from wellfit.prepared import PreparedTable


def frame(rows: int = 400, seed: int = 0) -> pl.DataFrame:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(rows, 6))
    odds = x @ np.array([2.0, -1.5, 1.0, 0.5, 0.0, 0.0]) + 0.7 * draw.normal(size=rows)
    columns = {f"x{place}": x[:, place] for place in range(6)}
    kind = draw.choice(["a", "b", "c"], rows)
    return pl.DataFrame({**columns, "kind": kind, "label": np.where(odds + (kind == "a") > 0, "yes", "no")})


def table(data: pl.DataFrame, **train: Any) -> PreparedTable:
    given = {"data": {"target": "label"}, "train": {"threads": 1, **train}}
    return prepare_table(from_mapping(given), data)


def codes(run: wellfit.Run) -> list[str]:
    return [finding.code for finding in run.findings if finding.severity != "info"]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def measured_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine so busy that looking at what an update costs takes all the time there was."""
    left = iter([True, True, False])
    monkeypatch.setattr(budget, "_worth", lambda until: next(left))


def with_end(monkeypatch: pytest.MonkeyPatch, end: float | None) -> None:
    """Give every stage that has an end another one."""
    initialized = Stage.__init__

    def ended(self: Stage, *given: Any, until: float | None = None, **more: Any) -> None:
        initialized(self, *given, until=None if until is None else end, **more)

    monkeypatch.setattr(Stage, "__init__", ended)


@pytest.fixture
def stalled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stops working once members were chosen: every stage with an end makes one update."""
    with_end(monkeypatch, 0.0)


def test_no_time_at_all_gives_a_linear_model_as_good_as_the_baseline() -> None:
    run = wellfit.train(frame(), "label", out="run", time="0.1s", threads=1, report=False)
    baseline = run.metrics["baselines"]["linear"]
    assert run.metrics["test"]["log_loss"] < baseline["log_loss"] + 0.02
    assert run.metrics["test"]["accuracy"] >= baseline["accuracy"] - 0.02
    said = next(finding for finding in run.findings if finding.code == "short_time")
    assert said.evidence["seconds"] == 0.1
    assert "so a linear model is what was trained" in said.message


@pytest.mark.usefixtures("measured_in_vain")
def test_time_that_measuring_used_up_gives_the_linear_model() -> None:
    run = wellfit.train(frame(), "label", out="run", time="20s", threads=1, report=False)
    members = yaml.safe_load((run.path / "config.yaml").read_text())["model"]["members"]
    assert [member["type"] for member in members] == ["linear"]
    assert "short_time" in codes(run)
    assert run.metrics["valid"]["log_loss"] < 0.4


@pytest.mark.usefixtures("stalled")
def test_networks_that_the_clock_ended_give_way_to_the_linear_model() -> None:
    prepared = table(frame(), time=12.0)
    experiment = EnsembleExperiment(prepared, folder=Path("checkpoints"))
    assert [stage.member["type"] for stage in experiment.stages][:2] == ["linear", "realmlp"]
    outcome = experiment.run()
    assert [member["type"] for member in outcome.config.model["members"]] == ["linear"]
    assert outcome.metrics["valid"]["log_loss"] < 0.4
    assert "short_time" in [finding.code for finding in outcome.findings]
    assert not list(Path("checkpoints").rglob("*.safetensors"))


@pytest.mark.parametrize(("epoch", "compared"), [(1.0, True), (1e-4, False)])
def test_networks_with_few_updates_are_compared_with_the_linear_model(
    epoch: float, compared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "_measured", lambda *given: Cost(update=0.4 * epoch, validation=0.2 * epoch, steps=2))
    with_end(monkeypatch, None)
    called: list[int] = []
    monkeypatch.setattr(EnsembleExperiment, "_fall_back", lambda self: called.append(len(self.stages)))
    monkeypatch.setattr(budget, "epochs_of", lambda name, rows, steps: {"realmlp": (4, 8), "tabm": (2, 4)}[name])
    needed = {"realmlp": (12, 16), "tabm": (0, 0)}
    monkeypatch.setattr("wellfit.bagging.ensemble.epochs_of", lambda name, rows, steps: needed[name])
    EnsembleExperiment(table(frame(), time=8.0)).trained()
    assert bool(called) is compared


@pytest.mark.usefixtures("stalled")
def test_what_was_kept_for_want_of_time_is_replayed_to_the_same_weights() -> None:
    frame().write_csv("table.csv")
    run = wellfit.train("table.csv", "label", out="first", time="12s", threads=1, report=False)
    again = wellfit.train("table.csv", "label", out="again", **_replayed(run))
    assert (run.path / "model.safetensors").read_bytes() == (again.path / "model.safetensors").read_bytes()
    assert "short_time" not in codes(again)


def _replayed(run: wellfit.Run) -> dict[str, Any]:
    config = yaml.safe_load((run.path / "config.yaml").read_text())
    return {name: config[name] for name in ("split", "clean", "features", "model", "train")}


def test_networks_that_were_given_stay_what_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def unasked(experiment: EnsembleExperiment) -> None:
        raise AssertionError("these members were the person's choice")

    monkeypatch.setattr(EnsembleExperiment, "_fall_back", unasked)
    members = [{"type": "realmlp", "hidden": [8], "train": {"epochs": 10**6}}]
    run = wellfit.train(
        frame(), "label", out="run", model={"type": "ensemble", "members": members}, time="1s", threads=1, report=False
    )
    assert "short_time" not in codes(run)


def test_a_network_that_the_clock_ended_at_once_says_so_beside_the_linear_model() -> None:
    for place, limit in enumerate(("0.1s", None)):
        run = wellfit.train(
            frame(), "label", out=f"run{place}", model="mlp", epochs=20, time=limit, threads=1, report=False
        )
        said = [finding.message for finding in run.findings if finding.code == "short_time"]
        assert len(said) == (0 if limit is None else 1)
        assert all("too few for a network to learn from" in message for message in said)
        assert run.metrics["baselines"]["linear"]["log_loss"] < 0.45


def test_rows_too_many_to_be_solved_get_a_bounded_number_of_updates(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = table(frame())
    assert hasty_member(prepared, 8)["members"] == 8
    assert hasty_member(prepared, 8)["train"]["optimizer"]["name"] == "lbfgs"
    monkeypatch.setattr("wellfit.bagging.recipes.SOLVED", 2500)
    assert hasty_member(prepared, 8)["members"] == 1
    assert hasty_member(prepared, 8)["train"]["optimizer"]["name"] == "lbfgs"
    monkeypatch.setattr("wellfit.bagging.recipes.SOLVED", 10)
    many = hasty_member(prepared, 8)
    assert (many["members"], many["train"]["steps"]) == (1, HASTY_STEPS)
    stage = Stage(prepared, pooled(prepared), many, 0)
    stage.run()
    said, ids = held_out([stage])
    right = (said[:, 1] > 0.5) == stage.bag.pool.rows.target.numpy()[ids]
    assert stage.steps <= HASTY_STEPS
    assert right.mean() > 0.7


def test_chance_is_not_called_better() -> None:
    draw = np.random.default_rng(0)
    truth = draw.normal(size=200)
    values = truth + draw.normal(size=(2, 200))
    assert not clearly_better(values[0], values[1], truth)
    assert not clearly_better(values[1], values[0], truth)
    assert clearly_better(truth + 0.5 * draw.normal(size=200), values[0], truth)
    chances = np.full((200, 2), 0.5)
    labels = (truth > 0).astype(int)
    assert clearly_better(np.eye(2)[labels] * 0.8 + 0.1, chances, labels)


def test_more_classes_than_memory_holds_are_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    rows = pl.DataFrame({"x": draw.normal(size=900), "label": [f"c{row % 90}" for row in range(900)]})
    monkeypatch.setattr("wellfit.answer_room.memory_share", lambda: 1e5)
    for model in ("ensemble", "mlp"):
        with pytest.raises(DataError, match=r"The probabilities of 90 classes for \d+ rows must fit .* rare labels"):
            wellfit.train(rows, "label", out="run", model=model, report=False)
    assert not Path("run").exists()
