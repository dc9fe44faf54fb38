"""What a config says to each step of the preparation: the source, the split, the cleaning and the features."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

import polars as pl

from wellfit.config import Config, as_mapping
from wellfit.data.cleaning import CleaningPlan, Telling
from wellfit.data.cleaning.identifiers import named_code
from wellfit.data.features import Targets, telling_words
from wellfit.data.sources.lasting import lasting
from wellfit.data.splitting import Split, fold_rows, split_rows
from wellfit.data.table import resolve_column
from wellfit.errors import ConfigError, DataError

__all__ = [
    "cleaning_settings",
    "columns_apart",
    "columns_as_written",
    "dealt",
    "feature_settings",
    "given_target",
    "lasting_source",
    "method_of",
    "refuse_unlearnable",
    "source_of",
    "target_spellings",
    "telling",
    "without_columns",
]


_AT_RANDOM = ("random", "stratified", "files")
"""Methods of a split whose training rows are like those of every other part."""


def source_of(config: Config, data: Any) -> Any:
    """Give what is read: what was handed over, else what the config names."""
    given = config.data.source if data is None else data
    if given is None:
        raise ConfigError("There must be data.", do="Name a table: wellfit train DATA --target COL.")
    return given


def given_target(config: Config) -> str | int:
    """Give the target as the config names it."""
    if config.data.target is None:
        raise ConfigError("A target must be named.", do="Add --target COL, a column's name or index (-1 the last).")
    return config.data.target


def lasting_source(source: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
    """Give a source so that a run is replayed and resumed from any folder, and holds no secret."""
    return None if source is None else lasting(source)


def target_spellings(config: Config, target: str) -> str:
    """Give how the target's labels are merged: by its own setting, else by that of all columns."""
    own = config.clean.columns.get(target)
    return config.clean.spellings if own is None or own.spellings is None else str(own.spellings)


def cleaning_settings(config: Config, target: str) -> dict[str, Any]:
    """Give the settings of the cleaning plan: those of all columns, and by column its kind and its own settings."""
    clean: dict[str, Any] = as_mapping(config)["clean"]
    columns: dict[str, dict[str, Any]] = {
        name: {key: value for key, value in own.items() if value not in (None, [])}
        for name, own in clean["columns"].items()
        if name != target
    }
    for name, column in config.features.columns.items():
        columns[name] = columns.get(name, {}) | ({} if column.type is None else {"type": column.type})
    return {**{key: clean[key] for key in ("types", "spellings", "missing")}, "columns": columns}


def feature_settings(config: Config, cleaning: CleaningPlan, split: Split) -> dict[str, Any]:
    """Give the settings of the feature plan.

    Crosses are found by what other training rows say of a row. Where rows are dealt by time or by group, that says
    nothing of the rows to come: a day that is new has no level.
    """
    settings: dict[str, Any] = as_mapping(config)["features"]
    if settings["crosses"] == "auto" and not _at_random(config, split):
        settings["crosses"] = ()
    encoders = {name: column["encode"] for name, column in settings["columns"].items() if column["encode"] is not None}
    texts = [column.name for column in cleaning.used if column.kind == "text"]
    return {**settings, "columns": encoders, "texts": texts}


def telling(config: Config, split: Split, targets: Targets) -> Telling | None:
    """Give what finds the words of short texts that are used; None where rows are not dealt at random.

    By groups or times, a word may name the group: it tells of training rows what it does not tell of those to come.
    """
    return partial(telling_words, targets=targets) if _at_random(config, split) else None


def _at_random(config: Config, split: Split) -> bool:
    return method_of(config, split) in _AT_RANDOM


def columns_apart(config: Config, target: str) -> tuple[str, ...]:
    """Give the columns that are no features: the time of a row may tell something, its group or its part not."""
    column = None if config.split.method == "time" else config.split.column
    return (target, *(name for name in (column, config.data.weight) if name is not None))


def columns_as_written(config: Config, names: Sequence[str]) -> Collection[str]:
    """Give the columns of which more is asked than what their cells say, so that they are read as they are written.

    That is the target, what deals and weighs the rows, codes by their name, and what a person says something of.
    """
    frame = pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    try:
        given = (config.data.target, config.split.column, config.data.weight)
        apart = [resolve_column(frame, one) for one in given if one is not None]
    except ConfigError:
        return names
    stated = {name for name, column in config.features.columns.items() if column.type is not None}
    return {*apart, *stated, *config.clean.columns, *filter(named_code, names)}


def method_of(config: Config, split: Split) -> str:
    """Give the method that deals the rows in the same way when the config is replayed."""
    if config.split.method not in ("auto", "files"):
        return config.split.method
    own_tables = config.data.test is not None or config.data.valid is not None
    return "files" if own_tables else split.method


def dealt(config: Config, frame: pl.DataFrame, target: str) -> Split:
    """Deal the rows as the config says; of the frame, the target and the column of the split are looked at."""
    given, data = config.split, config.data
    # Shares of all rows; where one part is a table of its own, all rows of the source are dealt to the others.
    common: dict[str, Any] = {
        "target": target,
        "method": given.method,
        "test": 0.0 if data.test is not None else given.test,
        "seed": given.seed,
        "column": given.column,
    }
    if given.folds is not None:
        return fold_rows(frame, folds=given.folds, **common)[given.fold]
    return split_rows(frame, valid=given.valid if data.valid is None else None, **common)


def refuse_unlearnable(frame: pl.DataFrame, target: str) -> None:
    """Refuse a table of the target alone, and a target of lists (which sources give as JSON)."""
    if frame.width == 1:
        do = "Add columns that tell something of a row."
        raise DataError("There must be a column besides the target.", got=frame.columns, do=do)
    cells = frame.get_column(target).drop_nulls().head(20).to_list()
    if cells and all(isinstance(cell, str) and cell[:1] == "[" and cell[-1:] == "]" for cell in cells):
        raise ConfigError(
            "wellfit trains one target at a time; several targets and multilabel ones are not supported.",
            got=cells[0],
            do="Name a column that has one label or number a row.",
        )


def without_columns(frame: pl.DataFrame, names: tuple[str, ...]) -> pl.DataFrame:
    """Leave columns out by their exact names: Polars' own ``drop`` takes ``^x$`` for a pattern."""
    return pl.DataFrame([series for series in frame.get_columns() if series.name not in names])
