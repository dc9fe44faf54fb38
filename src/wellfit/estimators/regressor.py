"""`WellfitRegressor`."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.base import RegressorMixin

from wellfit.estimators.base import Estimator
from wellfit.estimators.rows import Array, one_target

__all__ = ["WellfitRegressor"]


class WellfitRegressor(RegressorMixin, Estimator):  # type: ignore[misc]
    """A network that learns numbers from a table; parameters and attributes are those of `WellfitClassifier`.

    A regressor has neither ``class_weight`` nor ``classes_``.

    >>> X = [[float(i % 20)] for i in range(100)]
    >>> model = WellfitRegressor(hidden=(64,), random_state=0).fit(X, [3.0 * row[0] for row in X])
    >>> bool(abs(model.predict([[10.0]])[0] - 30.0) < 3.0)
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
        y = one_target(self, X, y, y_numeric=True).astype(np.float64)
        return self._train(X, y, sample_weight, "regression")

    def predict(self, X: Any) -> Array:
        """Give a number for every row, in the target's unit and in order."""
        return self._predicted(X).values
