"""What an architecture wants is laid under what was given."""

from __future__ import annotations

from typing import Any

import pytest

from wellfit.config import Config, from_mapping, parse_config, to_yaml, with_recipe, with_values
from wellfit.config.recipes import given_settings


def settled(train: dict[str, Any] | None = None, task: str = "regression", **sections: Any) -> Config:
    config = from_mapping({"model": "realmlp", **({} if train is None else {"train": train}), **sections})
    return with_recipe(config, task=task, rows=1000)


def test_what_was_left_out_is_as_the_architecture_wants_it() -> None:
    config = settled()
    assert config.train.optimizer == {"name": "adam", "lr": 0.2, "beta1": 0.9, "beta2": 0.95, "eps": 1e-8}
    assert (config.train.epochs, config.train.clip_norm, config.train.weight_decay) == (256, None, 0.02)
    assert config.train.schedule["name"] == "coslog4"
    assert config.features.scale == "robust"
    assert config.features.encode["onehot_up_to"] == 0
    assert config.train.early_stopping.restore_best
    assert settled(task="binary").train.optimizer["lr"] == 0.04
    assert settled(task="binary").train.loss["name"] == "cce"


def test_what_was_given_wins() -> None:
    train = {"epochs": 3, "optimizer": "nadam", "clip_norm": 1.0, "early_stopping": None, "batch_size": "auto"}
    config = settled(train, features={"scale": "standard"})
    assert (config.train.epochs, config.train.optimizer["name"], config.train.clip_norm) == (3, "nadam", 1.0)
    assert config.train.early_stopping is None
    assert config.features.scale == "standard"
    assert config.train.batch_size == 256


def test_an_option_alone_is_filled_with_the_others() -> None:
    assert settled({"optimizer": {"lr": 0.1}}).train.optimizer["lr"] == 0.1
    assert settled({"optimizer": {"lr": 0.1}}).train.optimizer["name"] == "adam"
    assert settled({"optimizer": {"lr": 0.1}}).train.optimizer["beta2"] == 0.95
    assert settled({"optimizer": {"name": "adam", "lr": "auto"}}).train.optimizer["lr"] == 0.2
    assert settled({"optimizer": {"name": "nadam", "lr": "auto"}}).train.optimizer["lr"] == "auto"
    assert settled({"early_stopping": {"patience": 5}}).train.early_stopping.patience == 5


def test_what_is_wanted_gives_way_to_what_it_can_not_stand_beside() -> None:
    config = settled(split={"valid": 0, "test": 0.2})
    assert config.train.early_stopping is None
    assert settled({"optimizer": "sgd"}).train.batch_size == "auto"


@pytest.mark.parametrize("model", ["mlp", "realmlp"])
def test_changes_keep_what_was_given_apart_from_defaults(model: str) -> None:
    config = from_mapping({"model": model, "train": {"optimizer": {"name": "adam"}}})
    changed = with_values(config, {"train.seed": 4})
    assert given_settings(changed) == {
        "model": {"type": model},
        "train": {"optimizer": {"name": "adam"}, "seed": 4},
    }
    assert changed == from_mapping({"model": model, "train": {"optimizer": "adam", "seed": 4}})


def test_a_saved_config_is_not_filled_again() -> None:
    config = with_values(settled(), {"train.optimizer.lr": 0.3, "train.epochs": 7})
    loaded = parse_config(to_yaml(config)).config
    assert with_recipe(loaded, task="regression", rows=10) == loaded == config


def test_an_architecture_without_wishes_changes_nothing() -> None:
    config = from_mapping({"train": {"epochs": 3}, "model": "mlp"})
    assert with_recipe(config, task="binary", rows=10) is config
