"""Sections and their defaults, combinations, keywords, what a run resolves, the JSON Schema."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import pytest
from pydantic import ValidationError

from wellfit import config as wc
from wellfit.errors import ConfigError
from wellfit.losses import LOSSES
from wellfit.metrics import METRICS
from wellfit.models import MODELS
from wellfit.optimizers import OPTIMIZERS
from wellfit.schedules import SCHEDULES


def test_the_defaults_are_those_of_the_format():
    config = wc.from_mapping({})
    assert config == wc.Config()
    assert (config.split.test, config.split.valid, config.split.seed) == (0.2, 0.16, 42)
    assert config.train.optimizer["name"] == "nadam"
    assert config.train.optimizer["lr"] == "auto"
    assert config.train.early_stopping == wc.EarlyStopping(patience=10)
    assert (config.model["type"], config.model["members"]) == ("ensemble", None)
    assert wc.from_mapping({"model": {}}).model["hidden"] == (256, 256)


def test_importing_the_package_loads_no_torch_and_no_table_library():
    code = "import sys, wellfit.config; print([m for m in ('torch', 'polars', 'sklearn') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_a_config_does_not_change():
    config = wc.from_mapping({})
    with pytest.raises(ValidationError):
        config.train.epochs = 3
    with pytest.raises(TypeError):
        config.model["hidden"] = [1]


def test_a_config_is_copied_and_pickled_as_it_is():
    config = wc.from_mapping(
        {"train": {"class_weight": {0: 1, 1: 2.5}}, "features": {"columns": {7: {"type": "drop"}}}}
    )
    assert config.train.class_weight == {"0": 1.0, "1": 2.5}
    assert copy.deepcopy(config) == config == pickle.loads(pickle.dumps(config))  # noqa: S301


def test_members_of_families_get_all_their_options():
    config = wc.from_mapping({"train": {"optimizer": {"name": "adam", "beta1": 0.8}, "loss": "huber"}})
    assert config.train.optimizer == {**OPTIMIZERS.choose({"name": "adam", "beta1": 0.8}).spec(), "lr": "auto"}
    assert config.train.loss == LOSSES.choose("huber").spec()
    assert wc.model_spec(config) == MODELS.choose("mlp").spec()


@pytest.mark.parametrize("lr", [None, "auto"])
def test_null_leaves_a_rate_and_a_batch_size_to_the_training(lr):
    config = wc.from_mapping({"train": {"optimizer": {"name": "adam", "lr": lr}, "batch_size": lr}})
    assert (config.train.optimizer["lr"], config.train.batch_size) == ("auto", "auto")


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_stands_beside_the_defaults(name):
    config = wc.from_mapping({"train": {"optimizer": name}})
    assert wc.parse_config(wc.to_yaml(config)).config == config


@pytest.mark.parametrize(
    ("key", "name"),
    [
        *(("loss", name) for name in LOSSES),
        *(("schedule", name) for name in SCHEDULES),
        *(("metric", n) for n in METRICS),
    ],
)
def test_every_member_can_be_named(key, name):
    config = wc.from_mapping({"train": {key: name}})
    assert name in (
        getattr(config.train, key),
        dict(getattr(config.train, key)).get("name") if key != "metric" else None,
    )


def test_defaults_give_way_to_an_optimizer_that_refuses_them_and_given_ones_do_not():
    config = wc.from_mapping({"train": {"optimizer": "lbfgs"}})
    assert (config.train.clip_norm, config.train.augment, config.model["dropout"]) == (None, "none", 0.0)
    with pytest.raises(ConfigError, match="lbfgs can't be combined with 'clip_norm' of train"):
        wc.from_mapping({"train": {"optimizer": "lbfgs", "clip_norm": 1.0}})
    with pytest.raises(ConfigError, match="lbfgs can't be combined with 'dropout' of model"):
        wc.from_mapping({"train": {"optimizer": "lbfgs"}, "model": {"dropout": 0.5}})


def test_defaults_give_way_to_one_row_an_update_and_to_no_validation_rows():
    assert wc.from_mapping({"train": {"optimizer": "sgd"}}).model["norm"] == "layer"
    assert wc.from_mapping({"split": {"valid": 0}}).train.early_stopping is None
    with pytest.raises(ConfigError, match="two rows or more"):
        wc.from_mapping({"train": {"batch_size": 1}, "model": {"norm": "batch"}})


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("2m", 120.0), ("90s", 90.0), ("1h30m", 5400.0), (45, 45.0), (0.5, 0.5), ("1.5m", 90.0), ("60", 60.0)],
)
def test_a_time_is_seconds(given, seconds):
    assert wc.from_mapping({"train": {"time": given}}).train.time == seconds


def test_a_number_as_text_is_neither_updates_nor_seconds():
    assert wc.from_mapping({"train": {"checkpoint_every": "30s"}}).train.checkpoint_every == "30s"
    with pytest.raises(ConfigError, match="Try 500s"):
        wc.from_mapping({"train": {"checkpoint_every": "500"}})


IMPOSSIBLE = {
    "several targets": ({"data": {"target": ["a", "b"]}}, "wellfit trains one target at a time"),
    "multilabel": ({"data": {"task": "multilabel"}}, "wellfit trains one target at a time"),
    "shares": ({"split": {"test": 0.5, "valid": 0.5}}, "their sum must be below 1"),
    "column without its method": ({"split": {"column": "part"}}, "Try method: column"),
    "method without its column": ({"split": {"method": "column"}}, "Add column: NAME"),
    "time without its column": ({"split": {"method": "time"}}, "'column', the column that tells when each row was"),
    "another word for time": ({"split": {"method": "temporal", "column": "at"}}, "Did you mean 'time'?"),
    "another word for folds": ({"split": {"method": "kfold"}}, "Set split.folds beside any method."),
    "a fold without folds": ({"split": {"fold": 2}}, "Set folds to 3 or more."),
    "a fold beyond the last": ({"split": {"fold": 5, "folds": 5}}, "'fold' of split must be one of the folds"),
    "folds and a file": ({"data": {"valid": "v.csv"}, "split": {"folds": 5}}, "Leave out one of them."),
    "a file of valid rows and a column": (
        {"data": {"valid": "v.csv"}, "split": {"method": "column", "column": "p"}},
        "'valid' of data is a table of its own",
    ),
    "files without a file": ({"split": {"method": "files"}}, "Add data.test"),
    "a file and a column": (
        {"data": {"test": "t.csv"}, "split": {"method": "column", "column": "part"}},
        "Leave out one of them",
    ),
    "loss of another task": (
        {"data": {"task": "regression"}, "train": {"loss": "cce"}},
        "'cce' is no loss for a regression target. Try auto, mse",
    ),
    "metric of another task": (
        {"data": {"task": "binary"}, "train": {"metric": "rmse"}},
        "'rmse' is no metric for a bin",
    ),
    "weights of no classes": (
        {"data": {"task": "regression"}, "train": {"class_weight": "balanced"}},
        "a regression has none",
    ),
    "batch of another rule": ({"train": {"optimizer": "sgd", "batch_size": 32}}, "Got 32. Use minibatch"),
    "decay twice": ({"train": {"optimizer": "adamw", "weight_decay": 0.1}}, "adamw decays weights by itself"),
    "plateau without validation": ({"train": {"schedule": "plateau"}, "split": {"valid": 0}}, "no validation rows"),
    "stopping without validation": ({"train": {"early_stopping": {}}, "split": {"valid": 0}}, "needs validation rows"),
}


@pytest.mark.parametrize(("given", "said"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_impossible_combinations_are_one_sentence(given, said):
    with pytest.raises(ConfigError) as caught:
        wc.from_mapping(given)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unresolved_names_what_is_auto_and_nothing_that_is_named_auto():
    config = wc.from_mapping({"data": {"source": "auto", "target": "auto"}, "train": {"device": "cpu"}, "model": "mlp"})
    paths = wc.unresolved(config)
    assert "train.optimizer.lr" in paths
    assert "model.init" in paths
    assert not {"data.source", "data.target", "train.device", "clean.missing"} & set(paths)


def test_with_values_resolves_every_auto():
    values = {
        "data.task": "binary",
        "data.header": True,
        "data.streamed": False,
        "split.method": "stratified",
        "features.scale": "standard",
        "features.encode": "embedding",
        "model.init": "he_normal",
        "train.loss": "bce",
        "train.optimizer.lr": 0.001,
        "train.batch_size": 256,
        "train.metric": "log_loss",
        "train.class_weight": "none",
        "train.threshold": None,
        "train.precision": "float32",
        "train.compile": False,
        "train.augment": "none",
        "train.device": "cpu",
        "train.threads": 2,
        "train.checkpoint_every": None,
    }
    config = wc.with_values(wc.from_mapping({"model": "mlp"}), values)
    assert wc.unresolved(config) == []
    assert config.train.optimizer["lr"] == 0.001
    with pytest.raises(ConfigError, match="'threads' of train must be"):
        wc.with_values(config, {"train.threads": 0})


def test_keywords_find_their_section():
    document = wc.from_keywords(
        lr=0.01, optimizer="adam", target="y", seed=7, time="30s", model="mlp", train={"epochs": 5}, valid=0.1
    )
    config = wc.from_mapping(document)
    assert (config.train.seed, config.split.seed) == (7, 42)
    assert (config.train.optimizer["name"], config.train.optimizer["lr"]) == ("adam", 0.01)
    assert (config.data.target, config.train.time, config.train.epochs, config.split.valid) == ("y", 30.0, 5, 0.1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"epoch": 3}, "There is no setting 'epoch'. Got 3. Did you mean 'epochs'?"),
        ({"test": 0.1}, "'test' stands in data and in split"),
        ({"epochs": "x"}, "keyword epochs: 'epochs' of train must be a whole number"),
        ({"train": {"epohcs": 1}}, "'epohcs' is not a key of train. Did you mean 'epochs'?"),
        ({"train": 5, "epochs": 3}, "'train' has no keys of its own"),
    ],
)
def test_wrong_keywords_are_one_sentence(given, said):
    with pytest.raises(ConfigError) as caught:
        wc.from_mapping(wc.from_keywords(**given))
    assert said in str(caught.value)


def test_sections_made_by_hand_are_taken():
    assert wc.from_mapping({"train": wc.Train(epochs=3)}).train.epochs == 3
    assert wc.from_mapping({"train": wc.Train(epochs=3), "split": {"valid": 0}}).train.early_stopping is None


def test_the_schema_has_every_key_and_the_ranges_of_the_families():
    schema = wc.json_schema()
    assert list(schema["properties"]) == list(wc.Config.model_fields)
    train = schema["$defs"]["Train"]["properties"]
    assert list(train) == list(wc.Train.model_fields)
    assert all(field.get("description") for field in train.values() if "$ref" not in field and "anyOf" not in field)
    members = {part.get("title"): part for part in train["optimizer"]["anyOf"]}
    assert set(members) == {None, *OPTIMIZERS}
    assert members["adam"]["properties"]["beta1"]["exclusiveMaximum"] == 1.0
    assert train["epochs"]["minimum"] == 1


def test_the_schema_accepts_what_a_run_saves():
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(wc.as_mapping(wc.from_mapping({"train": {"class_weight": {"a": 2}}})), wc.json_schema())
