"""Time that is left over goes into members of further folds, which count like those that were planned."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

import wellfit
from small import csv_text, small_columns
from wellfit.bagging import EnsembleExperiment
from wellfit.bagging.kinds import answers_of, kinds_of
from wellfit.bagging.recipes import member_of
from wellfit.bagging.rest import more_members, poorer_variants
from wellfit.bagging.stage import Stage, alike, stage_config
from wellfit.bagging.variants import KEPT, Variant, variants_of
from wellfit.config import from_mapping
from wellfit.preparation import prepare_table

TRAIN = {"epochs": 3, "loss": "cce", "batch_size": 32, "weight_decay": 0.0, "optimizer": {"name": "adam", "lr": 0.01}}
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


@pytest.fixture
def no_variants(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recipes' settings alone."""
    monkeypatch.setattr("wellfit.bagging.ensemble.variants_of", lambda rows: {})


def stage(kind: str, members: int, seconds: float, **options: Any) -> Any:
    member = {"type": kind, "train": TRAIN, **options}
    return SimpleNamespace(member=member, seconds=seconds, bag=SimpleNamespace(members=members))


def further(
    *kinds: tuple[float, list[Any]],
    folds: int = 8,
    seconds: float = 100.0,
    variants: Mapping[str, tuple[Variant, ...]] = MappingProxyType({}),
    tried: Mapping[str, int] = MappingProxyType({}),
) -> Any:
    pool: Any = SimpleNamespace(crossed=True, folds=range(folds))
    return more_members([kind for _, kind in kinds], [weight for weight, _ in kinds], pool, seconds, variants, tried)


def more(*kinds: tuple[float, list[Any]], **given: Any) -> tuple[str, int] | None:
    member = further(*kinds, **given)
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


OTHERS = {
    "realmlp": (Variant(decay=0.5, rate=2.0, batch=0.5, epochs=3.0), Variant(decay=0.6, options={"dropout": 0.4})),
    "tabm": (Variant(decay=0.7, cost=2.0), Variant(decay=0.8)),
}


def test_members_of_other_settings_come_before_second_ones() -> None:
    network, heads = (0.9, [stage("realmlp", 8, 8.0)]), (0.1, [stage("tabm", 8, 80.0)])
    given: dict[str, Any] = {"variants": OTHERS, "seconds": 1000.0}
    member = further(network, heads, **given)
    assert (member["type"], member["members"]) == ("realmlp", 8)
    changed = {"optimizer": {"name": "adam", "lr": 0.02}, "weight_decay": 0.5, "batch_size": 16, "epochs": 9}
    assert member["train"] == {**TRAIN, **changed}
    # The architectures take turns, and each goes on where it was.
    assert further(network, heads, **given, tried={"realmlp": 1})["train"]["weight_decay"] == 0.7
    second = further(network, heads, **given, tried={"realmlp": 1, "tabm": 1})
    assert (second["dropout"], second["train"]["weight_decay"]) == (0.4, 0.6)
    # No time for the dear one: the next of the other, and at last second members of the recipe.
    assert further(network, heads, variants=OTHERS, seconds=100.0, tried={"realmlp": 1}) == second
    every = {name: len(settings) for name, settings in OTHERS.items()}
    last = further(network, heads, **given, tried=every)
    assert (last["type"], last["members"], last["train"]) == ("realmlp", 8, TRAIN)


def test_variants_are_none_of_the_kinds_that_get_more_folds() -> None:
    plain, variant = (0.2, [stage("realmlp", 8, 8.0)]), (0.8, [stage("realmlp", 3, 3.0, hidden=[4])])
    member = further(plain, variant)
    assert "hidden" not in member
    assert member["members"] == 8


def test_the_best_few_variants_of_an_architecture_are_kept() -> None:
    plain = [[stage("linear", 8, 1.0)], [stage("realmlp", 8, 8.0)], [stage("tabm", 8, 8.0)]]
    variants = [[stage("realmlp", 8, 8.0, hidden=[width])] for width in range(1, 7)]
    kinds = [*plain, *variants, [stage("tabm", 8, 8.0, k=3)]]
    poorer = poorer_variants(kinds, [9.0, 8.0, 7.0, 0.6, 0.1, 0.5, 0.2, 0.3, 0.4, 6.0])
    assert [kind[0].member["hidden"] for kind in poorer] == [[6], [3], [1]]
    assert KEPT == 3


@pytest.mark.parametrize("rows", [200, 2500])
def test_each_variant_is_one_that_its_architecture_takes(rows: int) -> None:
    table = prepare_table(from_mapping({"data": {"target": "label"}}), pl.DataFrame(small_columns(rows)))
    for name, several in variants_of(table.rows["train"]).items():
        usual = member_of(table, name, 2, 8)
        made = [settings.of(usual, members=2) for settings in several]
        assert not any(alike(one, other) for one, other in itertools.combinations([usual, *made], 2))
        for settings, member in zip(several, made, strict=True):
            config = stage_config(table.config, {**member, "train": {**member["train"], "seed": 77}}, 1)
            assert config.train.seed == 77
            assert config.train.epochs == round(settings.epochs * 8)
            for key, value in settings.options.items():
                assert config.model[key] == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.usefixtures("planned")
def test_members_of_other_settings_count_and_are_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.bagging.rest.KEPT", 1)
    Path("table.csv").write_text(csv_text(small_columns(200)))
    run = wellfit.train("table.csv", "label", out="run", time="120s", threads=1, report=False)
    members = run.config["model"]["members"]
    settings = {(member["type"], str(member["train"]["weight_decay"])) for member in members}
    assert len(settings) > 3
    kinds = [member for member in members if "seed" in member["train"]]
    assert len({member["train"]["seed"] for member in kinds}) == len(kinds)
    shares = run.predictor.module.weights.numpy()
    assert shares.sum() == pytest.approx(1.0)
    # What does not count is left out, unless it was planned.
    own = [share for share, member in zip(shares, members, strict=True) if member["train"]["weight_decay"] > 0.0]
    assert own
    assert min(own) > 0.0
    log = (run.path / "log.txt").read_text()
    assert "settings (" in log
    again = wellfit.train("table.csv", "label", out="again", **replayed(run))
    assert (run.path / "model.safetensors").read_bytes() == (again.path / "model.safetensors").read_bytes()


@pytest.mark.usefixtures("planned", "no_variants")
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


@pytest.mark.usefixtures("planned", "no_variants")
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
    _, known = answers_of(kinds_of(experiment.stages))
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
