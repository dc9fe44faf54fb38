"""k best: the columns that tell most of the target, each looked at alone."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from wellfit.data.features.selectors.selector import Candidates, Flags, Floats, Selector, best, with_ids
from wellfit.data.features.targets import Targets, needed
from wellfit.errors import ConfigError
from wellfit.registry import Entry, Option

__all__ = ["ENTRY", "KBest"]

MOST_ROWS = 20_000
"""Rows that mutual information is estimated from: it looks for each row's neighbours in every column."""


class KBest(Selector):
    """The ``k`` best columns by F statistic, mutual information or chi-squared."""

    def __init__(self, *, k: int, score: str, seed: int) -> None:
        self.k, self.score, self.seed = k, score, seed

    def scores(self, candidates: Candidates) -> Floats:
        """Score each column against the target.

        Raises:
            ConfigError: chi2 is given numbers for a target, or a column with negative numbers.
        """
        targets = needed(candidates.targets, "The selector k_best")
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            # A column that tells all or nothing has an infinite score, or none.
            warnings.simplefilter("ignore")
            if self.score == "mutual_information":
                return _mutual_information(candidates.sampled(MOST_ROWS, self.seed), self.seed)
            if self.score == "chi2":
                _refuse_for_chi2(candidates, targets)
            return with_ids(candidates, lambda block: _statistic(self.score, targets)(block, targets.values)[0])

    def keep(self, scores: Floats) -> Flags:
        """Keep the best."""
        return best(scores, self.k)


def _statistic(score: str, targets: Targets) -> Callable[[Any, Any], tuple[Floats, Any]]:
    from sklearn.feature_selection import chi2, f_classif, f_regression

    found: Callable[[Any, Any], tuple[Floats, Any]]
    found = chi2 if score == "chi2" else f_classif if targets.classes else f_regression
    return found


def _mutual_information(candidates: Candidates, seed: int) -> Floats:
    from sklearn.feature_selection import mutual_info_classif, mutual_info_regression

    targets = needed(candidates.targets, "The selector k_best")
    estimate = mutual_info_classif if targets.classes else mutual_info_regression
    discrete = np.concatenate([candidates.discrete, np.ones(candidates.ids.shape[1], dtype=bool)])
    columns = np.hstack([candidates.numeric, candidates.ids])
    return np.asarray(estimate(columns, targets.values, discrete_features=discrete, random_state=seed))


def _refuse_for_chi2(candidates: Candidates, targets: Targets) -> None:
    if not targets.classes:
        raise ConfigError("chi2 scores columns against classes, and the target is numbers.", do="Try score: f.")
    negative = np.flatnonzero((candidates.numeric < 0).any(axis=0))
    if len(negative):
        name = candidates.names[negative[0]]
        do = "Try score: f, or leave the column out."
        raise ConfigError(f"chi2 needs counts or amounts, and '{name}' has negative numbers.", do=do)


ENTRY = Entry(
    name="k_best",
    summary="the k columns that tell most of the target, each looked at alone",
    make=KBest,
    options=(
        Option(name="k", default=10, kind="int", low=1, high=1_000_000, help="how many columns are kept"),
        Option(
            name="score",
            default="f",
            kind="str",
            choices=("f", "mutual_information", "chi2"),
            remarks={
                **dict.fromkeys(("anova", "f_classif", "f_regression"), "Did you mean 'f'?"),
                **dict.fromkeys(("mi", "mutual_info"), "Did you mean 'mutual_information'?"),
            },
            help="F statistic, mutual information (of at most 20,000 rows), or chi-squared of counts",
        ),
        Option(name="seed", default=0, kind="int", low=0, high=2**32 - 1, help="seed of mutual information"),
    ),
    reference="scikit-learn SelectKBest; f_classif, f_regression, mutual_info_classif, mutual_info_regression, chi2",
)
