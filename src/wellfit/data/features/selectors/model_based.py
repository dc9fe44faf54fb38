"""Model-based: the columns that a simple model of the target makes most use of."""

from __future__ import annotations

import itertools
import warnings
from typing import Any, ClassVar

import numpy as np

from wellfit.data.features.selectors.selector import Candidates, Flags, Floats, Selector, best, flags_of
from wellfit.data.features.targets import Targets, needed
from wellfit.registry import Entry, Option

__all__ = ["ENTRY", "ModelBased"]

MOST_ROWS = 50_000
"""Rows that the model is fitted on: more hardly change which columns it uses."""


class ModelBased(Selector):
    """The columns whose importance in a linear model or in trees reaches the mean or the median importance."""

    scaled: ClassVar[bool] = True

    def __init__(self, *, model: str, threshold: str, k: int | None, seed: int) -> None:
        self.model, self.threshold, self.k, self.seed = model, threshold, k, seed

    def scores(self, candidates: Candidates) -> Floats:
        """Fit the model; give magnitudes of coefficients, or importances in trees."""
        targets = needed(candidates.targets, "The selector model_based")
        candidates = candidates.sampled(MOST_ROWS, self.seed)
        targets = targets if candidates.targets is None else candidates.targets
        if self.model == "trees":
            columns = np.hstack([candidates.numeric, candidates.ids])
            return np.asarray(_trees(targets, self.seed).fit(columns, targets.values).feature_importances_)
        return _linear(candidates, targets)

    def keep(self, scores: Floats) -> Flags:
        """Keep those that reach the threshold, at most ``k`` of them."""
        middle = np.mean(scores) if self.threshold == "mean" else np.median(scores)
        kept = np.asarray(scores >= middle)
        return kept if self.k is None else kept & best(scores, self.k)


def _trees(targets: Targets, seed: int) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    kind = ExtraTreesClassifier if targets.classes else ExtraTreesRegressor
    return kind(n_estimators=100, random_state=seed)


def _linear(candidates: Candidates, targets: Targets) -> Floats:
    """Fit a linear model on numbers and flags of ids; ids are worth as much as the best of their flags."""
    from scipy.sparse import csr_matrix, hstack
    from sklearn.linear_model import LogisticRegression, Ridge

    flags = [flags_of(ids) for ids in candidates.ids.T]
    columns = hstack([csr_matrix(candidates.numeric), *flags], format="csr") if flags else candidates.numeric
    model = LogisticRegression(max_iter=1000) if targets.classes else Ridge()
    with warnings.catch_warnings():
        # Coefficients that have not settled to the last digit rank the columns all the same.
        warnings.simplefilter("ignore")
        model.fit(columns, targets.values)
    sizes = np.abs(np.atleast_2d(model.coef_)).sum(axis=0)
    ends = np.cumsum([candidates.numeric.shape[1], *(block.shape[1] for block in flags)])
    of_ids = [sizes[first:last].max() for first, last in itertools.pairwise(ends)]
    return np.concatenate([sizes[: ends[0]], np.array(of_ids, dtype=np.float64)])


ENTRY = Entry(
    name="model_based",
    summary="the columns that trees or a linear model make most use of",
    make=ModelBased,
    options=(
        Option(
            name="model",
            default="trees",
            kind="str",
            choices=("trees", "linear"),
            remarks=dict.fromkeys(("forest", "random_forest", "extra_trees"), "Did you mean 'trees'?"),
            help="100 extra trees, or logistic and ridge regression; of at most 50,000 rows",
        ),
        Option(
            name="threshold",
            default="mean",
            kind="str",
            choices=("mean", "median"),
            help="the importance that must be reached",
        ),
        Option(name="k", default=None, kind="int", low=1, optional=True, help="the most columns kept", example=20),
        Option(name="seed", default=0, kind="int", low=0, high=2**32 - 1, help="seed of the trees and the rows drawn"),
    ),
    reference="scikit-learn SelectFromModel; ExtraTrees, LogisticRegression, Ridge",
)
