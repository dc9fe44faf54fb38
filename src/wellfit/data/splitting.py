"""Rows to training, validation and test: which row goes where, before anything is learned from them.

The split depends on the number of rows, the classes of the target and the seed; on nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from sklearn.model_selection import train_test_split

from wellfit.data.cleaning.missing import is_missing
from wellfit.data.cleaning.naming import safely_named
from wellfit.data.cleaning.target import class_labels
from wellfit.errors import ConfigError, DataError, did_you_mean

__all__ = ["METHODS", "Split", "drop_duplicate_rows", "split_rows"]

METHODS = ("auto", "random", "stratified", "column")

Rows = np.ndarray[Any, np.dtype[np.int64]]

_PARTS = {
    **dict.fromkeys(("train", "training", "tr"), "train"),
    **dict.fromkeys(("valid", "val", "validation", "validate", "dev"), "valid"),
    **dict.fromkeys(("test", "testing"), "test"),
}


@dataclass(frozen=True, kw_only=True)
class Split:
    """Which rows of a table train, validate and test; row numbers in ascending order."""

    train: Rows
    valid: Rows
    test: Rows
    method: str
    """``random``, ``stratified`` or ``column``."""
    notes: tuple[str, ...] = ()
    """What had to be done otherwise than asked for, and why."""


def drop_duplicate_rows(frame: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Drop rows that equal an earlier one in every column; give the rest, in order, and the number dropped.

    >>> frame, count = drop_duplicate_rows(pl.DataFrame({"a": [1, 2, 1], "b": ["x", "x", "x"]}))
    >>> frame["a"].to_list(), count
    ([1, 2], 1)
    """
    try:
        kept = frame.unique(keep="first", maintain_order=True)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        do = "Give one number, text or date a cell."
        raise DataError("Rows must hold values that can be compared.", got=str(error), do=do) from None
    return kept, frame.height - kept.height


def split_rows(
    frame: pl.DataFrame,
    *,
    target: str,
    method: str = "auto",
    test: float = 0.2,
    valid: float = 0.16,
    seed: int = 42,
    column: str | None = None,
) -> Split:
    """Decide which rows train, validate and test.

    ``train_test_split`` of scikit-learn draws the test rows, and then the validation rows from the rest, both with
    ``random_state=seed``.

    Args:
        frame: The table; every row has a target.
        target: The target's column.
        method: ``stratified`` keeps the classes' shares, ``random`` does not, ``auto`` stratifies where the target has
            classes, ``column`` takes the split that a column names.
        test: The share of rows that test, in [0, 1); 0 for none.
        valid: The share of rows that validate, in (0, 1).
        seed: The seed of the draw, in [0, 2**32).
        column: The column that holds train, valid or test, for ``column``.

    Raises:
        ConfigError: A setting is out of range or impossible.
        DataError: The table is too small, or the column names no split.

    >>> split = split_rows(pl.DataFrame({"x": range(10), "y": [0, 1] * 5}), target="y")
    >>> len(split.train), len(split.valid), len(split.test), split.method
    (6, 2, 2, 'stratified')
    """
    _check(method, test, valid, seed)
    share = round(valid / (1 - test), 12)
    if method == "column" or (method == "auto" and column is not None):
        return _by_column(frame, column, share, seed)
    labels = None if method == "random" else _strata(frame.get_column(target), method)
    if frame.height < (3 if test else 2):
        needed = "three rows: one to train, one to validate, one to test" if test else "two rows"
        raise DataError(f"A split needs at least {needed}.", got=frame.height, do="Give more rows.")
    rows = np.arange(frame.height, dtype=np.int64)
    notes: list[str] = []
    rest, tested = _draw(rows, labels, test, seed, notes) if test else (rows, rows[:0])
    trained, validated = _draw(rest, labels, share, seed, notes)
    method = "random" if labels is None else "stratified"
    parts = (np.sort(part) for part in (trained, validated, tested))
    return Split(**dict(zip(("train", "valid", "test"), parts, strict=True)), method=method, notes=_once(notes))


def _check(method: str, test: float, valid: float, seed: int) -> None:
    if method not in METHODS:
        rule = f"'split.method' must be one of {', '.join(METHODS)}."
        raise ConfigError(rule, got=method, do=did_you_mean(method, METHODS))
    if not 0 <= test < 1:
        raise ConfigError("'split.test' must be in [0, 1).", got=test, do="Try 0.2.")
    if not 0 < valid < 1 - test:
        raise ConfigError("'split.valid' must be in (0, 1 - split.test).", got=valid, do="Try 0.16.")
    if not 0 <= seed < 2**32:
        raise ConfigError("'split.seed' must be in [0, 2**32).", got=seed, do="Try 42.")


def _strata(series: pl.Series, method: str) -> Rows | None:
    labels = class_labels(series, "auto" if method == "auto" else "multiclass")
    classes = 0 if labels is None else len(np.unique(labels))
    if method == "stratified" and classes > max(20, len(series) / 2):
        do = "Set split.method to random or auto."
        got = f"{classes:,} different values of '{series.name}'"
        raise ConfigError("A stratified split needs a target of classes.", got=got, do=do)
    return labels


def _draw(rows: Rows, labels: Rows | None, share: float, seed: int, notes: list[str]) -> tuple[Rows, Rows]:
    """Draw a share of the rows; give those that stay and those that were drawn."""
    if labels is None:
        return _drawn(rows, None, share, seed)
    of_rows = labels[rows]
    counts = np.bincount(of_rows + 1)
    rare = counts[of_rows + 1] < 2
    if rare.any():
        notes.append("Classes of a single row can't be divided; their rows train.")
    common, drawn = rows[~rare], int(np.ceil(share * (~rare).sum()))
    classes = int((counts >= 2).sum())
    if not 0 < classes <= drawn <= len(common) - classes:
        notes.append("The rows are too few to divide every class; they were drawn at random.")
        return _drawn(rows, None, share, seed)
    stays, goes = _drawn(common, labels, share, seed)
    return np.concatenate([stays, rows[rare]]), goes


def _drawn(rows: Rows, labels: Rows | None, share: float, seed: int) -> tuple[Rows, Rows]:
    if np.ceil(share * len(rows)) >= len(rows):
        do = "Give more rows, or set smaller shares."
        raise DataError("Each part of the split must have a row.", got=f"{len(rows)} rows to divide", do=do)
    strata = None if labels is None else labels[rows]
    stays, goes = train_test_split(rows, test_size=share, random_state=seed, stratify=strata)
    return stays, goes


def _by_column(frame: pl.DataFrame, column: str | None, share: float, seed: int) -> Split:
    if column is None:
        raise ConfigError("'split.method: column' needs the column's name.", do="Set split.column.")
    if column not in frame.columns:
        raise ConfigError(
            "'split.column' is a column of the table.", got=column, do=did_you_mean(column, frame.columns)
        )
    parts = _named_parts(safely_named(frame.get_column(column)))
    notes: list[str] = []
    if not (parts == "train").any():
        raise DataError(f"The column '{column}' must name training rows.", do="Write train in their cells.")
    if not (parts == "valid").any():
        _, drawn = _drawn(np.flatnonzero(parts == "train"), None, share, seed)
        parts[drawn] = "valid"
        notes.append(f"The column '{column}' names no validation rows; a share of the training rows was drawn.")
    straddling = _straddling([series for series in frame.get_columns() if series.name != column], parts)
    if straddling.any():
        count = int(straddling.sum())
        notes.append(
            f"{count:,} rows stand in more than one split; they were kept in the first and set aside elsewhere."
        )
        parts[straddling] = "aside"
    if not (parts == "valid").any():
        do = "Mark other rows as valid."
        raise DataError("Validation rows must differ from the training rows.", got="none that does", do=do)
    rows = {part: np.flatnonzero(parts == part).astype(np.int64) for part in ("train", "valid", "test")}
    return Split(**rows, method="column", notes=tuple(notes))


def _named_parts(series: pl.Series) -> np.ndarray[Any, np.dtype[np.str_]]:
    texts = series.cast(pl.String, strict=False).to_list()
    known = {text: _PARTS.get((text or "").strip().casefold()) for text in set(texts)}
    for text, part in known.items():
        if part is None:
            empty = text is None or is_missing(text)
            do = "Write train, valid or test in every cell."
            rule = f"The column '{series.name}' must hold train, valid or test."
            raise DataError(rule, got="an empty cell" if empty else text, do=do)
    return np.array([known[text] for text in texts], dtype="<U5")


def _straddling(
    others: list[pl.Series], parts: np.ndarray[Any, np.dtype[np.str_]]
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Say which rows equal a row of an earlier part: training before validation before test."""
    if not others:
        return np.zeros(len(parts), dtype=bool)
    rank = np.select([parts == "train", parts == "valid"], [0, 1], default=2)
    renamed = {f"c{number}": series for number, series in enumerate(others)}
    ranked = pl.DataFrame(renamed).with_columns(rank=pl.Series(rank))
    first = ranked.select(pl.col("rank").min().over(list(renamed))).to_series().to_numpy()
    return rank > first


def _once(notes: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(notes))
