"""What a network is judged against: a constant guess and a linear model, fitted on the training rows.

Shapes: a matrix holds ``numeric``, float32 [row, number], and ``categorical``, int64 ids [row, category]; class targets
are ids [row], values are in raw units [row].
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from wellfit.errors import DataError
from wellfit.metrics import all_scores

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["Baselines", "Rows", "fit_baselines"]

Array = npt.NDArray[Any]
Predict = Callable[["Rows"], Array]

MOST_CATEGORIES = 300
"""Category columns of the linear model: the most frequent (column, category) pairs of the training rows."""
RAREST = 2
"""Training rows that a category must have, to get a column."""
MOST_CELLS = 20_000_000
"""Cells of the linear model's training matrix that are not 0: of more rows a sample is drawn."""
ROUND = 25
"""Iterations of the linear model between two looks at the clock."""
MOST_ITERATIONS = 300


class Rows(Protocol):
    """A matrix of features, such as a feature plan gives."""

    @property
    def numeric(self) -> Array:
        """Numbers, float32 [row, number]."""
        ...

    @property
    def categorical(self) -> Array:
        """Category ids, int64 [row, category]."""
        ...


@dataclass(frozen=True, kw_only=True)
class Baselines:
    """The scores of the baselines, and what there is to say about their fitting."""

    scores: Mapping[str, Mapping[str, Mapping[str, float | None]]]
    """``scores[split][name]`` as ``metrics.json`` holds them; the names are majority or mean, and linear."""
    notes: tuple[str, ...] = ()
    """Why the linear model is missing, stopped early, or saw a sample of the rows."""


def fit_baselines(
    task: str,
    train: Rows,
    train_target: Array,
    splits: Mapping[str, tuple[Rows, Array]],
    *,
    n_classes: int = 0,
    seed: int = 0,
    deadline: float | None = None,
) -> Baselines:
    """Fit a constant guess and a linear model on the training rows, and score them on other rows.

    The constant guess is the training frequencies of the classes ("majority") or the mean ("mean"); the linear model
    ("linear") is scikit-learn's logistic or ridge regression (C = alpha = 1) on standardised numbers and one-hot
    categories.

    Args:
        task: binary, multiclass or regression.
        train: The training rows.
        train_target: Class ids from 0 to ``n_classes - 1``, or values.
        splits: The rows and targets to score, by the name of their split.
        n_classes: How many classes there are; not used in regression.
        seed: Draws the sample of the rows where there are too many.
        deadline: `time.monotonic` at which fitting must have ended: the linear model stops where it is, or is left out.

    >>> from types import SimpleNamespace
    >>> x = np.arange(20, dtype=np.float32)[:, None]
    >>> rows = SimpleNamespace(numeric=x, categorical=np.zeros((20, 0), dtype=np.int64))
    >>> fitted = fit_baselines("binary", rows, x[:, 0] > 9, {"test": (rows, x[:, 0] > 9)}, n_classes=2)
    >>> [(name, scores["accuracy"]) for name, scores in fitted.scores["test"].items()]
    [('majority', 0.5), ('linear', 1.0)]
    """
    target = np.asarray(train_target).reshape(-1)
    if len(target) == 0:
        raise DataError("Baselines are fitted on one training row or more.", got=0, do="Give more rows.")
    constant = _constant(task, target, n_classes)
    predictors: dict[str, Predict] = {"mean" if task == "regression" else "majority": constant}
    notes: list[str] = []
    linear = _fit_linear(task, train, target, n_classes, seed, deadline, notes)
    if linear is not None:
        predictors["linear"] = linear
    scores = {
        split: {name: all_scores(task, truth, predict(rows)) for name, predict in predictors.items()}
        for split, (rows, truth) in splits.items()
    }
    return Baselines(scores=scores, notes=tuple(notes))


def _constant(task: str, target: Array, n_classes: int) -> Predict:
    """Guess the mean, or the frequencies of the classes, for every row."""
    if task == "regression":
        mean = target.astype(np.float64).mean()
        return lambda rows: np.full(len(rows.numeric), mean)
    shares = np.bincount(target.astype(np.int64), minlength=n_classes) / len(target)
    return lambda rows: np.tile(shares, (len(rows.numeric), 1))


def _fit_linear(
    task: str, train: Rows, target: Array, n_classes: int, seed: int, deadline: float | None, notes: list[str]
) -> Predict | None:
    """Fit the linear model; None, with a note, where it can't be."""
    if not train.numeric.shape[1] and not train.categorical.shape[1]:
        notes.append("There is no linear baseline: there are no features.")
        return None
    if _spent(deadline):
        notes.append("There is no linear baseline: the time was spent.")
        return None
    if np.ptp(target.astype(np.float64)) == 0:
        notes.append("There is no linear baseline: the target is constant in the training rows.")
        return None
    chosen = _sample(train, len(target), seed)
    if len(chosen) < len(target):
        notes.append(f"The linear baseline saw {len(chosen)} of {len(target)} training rows, drawn at random.")
    design = _Design.fit(train, chosen)
    features = design.columns(train, chosen)
    if task == "regression":
        return _ridge(design, features, target[chosen])
    return _logistic(design, features, target[chosen].astype(np.int64), n_classes, deadline, notes)


def _spent(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() >= deadline


def _sample(train: Rows, rows: int, seed: int) -> Array:
    """Give the numbers of the rows to fit on, in order: all, or as many as hold `MOST_CELLS`."""
    most = max(MOST_CELLS // (train.numeric.shape[1] + train.categorical.shape[1]), 1)
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


@dataclass(frozen=True)
class _Design:
    """Standardised numbers beside one-hot categories."""

    mean: Array
    scale: Array
    kept: tuple[Array, ...]
    """The ids of each category column that have a column of their own, sorted."""

    @classmethod
    def fit(cls, train: Rows, chosen: Array) -> _Design:
        numeric = train.numeric[chosen].astype(np.float64)
        spread = numeric.std(0)
        # a column that only rounding tells from a constant is constant
        flat = spread <= 10 * np.finfo(np.float32).eps * np.abs(numeric).max(0, initial=0.0)
        kept = _frequent(train.categorical[chosen])
        return cls(numeric.mean(0), np.where(flat, 1.0, spread), kept)

    def columns(self, rows: Rows, chosen: Array | slice = slice(None)) -> csr_matrix:
        """Give the features, sparse float64 [row, column]."""
        from scipy.sparse import csr_matrix, hstack

        numeric = (rows.numeric[chosen].astype(np.float64) - self.mean) / self.scale
        blocks = [csr_matrix(numeric)]
        categorical = rows.categorical[chosen]
        blocks += [_one_hot(categorical[:, number], ids) for number, ids in enumerate(self.kept)]
        return hstack(blocks, format="csr")


def _frequent(categorical: Array) -> tuple[Array, ...]:
    """Give for each column the ids that are frequent enough, at most `MOST_CATEGORIES` over all columns."""
    counted = [np.unique(ids, return_counts=True) for ids in categorical.T]
    if not counted:
        return ()
    counts = np.concatenate([count for _, count in counted])
    kept = np.zeros(len(counts), dtype=bool)
    kept[np.argsort(-counts, kind="stable")[:MOST_CATEGORIES]] = True
    kept &= counts >= RAREST
    parts = np.split(kept, np.cumsum([len(ids) for ids, _ in counted])[:-1])
    return tuple(ids[part] for (ids, _), part in zip(counted, parts, strict=True))


def _one_hot(ids: Array, kept: Array) -> csr_matrix:
    """Give one column for each kept id, sparse [row, id]; other ids have none."""
    from scipy.sparse import csr_matrix

    if len(kept) == 0:
        return csr_matrix((len(ids), 0))
    place = np.searchsorted(kept, ids).clip(max=len(kept) - 1)
    rows = np.flatnonzero(kept[place] == ids)
    return csr_matrix((np.ones(len(rows)), (rows, place[rows])), shape=(len(ids), len(kept)))


def _ridge(design: _Design, features: csr_matrix, target: Array) -> Predict:
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=1.0, max_iter=MOST_ITERATIONS, tol=1e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(features, target.astype(np.float64))
    return lambda rows: np.asarray(model.predict(design.columns(rows)))


def _logistic(
    design: _Design, features: csr_matrix, target: Array, n_classes: int, deadline: float | None, notes: list[str]
) -> Predict:
    """Fit in rounds of `ROUND` iterations, each from where the last one ended, until converged or out of time."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1.0, max_iter=ROUND, warm_start=True)
    converged = False
    for _ in range(MOST_ITERATIONS // ROUND):
        with warnings.catch_warnings():
            # that a round does not converge is its purpose; the last one's outcome is noted
            warnings.simplefilter("ignore")
            model.fit(features, target)
        converged = int(np.max(model.n_iter_)) < ROUND
        if converged or _spent(deadline):
            break
    if not converged:
        notes.append("The linear baseline was stopped before it converged.")

    def predict(rows: Rows) -> Array:
        probabilities = np.zeros((len(rows.numeric), n_classes))
        probabilities[:, model.classes_] = model.predict_proba(design.columns(rows))
        return probabilities

    return predict
