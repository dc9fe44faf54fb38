"""Of an ensemble one architecture is tuned, as its members are trained, and what is found is theirs in the end."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

import wellfit
from searches import stopped_at, study_of
from wellfit.config import from_mapping
from wellfit.errors import Interrupted
from wellfit.tuning import resume_study, tune_run
from wellfit.tuning.bench import Bench
from wellfit.tuning.clock import Clock
from wellfit.tuning.subject import Subject

SEARCH = {"model.dropout": "uniform(0, 0.5)", "train.optimizer.lr": "log(0.01, 0.3)"}


def config(source: Path | str, out: Path | str, **sections: Any) -> dict[str, Any]:
    return {
        "data": {"source": str(source), "target": "label"},
        "train": {"threads": 1, "time": 4},
        "tune": {"trials": 3, "search": SEARCH, "workers": 1, "folds": 2},
        "output": {"run": str(out), "report": False},
        **sections,
    }


@pytest.fixture(scope="module")
def run(table: Path, tmp_path_factory: pytest.TempPathFactory) -> wellfit.Run:
    return tune_run(from_mapping(config(table, tmp_path_factory.mktemp("tuned") / "one")))


def test_an_ensemble_is_what_is_trained_in_the_end(run: wellfit.Run) -> None:
    assert run.tuning is not None
    assert run.config["model"]["type"] == "ensemble"
    assert {"linear", "realmlp", "tabm"} <= {member["type"] for member in run.config["model"]["members"]}
    best = run.tuning["best"]
    if best is not None:
        networks = [member for member in run.config["model"]["members"] if member["type"] == "realmlp"]
        assert networks[0]["dropout"] == best["values"]["model.dropout"]
        assert networks[0]["train"]["optimizer"]["lr"] == best["values"]["train.optimizer.lr"]


def test_a_study_that_was_stopped_ends_in_an_ensemble_too(
    run: wellfit.Run, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Bench, "measure", stopped_at("trial 1"))
        with pytest.raises(Interrupted):
            tune_run(from_mapping(config(table, tmp_path / "cut")))
    again = resume_study(tmp_path / "cut")
    assert again.config["model"]["type"] == "ensemble"
    assert study_of(again) == study_of(run)


def test_workers_train_the_same_network(run: wellfit.Run, table: Path, tmp_path: Path) -> None:
    assert run.tuning is not None
    tune = {"trials": 1, "search": SEARCH, "workers": 2, "folds": 2}
    beside = tune_run(from_mapping(config(table, tmp_path / "run", tune=tune))).tuning
    assert beside is not None
    assert beside["trials"][0]["value"] == pytest.approx(run.tuning["trials"][0]["value"], rel=1e-6)


def test_trials_are_trained_as_members_are(table: Path, tmp_path: Path) -> None:
    bench = Bench(Subject(from_mapping(config(table, tmp_path / "run"))))
    alone = bench.resolved()
    assert alone.model["type"] == "realmlp"
    assert alone.features.scale == "quantile"
    assert alone.features.crosses != "auto"
    # As many rows as there are, where a batch would take more.
    assert (alone.train.epochs, alone.train.batch_size) == (80, 76)
    assert (alone.model["hidden"], alone.model["activation"]) == ((128, 128), "mish")
    assert alone.train.optimizer["lr"] == pytest.approx(0.032)


def found(given: dict[str, Any], table: Path, tmp_path: Path, values: dict[str, Any]) -> Any:
    subject = Subject(from_mapping(config(table, tmp_path / "run", **given)))
    return subject.with_found(values, Bench(subject).prepared, {"train.epochs": 7})


def test_what_was_found_becomes_settings_of_members(table: Path, tmp_path: Path) -> None:
    values = {"model.dropout": 0.3, "train.optimizer.lr": 0.1, "train.weight_decay": 0.5, "features.dates": "parts"}
    final = found({}, table, tmp_path, values)
    own = {"type": "realmlp", "dropout": 0.3, "train": {"optimizer": {"lr": 0.1}, "weight_decay": 0.5}}
    assert final.model["type"] == "ensemble"
    assert list(final.model["settings"]) == [own]
    assert final.features.dates == "parts"
    assert final.train.epochs != 7
    assert found({}, table, tmp_path, {}).model["settings"] is None


def test_members_and_settings_that_were_given_stay(table: Path, tmp_path: Path) -> None:
    before = {"type": "realmlp", "hidden": [8], "train": {"weight_decay": 0.1}}
    given = {"model": {"type": "ensemble", "settings": [before]}}
    subject = Subject(from_mapping(config(table, tmp_path / "run", **given)))
    assert subject.config.model["hidden"] == (8,)
    assert subject.config.train.weight_decay == 0.1
    final = found(given, table, tmp_path, {"model.dropout": 0.3})
    assert list(final.model["settings"]) == [before, {"type": "realmlp", "dropout": 0.3}]
    members = [{"type": "realmlp", "members": 2, "train": {"epochs": 3}}, {"type": "linear"}]
    final = found({"model": {"type": "ensemble", "members": members}}, table, tmp_path, {"model.dropout": 0.3})
    assert list(final.model["members"]) == [{**members[0], "dropout": 0.3}, members[1]]


def test_one_network_stays_one(table: Path, tmp_path: Path) -> None:
    given = {"model": {"type": "mlp"}, "train": {"epochs": 3}}
    final = found(given, table, tmp_path, {"model.dropout": 0.3})
    assert (final.model["type"], final.model["dropout"], final.train.epochs) == ("mlp", 0.3, 7)
    assert found(given, table, tmp_path, {"train.epochs": 5}).train.epochs == 5


def test_who_searches_the_architecture_wants_one_network(table: Path, tmp_path: Path) -> None:
    search = {"model.type": ["mlp", "linear"]}
    subject = Subject(from_mapping(config(table, tmp_path / "run", tune={"trials": 2, "search": search})))
    assert not subject.of_ensemble
    final = subject.with_found({"model.type": "linear"}, Bench(subject).prepared, {})
    assert final.model["type"] == "linear"


def test_the_last_training_of_several_networks_keeps_a_third_of_the_time() -> None:
    now = time.monotonic()
    one, several = Clock(100.0, now), Clock(100.0, now, several=True)
    assert one.left_for_search(1.0, 0.0) == pytest.approx(70.0, abs=1.0)
    assert several.left_for_search(1.0, 0.0) == pytest.approx(35.0, abs=1.0)
    left, kept = one.left_for_proof(1.0), several.left_for_proof(1.0)
    assert left is not None
    assert kept is not None
    assert left - kept == pytest.approx(35.0 - 1.2, abs=0.5)
