"""What is searched: given ranges are checked against their keys; models and optimizers have ranges of their own."""

from __future__ import annotations

from typing import Any

import pytest

from wellfit.config import Config, from_mapping, with_recipe
from wellfit.errors import ConfigError
from wellfit.models import MODELS
from wellfit.optimizers import OPTIMIZERS
from wellfit.tuning.dimensions import Dimension
from wellfit.tuning.settings import setting_at, with_settings
from wellfit.tuning.space import default_space, given_space, portfolio


def searched(search: dict[str, Any], **sections: Any) -> tuple[Dimension, ...]:
    return given_space(from_mapping({**sections, "tune": {"search": search}}))


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("split.test", "compared on the same rows"),
        ("data.target", "which rows"),
        ("train.metric", "same metric"),
        ("train.seed", "no setting that carries over"),
        ("train.time", "how a training is run"),
        ("tune.trials", "does not search itself"),
    ],
)
def test_what_decides_the_comparison_is_not_searched(key: str, said: str) -> None:
    with pytest.raises(ConfigError, match=rf"'{key}' can't be searched: .*{said}"):
        searched({key: [1, 2]})


@pytest.mark.parametrize(
    ("search", "said"),
    [
        ({"train.lr": "log(1e-4, 1e-2)"}, "belongs under train.optimizer|not a key of train"),
        ({"model.dropout": "uniform(0, 1.5)"}, r"'dropout' of mlp must be .*Got 1.5"),
        ({"train.epochs": "int(0, 5)"}, "'epochs' of train must be .*Got 0"),
        ({"train.optimizer.name": ["adam", "adamm"]}, "no such optimizer"),
        ({"features.scale": ["robust", "huge"]}, "scaler"),
        ({"train.optimizer.lr": ["fast", "slow"]}, "'lr' of"),
    ],
)
def test_a_value_that_its_key_refuses_is_said_in_one_sentence(search: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        searched(search, model={"type": "mlp"})
    assert "\n" not in str(caught.value)


def test_whole_numbers_are_drawn_for_keys_that_take_no_others() -> None:
    found = {one.key: one for one in searched({"train.batch_size": "log(32, 512)", "train.l2": "uniform(0, 1)"})}
    assert found["train.batch_size"].whole
    assert not found["train.l2"].whole


def test_options_of_one_member_are_drawn_with_it_alone() -> None:
    found = searched({"train.optimizer.beta1": "uniform(0.8, 0.99)", "train.optimizer.name": ["adam", "minibatch"]})
    assert [one.key for one in found] == ["train.optimizer.name", "train.optimizer.beta1"]
    beta = found[1]
    assert beta.belongs({"train.optimizer.name": "adam"})
    assert not beta.belongs({"train.optimizer.name": "minibatch"})


def test_another_member_comes_with_its_own_options() -> None:
    config = from_mapping({"train": {"optimizer": {"name": "nadam", "momentum_decay": 0.1}}})
    changed = with_settings(config, {"train.optimizer.lr": 0.1, "train.optimizer.name": "minibatch"})
    assert dict(changed.train.optimizer)["name"] == "minibatch"
    assert dict(changed.train.optimizer)["lr"] == 0.1


TABLE_MODELS = [
    name for name, entry in MODELS.items() if any(option.search or option.candidates for option in entry.options)
]


@pytest.mark.parametrize("name", TABLE_MODELS)
def test_every_architecture_has_ranges(name: str) -> None:
    config = from_mapping({"model": {"type": name}})
    keys = [one.key for one in default_space(config, _resolved(config), rows=10_000)]
    assert "train.optimizer.lr" in keys
    assert any(key.startswith("model.") for key in keys)


@pytest.mark.parametrize("rows", [300, 60_000])
def test_a_network_for_images_is_searched_about_its_own_rate_and_not_over_columns(rows: int) -> None:
    config = from_mapping({"model": "convnet"})
    recipe = with_recipe(config, task="multiclass", rows=rows)
    tried = [{"translate": 2}, {}, {"translate": 2, "cutout": 8}]
    found = {one.key: one for one in default_space(config, recipe, rows, augmentations=tried)}
    rate = recipe.train.optimizer["lr"]
    assert found["train.optimizer.lr"].range.ends == (rate / 8, rate * 4)
    assert found["train.augment"].range.values == tuple(tried)
    assert "model.widths" in found
    assert not any(key.startswith("features.") for key in found)


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_every_optimizer_has_ranges(name: str) -> None:
    config = from_mapping({"model": {"type": "mlp"}, "train": {"optimizer": {"name": name}}})
    found = {one.key: one for one in default_space(config, _resolved(config), rows=10_000)}
    low, high = OPTIMIZERS[name].lr_range
    assert found["train.optimizer.lr"].range.ends == (low, high)
    for one in found.values():
        for end in one.range.ends:
            with_settings(config, {one.key: end})


def test_what_a_person_set_is_left_as_it_is() -> None:
    config = from_mapping({"model": {"type": "mlp", "dropout": 0.3}, "train": {"optimizer": {"lr": 0.01}}})
    keys = [one.key for one in default_space(config, _resolved(config), rows=10_000)]
    assert "model.dropout" not in keys
    assert "train.optimizer.lr" not in keys
    assert "model.hidden" in keys


def test_the_default_stands_in_the_space() -> None:
    config = from_mapping({"model": {"type": "mlp"}})
    resolved = _resolved(config)
    for one in default_space(config, resolved, rows=10_000):
        if one.range.kind == "list":
            assert one.drawn(setting_at(resolved, one.key)) is not None


@pytest.mark.parametrize("name", TABLE_MODELS)
def test_settings_that_are_tried_first_lie_in_the_space_and_are_taken(name: str) -> None:
    config = from_mapping({"model": {"type": name}})
    resolved = _resolved(config)
    found = portfolio(resolved, default_space(config, resolved, rows=500))
    assert len(found) == len(MODELS[name].portfolio)
    for settings in found:
        with_settings(config, settings)


def test_their_rate_is_a_part_of_the_usual_one() -> None:
    config = from_mapping({"model": {"type": "mlp"}})
    resolved = _resolved(config)
    rates = [its["train.optimizer.lr"] for its in portfolio(resolved, default_space(config, resolved, rows=500))]
    parts = [its["train.optimizer.lr"] for its in MODELS["mlp"].portfolio]
    assert rates == [part * setting_at(resolved, "train.optimizer.lr") for part in parts]


@pytest.mark.parametrize("given", [{"model": {"type": "mlp", "dropout": 0.3}}, {"features": {"scale": "standard"}}])
def test_they_are_tried_whole_or_not_at_all(given: dict[str, Any]) -> None:
    config = from_mapping({"model": {"type": "mlp"}, **given})
    resolved = _resolved(config)
    assert portfolio(resolved, default_space(config, resolved, rows=500)) == []


def test_values_of_a_list_may_be_lists() -> None:
    (one,) = searched({"model.hidden": [[8], [8, 8]]}, model={"type": "mlp"})
    assert list(one.value(one.drawn((8, 8)))) == [8, 8]
    assert one.drawn((9,)) is None


def _resolved(config: Config) -> Config:
    name = config.train.optimizer["name"]
    rule = OPTIMIZERS[name].batch_rule
    size = {} if rule == "full" else {"train.batch_size": 1 if rule == "single" else 64}
    return with_settings(config, {"train.optimizer.lr": OPTIMIZERS[name].lr, "features.scale": "robust", **size})
