"""Ensembles as runs: what they are made of, how honest their scores are, how they are replayed and resumed."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import yaml

import wellfit
from small import Command, csv_text, small_columns
from wellfit.bagging import of_one_network
from wellfit.config import Config, from_mapping
from wellfit.errors import ConfigError, Interrupted
from wellfit.preparation import prepare
from wellfit.recording import resume_run, train_run

OWN = {"optimizer": {"name": "adam", "lr": 0.04}, "clip_norm": None, "batch_size": 32, "schedule": None}
MEMBERS: list[dict[str, Any]] = [
    {"type": "realmlp", "members": 3, "hidden": [8], "train": {"epochs": 3, "loss": "cce", **OWN}},
    {"type": "linear", "train": {"epochs": 2, "loss": "cce"}},
]


def trained(data: Any, out: str = "first", **config: Any) -> wellfit.Run:
    model = {"type": "ensemble", "members": MEMBERS}
    return wellfit.train(data, "label", out=out, model=model, threads=1, report=False, **config)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def frame() -> pl.DataFrame:
    return pl.DataFrame(small_columns(160))


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({}, "ensemble"),
        ({"train": {"time": "10s", "seed": 3}}, "ensemble"),
        ({"model": "auto"}, "ensemble"),
        ({"train": {"epochs": 3}}, "mlp"),
        ({"train": {"optimizer": {"lr": 0.1}}}, "mlp"),
        ({"model": {"hidden": [4]}}, "mlp"),
        ({"model": "realmlp"}, "realmlp"),
    ],
)
def test_an_ensemble_is_trained_unless_something_is_said_of_one_network(given: dict[str, Any], kind: str) -> None:
    assert from_mapping(given).model["type"] == kind
    assert Config().model["type"] == "ensemble"


def test_the_blend_is_the_weighted_mean_of_its_networks(frame: pl.DataFrame, tmp_path: Path) -> None:
    run = trained(frame)
    module = run.predictor.module
    matrix, _ = run.predictor.matrix(frame)
    single = []
    for place in range(2):
        module.weights.copy_(module.weights.new_tensor([float(place == 0), float(place == 1)]))
        module.temperature.fill_(1.0)
        run.predictor.__dict__.pop("_exact", None)
        single.append(run.predictor.outputs(matrix))
    fresh = wellfit.load(run.path)
    shares, heat = fresh.predictor.module.weights.numpy(), float(fresh.predictor.module.temperature)
    mixed = (np.tensordot(shares, np.stack(single), 1)) ** (1 / heat)
    assert np.allclose(fresh.predict_proba(frame), mixed / mixed.sum(1, keepdims=True), atol=1e-9)


def test_rows_are_scored_by_members_that_did_not_learn_them() -> None:
    # A network can learn noise by heart; what it says of other rows must still be chance.
    draw = np.random.default_rng(0)
    frame = pl.DataFrame({f"x{place}": draw.normal(size=240) for place in range(12)})
    frame = frame.with_columns(label=pl.Series(draw.choice(["a", "b"], 240)))
    train = {"epochs": 30, "batch_size": 64, "loss": "cce", "schedule": "constant", "early_stopping": None}
    by_heart = [{"type": "realmlp", "members": 8, "hidden": [64, 64], "train": train}]
    run = wellfit.train(
        frame, "label", out="noise", model={"type": "ensemble", "members": by_heart}, threads=1, report=False
    )
    learned = (run.predict(frame) == frame["label"].to_numpy()).mean()
    assert learned > 0.6
    assert abs(run.metrics["valid"]["accuracy"] - 0.5) < 0.12


def test_the_scores_on_held_out_rows_cover_training_and_validation_rows(frame: pl.DataFrame) -> None:
    run = trained(frame, split={"method": "random"})
    assert run.plan["rows"]["train"] + run.plan["rows"]["valid"] == 160 - run.plan["rows"]["test"]
    assert run.metrics["valid"]["log_loss"] > 0


def test_rows_that_belong_together_are_not_crossed(frame: pl.DataFrame) -> None:
    groups = pl.Series("group", [row % 16 for row in range(160)])
    run = trained(frame.with_columns(groups), split={"method": "group", "column": "group"})
    assert "judged on the validation rows" in (run.path / "log.txt").read_text()


def test_a_replay_gives_the_same_weights(command: Command, tmp_path: Path) -> None:
    Path("table.csv").write_text(csv_text(small_columns()))
    run = trained("table.csv")
    answer = command("train", "-c", run.path / "config.yaml", "--out", "again", "--json")
    assert answer.code == 0, answer.err
    files = [Path(folder, "model.safetensors").read_bytes() for folder in (run.path, "again")]
    assert files[0] == files[1]
    assert run.metrics == wellfit.load("again").metrics


def test_what_a_member_leaves_out_is_saved_where_the_first_network_has_it_otherwise(frame: pl.DataFrame) -> None:
    config = yaml.safe_load((trained(frame).path / "config.yaml").read_text())
    linear = config["model"]["members"][1]["train"]
    assert config["train"]["optimizer"]["name"] == "adam"
    assert (linear["optimizer"]["name"], linear["clip_norm"], linear["schedule"]["name"]) == ("nadam", 1.0, "cosine")
    assert not {"seed", "steps", "time", "class_weight", "l1"} & set(linear)


class Stop(wellfit.Callback):
    """Ends the process's work at an update, as Ctrl-C would between two."""

    def __init__(self, at: int) -> None:
        self.left = at

    def on_step(self, trainer: Any) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def stopped(at: int, **train: Any) -> Path:
    """Begin a run of `MEMBERS`, or of those the time allows, and stop it at an update of all stages together."""
    model = {"type": "ensemble", "members": None if "time" in train else MEMBERS}
    keys = {"data": {"source": "table.csv", "target": "label"}, "output": {"run": "stopped", "report": False}}
    config = from_mapping({**keys, "model": model, "train": {"threads": 1, "checkpoint_every": 1, **train}})
    with pytest.raises(Interrupted):
        train_run(config, callbacks=[Stop(at)])
    return Path("stopped")


def test_a_run_stopped_after_its_last_update_goes_on_to_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("table.csv").write_text(csv_text(small_columns()))
    whole = trained("table.csv")
    with monkeypatch.context() as patched:
        patched.setattr("wellfit.recording._evaluation", lambda outcome: signal.raise_signal(signal.SIGINT))
        with pytest.raises(Interrupted):
            trained("table.csv", "stopped", checkpoint_every=1)
    resumed = resume_run("stopped")
    for name in ("model.safetensors", "history.parquet", "findings.json", "metrics.json", "evaluation.json"):
        assert (whole.path / name).read_bytes() == (resumed.path / name).read_bytes(), name


@pytest.mark.parametrize("at", [2, 13, 16])
def test_a_run_stopped_in_any_stage_goes_on_to_the_same_bits(at: int) -> None:
    Path("table.csv").write_text(csv_text(small_columns()))
    whole = trained("table.csv")
    resumed = resume_run(stopped(at))
    for name in ("model.safetensors", "history.parquet", "findings.json", "metrics.json", "evaluation.json"):
        assert (whole.path / name).read_bytes() == (resumed.path / name).read_bytes(), name


def test_a_timed_run_stopped_while_its_folder_is_written_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("table.csv").write_text(csv_text(small_columns()))
    endless = [{**member, "train": {**member["train"], "epochs": 10**6}} for member in MEMBERS]
    with monkeypatch.context() as patched:
        patched.setattr("wellfit.recording.RunFolder.write_history", lambda *_: signal.raise_signal(signal.SIGINT))
        with pytest.raises(Interrupted):
            wellfit.train(
                "table.csv", "label", out="cut", model={"type": "ensemble", "members": endless}, time="3s", threads=1
            )
    members = yaml.safe_load(Path("cut", "config.yaml").read_text())["model"]["members"]
    assert all(member["train"]["steps"] > 0 for member in members)
    weights = Path("cut", "model.safetensors").read_bytes()
    assert (resume_run("cut").path / "model.safetensors").read_bytes() == weights


def test_a_timed_run_that_was_stopped_still_has_its_updates_before_it() -> None:
    Path("table.csv").write_text(csv_text(small_columns()))
    resumed = resume_run(stopped(2, time="8s"))
    assert resumed.folder.read_versioned("model.json")["steps"] > 100


def test_test_rows_change_nothing(frame: pl.DataFrame) -> None:
    parts = pl.Series("part", ["test" if row % 5 == 0 else "valid" if row % 5 == 1 else "train" for row in range(160)])
    dealt = frame.with_columns(parts)
    other = dealt.with_columns(
        size=pl.when(pl.col("part") == "test").then(-pl.col("size")).otherwise("size"),
        label=pl.when(pl.col("part") == "test").then(pl.lit("no")).otherwise("label"),
    )
    runs = [
        trained(rows, name, split={"method": "column", "column": "part"}) for rows, name in ((dealt, "a"), (other, "b"))
    ]
    assert len({(run.path / "model.safetensors").read_bytes() for run in runs}) == 1
    assert runs[0].metrics["test"] != runs[1].metrics["test"]


def test_the_members_are_settled_by_the_time_and_saved(frame: pl.DataFrame) -> None:
    run = wellfit.train(frame, "label", out="timed", time="6s", threads=1, report=False)
    members = yaml.safe_load((run.path / "config.yaml").read_text())["model"]["members"]
    assert [member["type"] for member in members][:2] == ["linear", "realmlp"]
    assert all(member["train"]["epochs"] >= 1 for member in members)
    assert not (run.path / "checkpoint").exists()


def test_too_little_time_gives_the_linear_model_and_says_so(frame: pl.DataFrame) -> None:
    run = wellfit.train(frame, "label", out="hasty", time="0.5s", threads=1, report=False)
    assert [member["type"] for member in run.folder.read_versioned("model.json")["options"]["members"]] == ["linear"]
    assert "linear" in (run.path / "log.txt").read_text()


def test_members_that_are_none_are_refused_with_their_names(frame: pl.DataFrame) -> None:
    with pytest.raises(ConfigError, match="realmlp"):
        wellfit.train(frame, "label", model={"type": "ensemble", "members": [{"type": "realmpl"}]}, report=False)
    with pytest.raises(ConfigError, match="members"):
        from_mapping({"model": {"type": "ensemble", "members": 3}})
    broken = [{"type": "linear", "train": {"epochs": 0}}]
    with pytest.raises(ConfigError, match="epochs"):
        wellfit.train(frame, "label", model={"type": "ensemble", "members": broken}, report=False)


def test_what_looks_at_one_network_gets_the_first(frame: pl.DataFrame) -> None:
    keys = {"data": {"target": "label"}}
    given = of_one_network(prepare(from_mapping({**keys, "model": {"type": "ensemble", "members": MEMBERS}}), frame))
    assert (given.config.model["type"], given.config.model["members"], given.config.train.epochs) == ("realmlp", 1, 3)
    default = of_one_network(prepare(from_mapping(keys), frame))
    assert (default.config.model["type"], default.config.train.epochs) == ("realmlp", 256)
    assert of_one_network(prepare(from_mapping({**keys, "model": "mlp"}), frame)).config.model["type"] == "mlp"
