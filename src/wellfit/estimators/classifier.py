"""`WellfitClassifier`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets

from wellfit.errors import DataError
from wellfit.estimators.base import Estimator
from wellfit.estimators.rows import Array, one_target

__all__ = ["WellfitClassifier"]


class WellfitClassifier(ClassifierMixin, Estimator):  # type: ignore[misc]
    """A network that learns classes from a table: raw text, missing cells and all.

    Args:
        hidden: units of each layer.
        activation: relu, leaky_relu, gelu, silu, selu, mish, tanh or sigmoid.
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
    >>> model = WellfitClassifier(hidden=(64,), random_state=0).fit(X, y)
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
        y = one_target(self, X, y)
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
