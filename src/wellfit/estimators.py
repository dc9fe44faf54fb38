"""scikit-learn's API: `WellfitClassifier` and `WellfitRegressor`, trained in memory, with no run folder.

Every row given is kept, and every column of an array is used: an array's columns have no names that could tell an
identifier. Columns of a frame are judged as those of a table are.
"""

from __future__ import annotations

import time as clock
from collections.abc import Mapping
from inspect import signature
from typing import Any, Self

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import Tags, check_consistent_length, check_random_state
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from wellfit.config import Config, Document, as_mapping, from_keywords, from_mapping, with_values
from wellfit.data.sources import SOURCES, read_table
from wellfit.data.sources.columns import column_of
from wellfit.data.sources.finish import index_names
from wellfit.errors import ConfigError, DataError
from wellfit.experiment import Experiment
from wellfit.prediction import Prediction
from wellfit.preparation import prepare

__all__ = ["WellfitClassifier", "WellfitRegressor"]

Array = np.ndarray[Any, Any]

_PLACES = {
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


class _Wellfit(BaseEstimator):  # type: ignore[misc]
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
        plain = {name: _plain(getattr(self, name)) for name in _PLACES if name in defaults}
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
            path = _PLACES[name] if (name, value) != ("patience", None) else _PLACES[name][:-1]
            document = document.with_value(path, value, f"parameter {name}")
        return document.with_value(("split", "test"), 0.0)

    def _settings(self, target: str, task: str, kinds: Mapping[str, str]) -> Config:
        """Give the checked config; ``kinds`` are of columns that ``config`` says nothing of."""
        config = from_mapping(self._document())
        if isinstance(config.train.class_weight, Mapping):
            rule = "An estimator takes the weights of classes by label from its parameter class_weight."
            raise ConfigError(rule, got="'class_weight' in config", do="Give WellfitClassifier(class_weight=...).")
        stated = as_mapping(config)["features"]["columns"]
        columns = {name: {"type": kind} for name, kind in kinds.items()} | stated
        seed = _seed(self.random_state)
        values = {"data.target": target, "data.task": task, "features.columns": columns}
        return with_values(config, values | {"train.seed": seed, "split.seed": seed})

    def _table(self, X: Any, *, reset: bool) -> tuple[pl.DataFrame, dict[str, str]]:
        """Give rows as a raw frame, and the kinds of the columns of an array, which are stated, not judged."""
        if any(SOURCES[kind].matches(X) for kind in ("polars", "pandas", "arrow")):
            frame = read_table(X).frame
            validate_data(self, X if SOURCES["pandas"].matches(X) else frame, reset=reset, skip_check_array=True)
            if reset and frame.height < 2:
                raise DataError("A split needs at least two rows.", got="n_samples = 1", do="Give more rows.")
            return (frame if reset else frame.rename(dict(zip(frame.columns, self._columns, strict=True)))), {}
        rows = 2 if reset else 1
        array = validate_data(self, X, reset=reset, dtype=None, ensure_all_finite="allow-nan", ensure_min_samples=rows)
        names = index_names(array.shape[1]) if reset else self._columns
        frame = pl.DataFrame([_series(name, array[:, place]) for place, name in enumerate(names)])
        return frame, {series.name: kind for series in frame if (kind := _kind(series))}

    def _train(self, X: Any, y: Array, sample_weight: Any, task: str) -> Self:
        """Prepare, train, and keep what predicts; ``y`` is class ids or numbers, ``[row]``."""
        started = clock.monotonic()
        frame, kinds = self._table(X, reset=True)
        check_consistent_length(frame, y)
        weight = self._weight(y, sample_weight)
        target = _unused("target", frame.columns)
        config = self._settings(target, task, kinds)
        prepared = prepare(config, frame.with_columns(pl.Series(target, y)), estimator=True)
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
        frame, _ = self._table(X, reset=False)
        return self.predictor_.predict(frame)


class WellfitClassifier(ClassifierMixin, _Wellfit):  # type: ignore[misc]
    """A network that learns classes from a table: raw text, missing cells and all.

    Args:
        hidden: units of each layer.
        activation: the activation; ``wellfit list activations`` names them.
        norm: ``batch``, ``layer`` or ``none``.
        dropout: share of units dropped, in [0, 1).
        loss: what is made small: a name or a mapping of a name and its options; ``auto`` fits it to the task.
        optimizer: what makes it small, likewise.
        lr: learning rate, above 0; the optimizer's own default where None.
        batch_size: rows an update sees, 1 or more; by the number of rows where None.
        epochs: passes over the training rows at the most, 1 or more.
        schedule: how the learning rate goes; None: it stays.
        patience: epochs without progress on the validation rows until training stops; None: it doesn't.
        l1: weight of sum |W| in the loss, 0 or more.
        l2: weight of sum W^2 in the loss, 0 or more.
        weight_decay: decoupled decay, 0 or more.
        clip_norm: the norm that the gradient is held to, above 0; None: none.
        class_weight: how much a row of each class counts: None, ``balanced``, or weights above 0 by label.
        validation_fraction: share of the rows that decide when to stop and which epoch is kept, in (0, 1).
        time: the longest that fit may take, in seconds or as ``2m``; None: no limit. The clock makes results vary.
        random_state: seed of the split, first weights, order and dropout; None draws one.
        config: any other setting, by section or by key: ``{"train": {"ema": 0.999}}``. A parameter that is not at its
            default wins.

    Attributes:
        classes_: the classes, sorted.
        n_features_in_, feature_names_in_: the columns seen by fit; names where all are text.
        n_iter_: epochs made. history_, findings_, config_: what was recorded, found and settled.

    >>> X = [[float(i % 10), 1.0 - i % 3] for i in range(60)]
    >>> y = ["low" if i % 10 < 5 else "high" for i in range(60)]
    >>> model = WellfitClassifier(hidden=(16,), epochs=40, random_state=0).fit(X, y)
    >>> model.predict([[0.0, 0.0], [9.0, 0.0]]).tolist()
    ['low', 'high']
    """

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
        class_weight: str | Mapping[Any, float] | None = None,
        validation_fraction: float = 0.16,
        time: float | str | None = None,
        random_state: Any = None,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            hidden=hidden,
            activation=activation,
            norm=norm,
            dropout=dropout,
            loss=loss,
            optimizer=optimizer,
            lr=lr,
            batch_size=batch_size,
            epochs=epochs,
            schedule=schedule,
            patience=patience,
            l1=l1,
            l2=l2,
            weight_decay=weight_decay,
            clip_norm=clip_norm,
            validation_fraction=validation_fraction,
            time=time,
            random_state=random_state,
            config=config,
        )
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on rows and their labels.

        Args:
            X: ``[row, column]``: an array, or a frame of pandas, Polars or pyarrow; cells may be missing, or text.
            y: labels ``[row]``.
            sample_weight: how much each row counts, ``[row]``, 0 or more; all alike where None.

        Raises:
            ValueError: the rows, labels, weights or parameters can't be used; wellfit's own are `BadInput`.
        """
        y = _one_target(self, X, y)
        check_classification_targets(y)
        classes, ids = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise DataError("A classifier needs at least two classes.", got="1 class", do="Give rows of another class.")
        self.classes_ = classes
        return self._train(X, ids, sample_weight, "binary" if len(classes) == 2 else "multiclass")

    def _weight(self, y: Array, sample_weight: Any) -> Array | None:
        weight = super()._weight(y, sample_weight)
        if self.class_weight is not None:
            of_class = compute_sample_weight(self.class_weight, self.classes_[y])
            weight = of_class if weight is None else weight * of_class
        if weight is not None and len(np.unique(y[weight > 0])) < 2:
            rule = "A classifier needs rows of at least two classes whose weight is not 0."
            raise DataError(rule, got="1 class", do="Give weights above 0.")
        return weight

    def predict_proba(self, X: Any) -> Array:
        """Give the probability of every class, float64 ``[row, class]``, columns as in ``classes_``."""
        known = self._predicted(X).probabilities
        assert known is not None
        probabilities = np.zeros((len(known), len(self.classes_)))
        # A class all of whose rows were dealt to validation has no output.
        probabilities[:, list(self.predictor_.classes)] = known
        return probabilities

    def predict(self, X: Any) -> Array:
        """Give the likeliest label for every row, in order."""
        probabilities = self.predict_proba(X)
        labels: Array = self.classes_[probabilities.argmax(axis=1)]
        return labels


class WellfitRegressor(RegressorMixin, _Wellfit):  # type: ignore[misc]
    """A network that learns numbers from a table; parameters and attributes are those of `WellfitClassifier`.

    A regressor has neither ``class_weight`` nor ``classes_``.

    >>> X = [[float(i % 20)] for i in range(100)]
    >>> model = WellfitRegressor(hidden=(16,), epochs=60, random_state=0).fit(X, [3.0 * row[0] for row in X])
    >>> abs(model.predict([[10.0]])[0] - 30.0) < 6.0
    True
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on rows and their numbers.

        Args:
            X: ``[row, column]``: an array, or a frame of pandas, Polars or pyarrow; cells may be missing, or text.
            y: finite numbers ``[row]``.
            sample_weight: how much each row counts, ``[row]``, 0 or more; all alike where None.

        Raises:
            ValueError: the rows, numbers, weights or parameters can't be used; wellfit's own are `BadInput`.
        """
        y = _one_target(self, X, y, y_numeric=True).astype(np.float64)
        return self._train(X, y, sample_weight, "regression")

    def predict(self, X: Any) -> Array:
        """Give a number for every row, in the target's unit and in order."""
        return self._predicted(X).values


def _plain(value: Any) -> Any:
    """Give what a config takes: NumPy's numbers and arrays, as searches draw them, as Python's."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value


def _seed(random_state: Any) -> int:
    """Give the seed of split and training: a whole number is the seed itself, anything else draws one."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31))


def _one_target(estimator: BaseEstimator, X: Any, y: Any, *, y_numeric: bool = False) -> Array:
    """Give ``y`` as an array ``[row]``, or refuse it in scikit-learn's words."""
    if y is None:
        validate_data(estimator, X, y)
    shape = y.shape if hasattr(y, "shape") else np.asarray(y).shape
    if len(shape) > 1 and shape[1] != 1:
        raise DataError(
            "wellfit trains one target at a time; multi-output and multilabel y are not supported.",
            got=f"y of shape {tuple(shape)}",
            do="Fit one estimator for each column.",
        )
    # Names are kept as they are: only X has any.
    checked: Array = validate_data(BaseEstimator(), y=y, y_numeric=y_numeric)
    return checked


def _series(name: str, values: Array) -> pl.Series:
    """Make an array's column numbers wherever it can be, or else what its cells are."""
    if values.dtype.kind in "mM":
        return column_of(name, values)
    try:
        return pl.Series(name, values.astype(np.float64), nan_to_null=True)
    except (TypeError, ValueError):
        return column_of(name, values)


def _kind(series: pl.Series) -> str | None:
    if series.dtype.is_numeric():
        return "number"
    return "category" if series.dtype in (pl.String, pl.Boolean) else None


def _unused(name: str, names: list[str]) -> str:
    """Give a name that no column has."""
    while name in names:
        name += "_"
    return name
