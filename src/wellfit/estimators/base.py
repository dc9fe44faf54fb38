"""What both estimators share: parameters to a config, training, prediction."""

from __future__ import annotations

import time as clock
from collections.abc import Mapping
from inspect import signature
from typing import Any, Self

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator
from sklearn.utils import Tags, check_consistent_length, check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from wellfit.config import Config, Document, as_mapping, from_keywords, from_mapping, with_values
from wellfit.errors import ConfigError
from wellfit.estimators.rows import Array, rows_of, unused_name
from wellfit.experiment import Experiment
from wellfit.prediction import Prediction
from wellfit.preparation import prepare_table

__all__ = ["PLACES", "Estimator"]

PLACES = {
    "hidden": ("model", "hidden"),
    "activation": ("model", "activation"),
    "norm": ("model", "norm"),
    "dropout": ("model", "dropout"),
    "loss": ("train", "loss"),
    "optimizer": ("train", "optimizer"),
    "lr": ("train", "optimizer", "lr"),
    "batch_size": ("train", "batch_size"),
    "epochs": ("train", "epochs"),
    "schedule": ("train", "schedule"),
    "patience": ("train", "early_stopping", "patience"),
    "l1": ("train", "l1"),
    "l2": ("train", "l2"),
    "weight_decay": ("train", "weight_decay"),
    "clip_norm": ("train", "clip_norm"),
    "validation_fraction": ("split", "valid"),
    "time": ("train", "time"),
}
"""Where each parameter stands in a config; an optimizer's name before its options."""


class Estimator(BaseEstimator):  # type: ignore[misc]
    """What both estimators share: parameters to a config, rows to a table, training, prediction."""

    def __init__(
        self,
        *,
        hidden: tuple[int, ...] = (256, 256),
        activation: str = "relu",
        norm: str = "batch",
        dropout: float = 0.1,
        loss: Any = "auto",
        optimizer: Any = "nadam",
        lr: float | None = None,
        batch_size: int | None = None,
        epochs: int = 100,
        schedule: Any = "cosine",
        patience: int | None = 10,
        l1: float = 0.0,
        l2: float = 0.0,
        weight_decay: float = 0.0,
        clip_norm: float | None = 1.0,
        validation_fraction: float = 0.16,
        time: float | str | None = None,
        random_state: Any = None,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.norm = norm
        self.dropout = dropout
        self.loss = loss
        self.optimizer = optimizer
        self.lr = lr
        self.batch_size = batch_size
        self.epochs = epochs
        self.schedule = schedule
        self.patience = patience
        self.l1 = l1
        self.l2 = l2
        self.weight_decay = weight_decay
        self.clip_norm = clip_norm
        self.validation_fraction = validation_fraction
        self.time = time
        self.random_state = random_state
        self.config = config

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags

    def _given(self) -> dict[str, Any]:
        """Give the parameters that differ from their defaults: a default gives way to what stands in ``config``."""
        defaults = signature(type(self).__init__).parameters
        plain = {name: _plain(getattr(self, name)) for name in PLACES if name in defaults}
        return {name: value for name, value in plain.items() if value != defaults[name].default}

    def _document(self) -> Document:
        if not isinstance(self.config, Mapping | None):
            raise ConfigError("'config' must be a mapping of settings.", got=self.config, do="Try {'ema': 0.999}.")
        document = from_keywords(**(self.config or {}))
        split = document.get("split") or {}
        fixed = [name for name in ("data", "output") if document.get(name)]
        fixed += [f"split.{name}" for name in ("test", "column") if isinstance(split, Mapping) and split.get(name)]
        if fixed:
            rule = "An estimator is given its rows by fit, and keeps no test rows and no run folder."
            raise ConfigError(rule, got=f"'{fixed[0]}' in config", do="Leave it out of config.")
        for name, value in self._given().items():
            # Without patience there is no early stopping at all.
            path = PLACES[name] if (name, value) != ("patience", None) else PLACES[name][:-1]
            document = document.with_value(path, value, f"parameter {name}")
        if document.get("model") in (None, "auto"):
            document = document.with_value(("model",), {"type": "mlp"})
        return document.with_value(("split", "test"), 0.0)

    def _settings(self, target: str, task: str, kinds: Mapping[str, str]) -> Config:
        """Give the checked config; ``kinds`` are of columns that ``config`` says nothing of."""
        config = from_mapping(self._document())
        if isinstance(config.train.class_weight, Mapping):
            rule = "An estimator takes the weights of classes by label from its parameter class_weight."
            raise ConfigError(rule, got="'class_weight' in config", do="Give WellfitClassifier(class_weight=...).")
        if config.model["type"] == "ensemble":
            rule = "An estimator trains one network, so that its parameters say what it is."
            raise ConfigError(rule, got="'model' ensemble in config", do="Name one: mlp, realmlp, tabm or linear.")
        stated = as_mapping(config)["features"]["columns"]
        columns = {name: {"type": kind} for name, kind in kinds.items()} | stated
        seed = _seed(self.random_state)
        values = {"data.target": target, "data.task": task, "features.columns": columns}
        return with_values(config, values | {"train.seed": seed, "split.seed": seed})

    def _train(self, X: Any, y: Array, sample_weight: Any, task: str) -> Self:
        """Prepare, train, and keep what predicts; ``y`` is class ids or numbers, ``[row]``."""
        started = clock.monotonic()
        frame, kinds = rows_of(self, X)
        check_consistent_length(frame, y)
        weight = self._weight(y, sample_weight)
        target = unused_name("target", frame.columns)
        config = self._settings(target, task, kinds)
        prepared = prepare_table(config, frame.with_columns(pl.Series(target, y)), estimator=True)
        split = prepared.split
        weights = None if weight is None else {"train": weight[split.train], "valid": weight[split.valid]}
        experiment = Experiment(prepared, weights=weights, started=started)
        experiment.trainer.run()
        outcome = experiment.outcome()
        self._columns = frame.columns
        self.predictor_ = outcome.predictor
        self.history_ = outcome.history
        self.findings_ = outcome.findings
        self.config_ = as_mapping(outcome.config)
        self.n_iter_ = experiment.trainer.position.epoch
        return self

    def _weight(self, y: Array, sample_weight: Any) -> Array | None:
        """Give the weight of each row, or None where all count alike."""
        if sample_weight is None:
            return None
        weight: Array = _check_sample_weight(sample_weight, y, dtype=np.float64, ensure_non_negative=True)
        return weight

    def _predicted(self, X: Any) -> Prediction:
        check_is_fitted(self)
        frame, _ = rows_of(self, X, columns=self._columns)
        return self.predictor_.predict(frame)


def _plain(value: Any) -> Any:
    """Give what a config takes: NumPy's numbers and arrays, as searches draw them, as Python's."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value


def _seed(random_state: Any) -> int:
    """Give the seed of split and training: a whole number is the seed itself, anything else draws one."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31))
