"""Which members fit into the time: more time gives more of them, each with as much as it needs, and never too much."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

import wellfit
from small import csv_text, small_columns
from wellfit.bagging import budget
from wellfit.bagging.bag import pooled
from wellfit.bagging.cost import PARTS, Cost, Watch
from wellfit.bagging.recipes import (
    MOST_CLASSES,
    NEIGHBOURS,
    SHAPE,
    WIDE_SHAPE,
    architectures_of,
    epochs_of,
    member_of,
)
from wellfit.config import from_mapping, with_values
from wellfit.errors import BadInput
from wellfit.preparation import prepare_table
from wellfit.prepared import PreparedTable


@pytest.fixture(scope="module")
def table() -> PreparedTable:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(2500, 3))
    frame = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": x[:, 0] * x[:, 1] + x[:, 2]})
    return prepare_table(from_mapping({"data": {"target": "y"}, "train": {"threads": 1}}), frame)


COSTS = {"realmlp": 0.1, "modernnca": 0.2, "tabm": 0.5}


def costing(epoch: float, steps: int = 10) -> Cost:
    """Give what costs so many seconds an epoch, a tenth of them for the validation."""
    return Cost(update=0.9 * epoch / steps, validation=0.1 * epoch, steps=steps)


def planned(table: PreparedTable, seconds: float, monkeypatch: pytest.MonkeyPatch, **epochs: float) -> dict[str, Any]:
    """Give members and epochs by architecture, with epochs that cost what is said here, of ten updates each."""
    cost = {**COSTS, **epochs}
    monkeypatch.setattr(budget, "_measured", lambda *given: costing(cost[given[2]]))
    pool = pooled(table)
    until = time.monotonic() + seconds
    members, ends = budget.chosen_members(table, pool, until)
    assert (ends[-1] is None) == (len(members) == 1)
    assert ends[-1] is None or ends[-1] <= until
    return {member["type"]: (member["members"], member["train"]["epochs"]) for member in members}


def test_more_time_gives_more_members(table: PreparedTable, monkeypatch: pytest.MonkeyPatch) -> None:
    short, long = planned(table, 60, monkeypatch), planned(table, 600, monkeypatch)
    assert long["realmlp"][0] > short["realmlp"][0] >= 1
    assert long["modernnca"][0] > short["modernnca"][0] >= 1
    assert long["tabm"][0] > short["tabm"][0] >= 1


def test_what_is_planned_fits(table: PreparedTable, monkeypatch: pytest.MonkeyPatch) -> None:
    for seconds in (20, 60, 300, 2000):
        found = planned(table, seconds, monkeypatch)
        cost = sum(found[name][0] * found[name][1] * each for name, each in COSTS.items() if name in found)
        assert cost <= seconds


def test_nobody_learns_longer_than_helps(table: PreparedTable, monkeypatch: pytest.MonkeyPatch) -> None:
    found = planned(table, 10**6, monkeypatch)
    for name in COSTS:
        assert found[name] == (8, epochs_of(name, table.rows["train"], 10)[1])


def test_an_architecture_that_can_not_learn_in_time_is_left_out(
    table: PreparedTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(planned(table, 30, monkeypatch, tabm=100.0)) == {"linear", "realmlp", "modernnca"}
    assert set(planned(table, 30, monkeypatch, tabm=100.0, modernnca=100.0)) == {"linear", "realmlp"}
    assert set(planned(table, 30, monkeypatch, modernnca=100.0)) == {"linear", "realmlp", "tabm"}
    assert set(planned(table, 0.5, monkeypatch)) == {"linear"}


def test_an_epoch_that_does_not_fit_is_a_part_of_the_rows(
    table: PreparedTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An epoch takes 18 s, and there are 30: the rate has to fall to its end within one and a half.
    cost = replace(costing(18.0, steps=2000), validation=0.5)
    dear = costing(1000.0, steps=2000)
    monkeypatch.setattr(budget, "_measured", lambda *given: cost if given[2] == "realmlp" else dear)
    members, _ = budget.chosen_members(table, pooled(table), time.monotonic() + 30)
    assert [member["type"] for member in members] == ["linear", "realmlp"]
    train = members[1]["train"]
    assert PARTS[0] <= train["epochs"] <= PARTS[1]
    assert 1 <= train["epoch_steps"] < 2000
    assert 20 <= cost.of(members[1]) <= 30
    # Of many rows the held-out ones take long to answer: they are asked less often.
    slow = replace(cost, validation=3.0)
    monkeypatch.setattr(budget, "_measured", lambda *given: slow if given[2] == "realmlp" else dear)
    fewer, _ = budget.chosen_members(table, pooled(table), time.monotonic() + 30)
    assert fewer[1]["train"]["epochs"] == PARTS[0] < train["epochs"]


def test_few_side_by_side_cost_more_each(table: PreparedTable) -> None:
    cost = Cost(update=0.01, validation=0.0, steps=10, together=4)
    assert [cost.of_few(count).update for count in (1, 2, 3, 4, 8)] == pytest.approx([0.02, 0.015, 0.012, 0.01, 0.01])
    # What was measured alone is what one alone takes.
    assert replace(cost, together=1).of_few(1).update == 0.01
    for seconds in (5, 20, 60):
        member, each = budget._fitted(table, "realmlp", 8, cost, seconds)
        assert each.of(member) <= seconds
        assert each == cost.of_few(member["members"])


def test_time_is_left_to_answer_the_test_rows(table: PreparedTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "_measured", lambda *given: costing(COSTS[given[2]]))
    ends = []
    for times in (1, 20, 4000):
        many = replace(table, rows={**table.rows, "test": times * table.rows["test"]})
        until = time.monotonic() + 60
        ends.append(until - (budget.chosen_members(many, pooled(many), until)[1][-1] or until))
    # However many they are, half of the time is for training.
    assert 0 < ends[0] < ends[1] < ends[2] <= 30


def test_a_validation_is_measured_on_some_of_the_rows(table: PreparedTable, monkeypatch: pytest.MonkeyPatch) -> None:
    answered: list[int] = []

    class Slow(Watch):
        def on_epoch(self, trainer: Any) -> None:
            super().on_epoch(trainer)
            self.validations[-1] = 1.0
            answered.append(trainer.valid.rows)

    monkeypatch.setattr(budget, "TRIED_ROWS", 50)
    monkeypatch.setattr(budget, "Watch", Slow)
    pool = pooled(table)
    found = budget._measured(table, pool, "linear", 1, time.monotonic() + 60)
    assert set(answered) == {50}
    assert found.validation == pytest.approx(len(pool.fold(0).valid) / 50)


def test_a_linear_model_of_very_many_rows_is_soon_done(table: PreparedTable) -> None:
    many = replace(table, rows={**table.rows, "train": 10_000_000})
    train = member_of(many, "linear", 5)["train"]
    assert train["epochs"] * train["epoch_steps"] <= 2400
    assert "epoch_steps" not in member_of(table, "linear", 5)["train"]


def test_all_members_give_outputs_of_one_form(table: PreparedTable) -> None:
    losses = {str(member_of(table, name, 1)["train"]["loss"]) for name in ("linear", *COSTS)}
    assert len(losses) == 1


@pytest.mark.parametrize(
    ("changes", "rows", "classes", "among"),
    [
        ({}, 2500, 0, True),
        ({}, NEIGHBOURS - 1, 0, False),
        ({}, 2500, MOST_CLASSES, True),
        ({}, 2500, MOST_CLASSES + 1, False),
        ({"train.augment": {"noise": 0.1}}, 2500, 0, False),
    ],
)
def test_neighbours_are_asked_where_there_are_enough_of_them(
    changes: dict[str, Any], rows: int, classes: int, among: bool, table: PreparedTable
) -> None:
    target: Any = SimpleNamespace(classes=list(range(classes)))
    given: Any = SimpleNamespace(config=with_values(table.config, changes), rows={"train": rows}, target=target)
    assert ("modernnca" in architectures_of(given)) is among


@pytest.mark.parametrize(("several", "kept"), [(0.3, "auto"), (1.0, "auto"), (1.1, 1)])
def test_one_thread_is_taken_where_several_were_measured_to_be_slower(
    table: PreparedTable, several: float, kept: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cost(held: PreparedTable, *given: Any) -> Cost:
        return costing(1.0 if held.config.train.threads == 1 else several)

    monkeypatch.setattr(budget, "_measured", cost)
    monkeypatch.setattr(budget, "default_threads", lambda: 2)
    free = replace(table, config=with_values(table.config, {"train.threads": "auto"}))
    found, known = budget.with_threads(free, pooled(free), time.monotonic() + 60)
    assert found.config.train.threads == kept
    assert known["tabm"].epoch == pytest.approx(min(several, 1.0))
    # What somebody asked for stays.
    asked = replace(table, config=with_values(table.config, {"train.threads": 2}))
    assert budget.with_threads(asked, pooled(asked), time.monotonic() + 60) == (asked, {})


def test_what_is_known_is_not_measured_again(table: PreparedTable, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[str] = []

    def cost(table: PreparedTable, pool: Any, name: str, *rest: Any) -> Cost:
        measured.append(name)
        return costing(COSTS[name])

    monkeypatch.setattr(budget, "_measured", cost)
    known = {"tabm": costing(0.01)}
    until = time.monotonic() + 60
    members, _ = budget.chosen_members(table, pooled(table), until, known)
    assert measured == ["realmlp", "modernnca"]
    # A hundredth of what another one would have measured: as many as there are folds.
    assert members[-1]["type"] == "tabm"
    assert members[-1]["members"] == 8


def test_a_measurement_ends_where_updates_take_long(table: PreparedTable, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    class Slow(Watch):
        def on_step(self, trainer: Any) -> None:
            time.sleep(0.1)
            super().on_step(trainer)
            made.append(trainer.position.step)

    monkeypatch.setattr(budget, "Watch", Slow)
    found = budget._measured(table, pooled(table), "linear", 1, time.monotonic() + 60)
    assert 2 <= len(made) <= 4
    assert 0.1 * found.steps <= found.epoch <= 0.3 * found.steps


@pytest.mark.parametrize(("classes", "shape"), [(10, SHAPE), (11, WIDE_SHAPE)])
def test_tabm_is_wide_for_many_classes(classes: int, shape: dict[str, int]) -> None:
    label = [f"c{number % classes}" for number in range(40 * classes)]
    frame = pl.DataFrame({"a": np.random.default_rng(0).normal(size=len(label)), "y": label})
    member = member_of(prepare_table(from_mapping({"data": {"target": "y"}}), frame), "tabm", 1)
    assert {key: member[key] for key in shape} == shape


def test_settings_stand_over_the_recipe_of_their_architecture() -> None:
    frame = pl.DataFrame(small_columns(60))
    settings = [
        {"type": "realmlp", "dropout": 0.4, "train": {"optimizer": {"lr": 0.01}, "epochs": 9}},
        {"type": "tabm", "k": 3, "train": {"optimizer": {"name": "momentum", "lr": 0.5}}},
    ]
    given = {"data": {"target": "label"}, "model": {"type": "ensemble", "settings": settings}}
    changed = prepare_table(from_mapping(given), frame)
    usual = prepare_table(from_mapping({"data": {"target": "label"}}), frame)
    network, recipe = member_of(changed, "realmlp", 2), member_of(usual, "realmlp", 2)
    assert (network["dropout"], network["members"]) == (0.4, 2)
    assert network["train"]["optimizer"] == {**recipe["train"]["optimizer"], "lr": 0.01}
    assert network["train"]["batch_size"] == recipe["train"]["batch_size"]
    # What the time allows stands over what was set.
    assert network["train"]["epochs"] == 9
    assert member_of(changed, "realmlp", 2, 4)["train"]["epochs"] == 4
    assert member_of(changed, "tabm", 2)["train"]["optimizer"] == {"name": "momentum", "lr": 0.5}
    assert member_of(changed, "tabm", 2)["k"] == 3
    assert member_of(changed, "linear", 2) == member_of(usual, "linear", 2)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ({"settings": [{"type": "realmpl"}]}, "Did you mean 'realmlp'"),
        ({"settings": [{"type": "realmlp", "droput": 0.1}]}, "Did you mean 'dropout'"),
        ({"settings": [{"type": "tabm", "k": 3}], "members": [{"type": "linear"}]}, "Write them into members"),
    ],
)
def test_wrong_settings_are_one_sentence(model: dict[str, Any], said: str, tmp_path: Path) -> None:
    Path(tmp_path / "table.csv").write_text(csv_text(small_columns(60)))
    with pytest.raises(BadInput, match=said):
        wellfit.train(
            str(tmp_path / "table.csv"), "label", out=str(tmp_path / "run"), model={"type": "ensemble", **model}
        )
    assert not (tmp_path / "run").exists()
