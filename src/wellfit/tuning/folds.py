"""On how many parts of the rows a trial is judged: of few rows each is asked, by networks that did not learn it."""

from __future__ import annotations

from wellfit.config import Config, with_values
from wellfit.errors import ConfigError
from wellfit.prepared import Prepared, PreparedTable

__all__ = ["FOLDS", "fold_count", "of_fold", "rungs_of_folds"]

FOLDS = 5
"""Parts of few rows: as many train and validate as where the config draws its 16 % of all rows."""
FEW_ROWS = 2_000
"""Training and validation rows up to which one part of them tells too little.

Settings that are ranked by 50 to 160 validation rows stand among the test rows in an order of nearly their own (rank
correlation 0.07 on Titanic, 0.14 on horse colic, 0.73 on German credit; 28 to 32 draws for an MLP); by five parts it is
0.25, 0.28 and 0.80.
"""
_DEALT = ("stratified", "random", "group", "files")
"""Methods of which every row may validate."""


def fold_count(config: Config, prepared: Prepared) -> int:
    """Give on how many parts of the rows a trial is judged; 1 is the config's own validation rows.

    Raises:
        ConfigError: parts were asked for of rows that can't be dealt so.
    """
    asked = config.tune.folds
    fit = _can_be_dealt(prepared)
    if asked == "auto":
        rows = prepared.rows["train"] + prepared.rows["valid"]
        return FOLDS if fit and rows <= FEW_ROWS else 1
    if asked > 1 and not fit:
        raise ConfigError(
            "'folds' of tune deals the rows of a table in memory anew, by random, stratified or group.",
            got=asked,
            do="Leave tune.folds out: trials are compared on the validation rows.",
        )
    return int(asked)


def _can_be_dealt(prepared: Prepared) -> bool:
    split, data = prepared.config.split, prepared.config.data
    dealt = split.method in _DEALT and split.folds is None and data.valid is None
    return isinstance(prepared, PreparedTable) and dealt


def of_fold(config: Config, fold: int, folds: int) -> Config:
    """Give the config that trains on all parts but one; the test rows stay what they are."""
    return with_values(config, {"split.folds": folds, "split.fold": fold})


def rungs_of_folds(folds: int) -> tuple[int, ...]:
    """Give the numbers of parts after which the worse trials are given up.

    >>> rungs_of_folds(5)
    (1, 2, 4)
    """
    return tuple(2**power for power in range(folds) if 2**power < folds)
