"""Ensembles are treated: on validation rows that no trial learns, with settings that all of their networks take."""

from __future__ import annotations

import random
import signal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import wellfit
from searches import treatment_of
from small import Command, csv_text
from wellfit.bagging import EnsembleExperiment
from wellfit.config import Config, from_mapping, load_config, model_spec, with_values
from wellfit.errors import Interrupted
from wellfit.findings import Finding, Remedy
from wellfit.metrics import METRICS, best_threshold
from wellfit.preparation import prepare
from wellfit.prepared import PreparedTable
from wellfit.treatment import treat_run
from wellfit.treatment.course import Course
from wellfit.treatment.members import Times, as_trial, settings_of
from wellfit.treatment.run_bench import bench_for
from wellfit.treatment.run_practice import practice_for
from wellfit.treatment.settings import change_of
from wellfit.treatment.yardstick import crossed_guess

MEMBERS: list[dict[str, Any]] = [
    {"type": "linear", "members": 3, "train": {"epochs": 3, "loss": "cce", "batch_size": 64}},
    {
        "type": "realmlp",
        "members": 3,
        "hidden": [16],
        "train": {"epochs": 10, "loss": "cce", "batch_size": 64, "optimizer": {"name": "adam", "lr": 0.04}},
    },
]


def with_rate(lr: float) -> list[dict[str, Any]]:
    """The members with a rate of their own."""
    slow = {"name": "adam", "lr": lr}
    return [{**member, "train": {**member["train"], "optimizer": slow}} for member in MEMBERS]


def columns(rows: int, seed: int) -> dict[str, list[Any]]:
    draw = random.Random(seed)
    a, b = ([round(draw.uniform(-1, 1), 3) for _ in range(rows)] for _ in range(2))
    return {"a": a, "b": b, "y": ["yes" if x + y > 0.2 else "no" for x, y in zip(a, b, strict=True)]}


def trained(place: Path, name: str, members: list[dict[str, Any]], test_seed: int = 1) -> wellfit.Run:
    (place / "data.csv").write_text(csv_text(columns(240, 0)))
    (place / f"{name}.csv").write_text(csv_text(columns(80, test_seed)))
    return wellfit.train(
        str(place / "data.csv"),
        "y",
        out=str(place / name),
        data={"test": str(place / f"{name}.csv")},
        model={"type": "ensemble", "members": members},
        threads=1,
        report=False,
    )


@pytest.fixture(scope="module")
def ill(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two ensembles that learn nothing, on the same rows and with test tables that differ."""
    place = tmp_path_factory.mktemp("ill")
    for name, seed in (("one", 1), ("two", 2)):
        trained(place, name, with_rate(2e-3), seed)
    return place


def prepared_of(run: Path) -> PreparedTable:
    rows = prepare(load_config(run / "config.yaml").config)
    assert isinstance(rows, PreparedTable)
    return rows


def test_the_cure_is_proved_and_an_ensemble_is_trained_with_it(ill: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Finding(code="learning_rate_too_low", severity="warning", message="m")
    monkeypatch.setattr("wellfit.treatment.runs._known", lambda run: [slow])
    said: list[str] = []
    treated = treat_run(ill / "one", apply=True, budget=8, seeds=2, report=said.append)
    assert treated.cured
    assert treated.accepted[0].path == "model.members"
    made = load_config(treated.result.path / "config.yaml").config
    assert made.model["type"] == "ensemble"
    assert [member["members"] for member in model_spec(made)["members"]] >= [3, 3]
    assert treated.result.metrics["test"]["accuracy"] > wellfit.load(ill / "one").metrics["test"]["accuracy"]
    assert said[0] == "training as given, the first of 8 trainings at the most or a few more"
    assert said[1].startswith("as given, a training takes about")


def test_a_treatment_that_is_stopped_says_so(ill: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.training.loop.Trainer._read_losses", lambda self: signal.raise_signal(signal.SIGTERM))
    with pytest.raises(Interrupted, match="The treatment was stopped after 0 trainings, of which nothing is kept"):
        treat_run(ill / "one")


def test_test_rows_change_nothing(ill: Path) -> None:
    one, two = (treatment_of(treat_run(ill / name, budget=8, seeds=2)) for name in ("one", "two"))
    assert one == two


def test_a_trial_learns_from_training_rows_and_never_reads_the_test_rows(
    ill: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = prepared_of(ill / "one")
    monkeypatch.setattr(PreparedTable, "score", None)
    made = EnsembleExperiment(table, crossed=False)
    assert made.pool.folds[0].train.tolist() == list(range(table.rows["train"]))
    outcome = made.trained()
    assert list(outcome.scores) == ["valid"]
    assert outcome.scores["valid"].target.tolist() == table.encoded_target("valid").tolist()


def test_validation_rows_change_nothing_that_a_trial_learns(ill: Path) -> None:
    table = prepared_of(ill / "one")
    frames = dict(table.frames)
    other = frames["valid"].with_columns(y=pl.when(pl.col("y") == "yes").then(pl.lit("no")).otherwise(pl.lit("yes")))
    last = [{**member, "train": {**member["train"], "early_stopping": None}} for member in MEMBERS]
    weights = []
    for valid in (frames["valid"], other):
        changed = Config.model_validate(with_values(table.config, {"model.members": last}))
        rows = prepare(changed)
        assert isinstance(rows, PreparedTable)
        rows.frames["valid"] = valid  # type: ignore[index]
        stages = EnsembleExperiment(rows, crossed=False)
        stages.trained()
        weights.append([value for stage in stages.stages for value in stage.experiment.module.state_dict().values()])
    assert all(np.array_equal(one, two) for one, two in zip(*weights, strict=True))


def test_a_healthy_ensemble_is_left_alone(tmp_path: Path, command: Command) -> None:
    run = trained(tmp_path, "well", [{**MEMBERS[1], "train": {**MEMBERS[1]["train"], "epochs": 30}}])
    assert {finding.severity for finding in run.findings} <= {"info"}
    answer = command("treat", run.path)
    assert answer.code == 0
    assert answer.out.splitlines() == [
        "Nothing serious was found in the rows, the training and the fit of this run. So nothing was tried."
    ]
    assert command("treat", run.path, "--json").record["trainings"] == 0


@pytest.mark.parametrize(
    ("code", "advice"),
    [("shuffled_labels", "nothing to do with the inputs"), ("target_leakage", "Set features.columns.a.type=drop.")],
)
def test_what_these_rows_cannot_prove_is_advised(
    ill: Path, monkeypatch: pytest.MonkeyPatch, code: str, advice: str
) -> None:
    remedy = Remedy(path="features.columns.a.type", value="drop", why="")
    found = Finding(code=code, severity="error", message="m", remedies=(remedy,))
    monkeypatch.setattr("wellfit.treatment.runs._known", lambda run: [found])
    treated = treat_run(ill / "one")
    assert (treated.trainings, treated.trials, treated.cured) == (0, [], False)
    assert any(advice in line for line in treated.advice)


def test_a_change_of_every_network_leaves_the_linear_model_and_options_that_are_not_there() -> None:
    config = from_mapping({"model": {"type": "ensemble", "members": MEMBERS}})
    rate = change_of({"members.train.optimizer.lr": Times(0.5), "members.model.width": 8}, "")
    fewer = change_of({"members.model.hidden": Times(0.25), "train.l2": 0.1}, "")
    values = settings_of(config, Course((rate, fewer)))
    linear, realmlp = values.pop("model.members")
    assert values == {"train.l2": 0.1}
    assert linear["train"] == {"epochs": 3, "loss": "cce", "batch_size": 64}
    assert (realmlp["train"]["optimizer"]["lr"], realmlp["hidden"], "width" in realmlp) == (0.02, [4], False)
    assert model_spec(config)["members"][1]["hidden"] == [16]
    assert rate.what == "train.optimizer.lr x 0.5 of every network, width=8 of every network"


def test_a_trial_is_one_network_of_each_for_no_more_updates_than_it_needs() -> None:
    long = [{**MEMBERS[1], "train": {**MEMBERS[1]["train"], "epochs": 400}}, MEMBERS[0]]
    config = as_trial(from_mapping({"model": {"type": "ensemble", "members": long}}), rows=640)
    members = model_spec(config)["members"]
    assert [(member["members"], member["train"]["epochs"]) for member in members] == [(1, 64), (1, 3)]


def test_all_that_is_proposed_is_a_config_of_an_ensemble(ill: Path) -> None:
    bench = bench_for(load_config(ill / "one" / "config.yaml").config, None)
    practice = practice_for(bench)
    remedy = Remedy(path="train.class_weight", value="balanced", why="")
    findings = [
        Finding(code=code, severity="warning", message="m", remedies=(remedy,)) for code in wellfit.findings.CODES
    ]
    changes = [*practice.single(findings), *practice.standard(findings), *practice.further(Course(), findings)]
    assert len({change.what for change in changes}) > 10
    for change in changes:
        config = with_values(bench.config, practice.changed(Course((change,))))
        assert config.model["type"] == "ensemble"
        if not change.what.startswith("train.class_weight"):
            assert config.model["members"] != bench.config.model["members"], change.what


def test_a_threshold_is_judged_on_rows_that_did_not_choose_it() -> None:
    draw = np.random.default_rng(0)
    truth = (draw.random(120) < 0.2).astype(np.int64)
    second = np.clip(0.2 * truth + 0.3 * draw.random(120), 0, 1)
    chances = np.stack([1 - second, second], axis=1)
    guess = crossed_guess(chances, truth, threshold="auto", metric="f1")
    halves = np.arange(120) // 2 % 2
    for half in (0, 1):
        found = best_threshold(METRICS["f1"].make(), truth[halves != half], chances[halves != half])
        assert np.array_equal(guess[halves == half], (second >= found)[halves == half])
    assert np.array_equal(crossed_guess(chances, truth, threshold=None, metric="f1"), chances.argmax(1))
    assert np.array_equal(crossed_guess(chances, truth, threshold=0.3, metric="auto"), second >= 0.3)
    chances[3] = np.nan
    assert crossed_guess(chances, truth, threshold="auto", metric="f1")[3] == -1


def test_a_metric_that_decides_by_a_threshold_finds_it_anew() -> None:
    assert change_of({"train.metric": "f1"}, "").options == {"train.metric": "f1", "train.threshold": "auto"}


def test_weights_and_a_threshold_for_rare_classes_are_not_put_together() -> None:
    # Either finds rare classes; with both, a threshold of weighted chances undoes the weights.
    course = (
        Course().then(change_of({"train.class_weight": "balanced"}, "")).then(change_of({"train.metric": "f1"}, ""))
    )
    assert [change.what for change in course.changes] == ["train.metric=f1"]
