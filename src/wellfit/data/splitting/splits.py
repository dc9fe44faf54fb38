"""The ways of dealing rows that ``split.method`` names, and the functions that deal them."""

from __future__ import annotations

import polars as pl

from wellfit.data.splitting import column as by_column
from wellfit.data.splitting import files, group, random, stratified, time
from wellfit.data.splitting.dealer import Dealer
from wellfit.data.splitting.split import Request, Split
from wellfit.data.splitting.stratified import by_target
from wellfit.errors import ConfigError, did_you_mean
from wellfit.registry import Entry, Family

__all__ = ["METHODS", "SPLITS", "fold_rows", "split_rows"]

SPLITS: Family[Entry] = Family(
    "splits",
    "split",
    [random.ENTRY, stratified.ENTRY, group.ENTRY, time.ENTRY, by_column.ENTRY, files.ENTRY],
)

METHODS = ("auto", *SPLITS)

MOST_FOLDS = 100


def split_rows(
    frame: pl.DataFrame,
    *,
    target: str,
    method: str = "auto",
    test: float = 0.2,
    valid: float | None = 0.16,
    seed: int = 42,
    column: str | None = None,
) -> Split:
    """Decide which rows train, validate and test.

    The test rows are drawn first, and then the validation rows from the rest, both with the same seed.

    Args:
        frame: The table; every row has a target.
        target: The target's column.
        method: ``stratified`` keeps the classes' shares, ``random`` does not, ``group`` deals whole groups, ``time``
            the latest rows, ``column`` takes the split that a column names; ``auto`` stratifies where the target has
            classes.
        test: The share of rows that test, in [0, 1); 0 for none.
        valid: The share of rows that validate, in (0, 1); None for none.
        seed: The seed of the draw, in [0, 2**32).
        column: The column that holds groups, times, or train, valid and test.

    Raises:
        ConfigError: A setting is out of range or impossible.
        DataError: The table is too small, or the column doesn't hold what it should.

    >>> split = split_rows(pl.DataFrame({"x": range(10), "y": [0, 1] * 5}), target="y")
    >>> len(split.train), len(split.valid), len(split.test), split.method
    (6, 2, 2, 'stratified')
    """
    if valid is not None and not 0 < valid < 1 - test:
        raise ConfigError("'split.valid' must be in (0, 1 - split.test).", got=valid, do="Try 0.16.")
    return _dealer(frame, target, method, test, valid or 0.0, seed, column).split()


def fold_rows(
    frame: pl.DataFrame,
    *,
    target: str,
    folds: int = 5,
    method: str = "auto",
    test: float = 0.2,
    seed: int = 42,
    column: str | None = None,
) -> tuple[Split, ...]:
    """Decide which rows train and validate in each fold of a cross-validation; all folds have the same test rows.

    Args:
        frame: The table; every row has a target.
        target: The target's column.
        folds: How many there are, in [2, 100]; each row that doesn't test validates in one of them, but the earliest
            rows where the method is ``time``.
        method: As for `split_rows`.
        test: The share of rows that test, in [0, 1); 0 for none.
        seed: The seed of the draw, in [0, 2**32).
        column: The column that the method needs.

    Raises:
        ConfigError: A setting is out of range or impossible.
        DataError: The table is too small, or the column doesn't hold what it should.

    >>> splits = fold_rows(pl.DataFrame({"x": range(12), "y": [0, 1] * 6}), target="y", folds=3, test=0.0)
    >>> [len(split.valid) for split in splits], sorted(int(row) for split in splits for row in split.valid)
    ([4, 4, 4], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    """
    if not 2 <= folds <= MOST_FOLDS:
        raise ConfigError(f"'split.folds' must be in [2, {MOST_FOLDS}].", got=folds, do="Try 5.")
    return _dealer(frame, target, method, test, 0.0, seed, column).folds(folds)


def _dealer(
    frame: pl.DataFrame, target: str, method: str, test: float, valid: float, seed: int, column: str | None
) -> Dealer:
    if method not in METHODS:
        rule = f"'split.method' must be one of {', '.join(METHODS)}."
        raise ConfigError(rule, got=method, do=did_you_mean(method, METHODS))
    if not 0 <= test < 1:
        raise ConfigError("'split.test' must be in [0, 1).", got=test, do="Try 0.2.")
    if not 0 <= seed < 2**32:
        raise ConfigError("'split.seed' must be in [0, 2**32).", got=seed, do="Try 42.")
    named = "column" if method == "auto" and column is not None else method
    request = Request(frame=frame, target=target, test=test, valid=valid, seed=seed, column=column, method=named)
    dealer: Dealer = by_target(request) if named == "auto" else SPLITS[named].make(request)
    return dealer
