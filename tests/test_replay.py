"""A run's ``config.yaml`` trains the same weights again, bit for bit; a config that is wrong writes nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import wellfit
from small import QUICK, QUICK_OPTIONS, Command, csv_text, small_columns
from wellfit.config import load_config, unresolved
from wellfit.optimizers import OPTIMIZERS


def replayed(command: Command, run: Path, *options: str) -> wellfit.Run:
    """Train anew from the config that a run has left, into another folder."""
    answer = command("train", "-c", run / "config.yaml", "--out", f"{run}-again", "--json", *options)
    assert answer.code == 0, answer.err
    return wellfit.load(answer.record["run"])


def same(first: wellfit.Run, second: wellfit.Run) -> bool:
    weights = [(run.path / "model.safetensors").read_bytes() for run in (first, second)]
    return weights[0] == weights[1] and first.history == second.history


def expect_same(first: wellfit.Run, second: wellfit.Run) -> None:
    assert first.history == second.history
    assert same(first, second)
    assert first.metrics == second.metrics
    for name in ("plan.json", "model.json", "evaluation.json"):
        texts = [re.sub(r'"read_at": "[^"]+"', "", (run.path / name).read_text()) for run in (first, second)]
        assert texts[0] == texts[1], name


@pytest.fixture
def trained(command: Command, table: Path) -> Any:
    def train(*options: str) -> wellfit.Run:
        answer = command("train", table, "--target", "label", "--out", "first", "--json", *options)
        assert answer.code == 0, answer.err
        return wellfit.load("first")

    return train


def test_the_defaults_are_resolved_and_train_the_same(trained: Any, command: Command) -> None:
    run = trained("-o", "train.epochs=3", "-o", "train.threads=1", "-o", "output.report=false")
    assert unresolved(load_config(run.path / "config.yaml").config) == []
    expect_same(run, replayed(command, run.path))


CHANGES = {
    "no schedule": ("-o", "train.schedule=null"),
    "warm-up": ("-o", "train.schedule={name: warmup, share: 0.3}"),
    "plateau": ("-o", "train.schedule=plateau"),
    "embeddings": ("-o", "features.encode=embedding"),
    "ordinal": ("-o", "features.encode=ordinal", "-o", "features.scale=quantile"),
    "dropout": ("-o", "model.dropout=0.4", "-o", "model.norm=layer"),
    "wide": ("-o", "model.hidden=[9, 3]", "-o", "model.activation=tanh", "-o", "model.residual=false"),
    "penalties": ("-o", "train.l1=0.01", "-o", "train.l2=0.003", "-o", "train.clip_value=0.1"),
    "noise": ("-o", "train.augment={noise: 0.2}"),
    "averaged": ("-o", "train.ema=0.9"),
    "accumulated": ("-o", "train.accumulate=3", "-o", "train.batch_size=7"),
    "parts of the rows": ("-o", "train.epoch_steps=3"),
    "balanced": ("-o", "train.class_weight=balanced"),
    "weights by class": ("-o", "train.class_weight={yes: 3.5}"),
    "focal loss": ("-o", "train.loss={name: focal, gamma: 1.5}"),
    "a metric": ("-o", "train.metric=auc"),
    "seed": ("--seed", "7"),
    "other split": ("-o", "split.method=random", "-o", "split.seed=5", "-o", "split.test=0.3"),
    "checkpoints": ("-o", "train.checkpoint_every=2"),
    "a column stated": ("-o", "features.columns={age: {type: category}, kind: {type: drop}}"),
    "no clipping": ("-o", "train.clip_norm=null", "-o", "train.early_stopping=null"),
    "half-width": ("-o", "train.precision=bfloat16"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_settings_train_the_same(trained: Any, command: Command, change: str) -> None:
    run = trained(*QUICK_OPTIONS, *CHANGES[change])
    assert unresolved(load_config(run.path / "config.yaml").config) == []
    expect_same(run, replayed(command, run.path))


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_each_optimizer_trains_the_same(trained: Any, command: Command, name: str) -> None:
    run = trained(*QUICK_OPTIONS, "-o", f"train.optimizer={name}")
    assert isinstance(run.config["train"]["optimizer"]["lr"], float)
    expect_same(run, replayed(command, run.path))


def test_another_seed_trains_otherwise(trained: Any, command: Command) -> None:
    run = trained(*QUICK_OPTIONS)
    assert not same(run, replayed(command, run.path, "--seed", "1"))


def test_a_regression_trains_the_same(command: Command, tmp_path: Path) -> None:
    columns = small_columns()
    (tmp_path / "r.csv").write_text(csv_text({**columns, "label": [round(3 * size, 3) for size in columns["size"]]}))
    run = wellfit.train(tmp_path / "r.csv", "label", out="first", **QUICK)
    assert run.task == "regression"
    expect_same(run, replayed(command, run.path))


def test_a_run_that_time_ended_is_replayed_by_its_steps(command: Command, trained: Any) -> None:
    run = trained(*QUICK_OPTIONS, "-o", "train.epochs=100000", "-o", "train.early_stopping=null", "--time", "1.5s")
    config = run.config["train"]
    assert config["time"] is None
    steps = int(run.history.to_frame()["step"].max() or 0)
    assert 0 < config["steps"] < 100000
    assert steps <= config["steps"]
    again = replayed(command, run.path)
    assert (again.path / "model.safetensors").read_bytes() == (run.path / "model.safetensors").read_bytes()
    assert again.history == run.history


def test_rows_in_memory_are_replayed_with_the_same_rows(tmp_path: Path) -> None:
    columns = small_columns()
    run = wellfit.train(columns, "label", out=str(tmp_path / "first"), **QUICK)
    config = yaml.safe_load((run.path / "config.yaml").read_text())
    del config["output"], config["version"]
    again = wellfit.train(columns, out=str(tmp_path / "second"), **config, report=False)
    assert same(run, again)


def test_the_config_is_found_from_another_folder(
    trained: Any, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(*QUICK_OPTIONS)
    path = run.path.resolve()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    expect_same(wellfit.load(path), replayed(command, path))


WRONG = {
    "unknown section": ("trian:\n  epochs: 3\n", 1, "train"),
    "unknown key": ("train:\n  epochs: 3\n  learning_rate: 1\n", 3, "learning_rate"),
    "misspelt key": ("train:\n  epohcs: 3\n", 2, "epochs"),
    "unknown optimizer": ("train:\n  optimizer: adamm\n", 2, "adam"),
    "unknown option": ("train:\n  optimizer: {name: adam, beta: 0.9}\n", 2, "beta2"),
    "text for a number": ("train:\n  epochs: many\n", 2, "many"),
    "a fraction for a whole number": ("train:\n  epochs: 2.5\n", 2, "2.5"),
    "truth for a number": ("train:\n  epochs: true\n", 2, "true"),
    "out of range": ("model:\n  dropout: 1.5\n", 2, "1.5"),
    "negative": ("train:\n\n  l2: -1\n", 3, "-1"),
    "not a number": ("train:\n  l2: .nan\n", 2, "nan"),
    "a list for a mapping": ("train: [1, 2]\n", 1, "train"),
    "impossible split": ("split:\n  test: 0.6\n  valid: 0.5\n", 3, "1.1"),
    "impossible combination": ("split:\n  method: column\n", 2, "column"),
    "several targets": ("data:\n  target: [a, b]\n", 2, "one target"),
    "multilabel": ("data:\n  task: multilabel\n", 2, "multilabel"),
    "key given twice": ("train:\n  epochs: 3\n  epochs: 4\n", 3, "epochs"),
    "tag": ("train:\n  epochs: !!python/object/apply:os.system [ls]\n", 2, "tag"),
    "broken yaml": ("train: {epochs: 3\n", 2, ""),
    "tab": ("train:\n\tepochs: 3\n", 2, ""),
    "two documents": ("version: 1\n---\nversion: 1\n", 2, ""),
    "a later version": ("version: 99\n", 1, "99"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_config_is_one_line_with_its_place(command: Command, table: Path, tmp_path: Path, kind: str) -> None:
    text, line, said = WRONG[kind]
    (tmp_path / "run.yaml").write_text(text)
    answer = command("train", table, "--target", "label", "-c", "run.yaml", "--out", "run")
    assert answer.code == 2
    assert answer.err.count("\n") == 1
    assert answer.errors == [answer.err.strip()]
    assert re.search(rf"run\.yaml:{line}\b|run\.yaml,? line {line}\b", answer.err), answer.err
    assert said in answer.err
    assert not answer.out
    assert [path.name for path in tmp_path.iterdir()] == ["run.yaml"]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("train.epohcs=3", "epochs"),
        ("train.epochs", "dotted.key=value"),
        ("train.epochs=x", "'x'"),
        ("=3", "dotted.key=value"),
        ("train.optimizer.lr=-1", "-1"),
        ("train.optimizer=[adam]", "adam"),
        ("model.hidden=[0]", "0"),
        ("a..b=3", "a..b"),
        ("train={", "train={"),
    ],
)
def test_a_wrong_override_is_one_line(command: Command, table: Path, tmp_path: Path, option: str, said: str) -> None:
    answer = command("train", table, "--target", "label", "--out", "run", "-o", option)
    assert answer.code == 2
    assert answer.errors == [answer.err.strip()]
    assert said in answer.err
    assert list(tmp_path.iterdir()) == []


def test_an_unreadable_config_is_one_line(command: Command, tmp_path: Path) -> None:
    for name, content in {"missing.yaml": None, "binary.yaml": b"\x00\xff\xfe", "list.yaml": b"- 1\n"}.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        answer = command("train", "-c", name)
        assert answer.code == 2
        assert answer.errors == [answer.err.strip()], name
        assert name in answer.err
