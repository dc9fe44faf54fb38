"""From a source to rows that a network can read: everything before training, learned on the training rows alone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from wellfit.config import Config, with_recipe, with_values
from wellfit.data.cleaning import (
    CleaningPlan,
    RowsLeft,
    TargetPlan,
    find_leaks,
    repeated_rows,
    rows_without_target,
)
from wellfit.data.columnwise import beside, each
from wellfit.data.features import FeaturePlan, Targets
from wellfit.data.sources import read_table
from wellfit.data.sources.lasting import secrets_kept_out
from wellfit.data.sources.web.headers import headers_kept_out, lasting_headers, reading_for
from wellfit.data.splitting import NOWHERE, Split
from wellfit.data.table import SourceRecord, Table, resolve_column
from wellfit.data.weights import row_weights
from wellfit.errors import DataError
from wellfit.findings import Finding
from wellfit.preparation_findings import (
    copies_dropped,
    crosses_found,
    imbalance,
    misspelt,
    straddling,
    targets_missing,
    valueless,
    with_leaks,
)
from wellfit.preparation_settings import (
    cleaning_settings,
    columns_apart,
    columns_as_written,
    dealt,
    feature_settings,
    given_target,
    lasting_source,
    method_of,
    refuse_unlearnable,
    source_of,
    target_spellings,
    telling,
    without_columns,
)
from wellfit.prepared import PreparedTable, sources_of
from wellfit.prepared_shards import PreparedShards
from wellfit.sharding import Arrivals, is_streamed, prepare_shards

__all__ = ["ImagesGiven", "prepare", "prepare_table"]

SPLITS = ("train", "valid", "test")


class ImagesGiven(DataError):
    """The source holds images, which are prepared in another way than tables."""

    def __init__(self, table: Table) -> None:
        self.table = table
        rule = "This is done with tables, and the source holds images."
        super().__init__(
            rule, got=table.record.uri, do="Images are taken by train, check, tune, treat, predict and evaluate."
        )


def prepare(config: Config, data: Any = None, *, estimator: bool = False) -> PreparedTable | PreparedShards:
    """Read, split, and learn the plans on the training rows; nothing is trained.

    A table that would not fit in memory is laid down in shards on disk; of another one nothing is written.
    ``estimator`` keeps every row: scikit-learn's estimators answer for the rows they are given.
    """
    if estimator or config.data.streamed is False:
        return prepare_table(config, data, estimator=estimator)
    with Arrivals(config, data) as arrivals:
        if is_streamed(config, arrivals.source) and (shards := prepare_shards(config, arrivals)) is not None:
            return shards
        return prepare_table(config, data, source=arrivals.handed_over())


def prepare_table(config: Config, data: Any = None, *, source: Any = None, estimator: bool = False) -> PreparedTable:
    """Prepare a table in memory, whatever its size; ``source`` is what was brought here of it, if anything was."""
    source = source_of(config, data) if source is None else source
    own = {"valid": config.data.valid, "test": config.data.test}
    # Rows of several tables are compared, so that all of them are held as text.
    texts = partial(columns_as_written, config) if set(own.values()) == {None} else None
    table = read_table(source, header=config.data.header, reading=config.data.reading(), texts=texts)
    if table.images is not None:
        raise ImagesGiven(table)
    target = resolve_column(table.frame, given_target(config))
    refuse_unlearnable(table.frame, target)
    left, rows, findings = _usable(table.frame, target, drop=config.clean.duplicates == "drop" and not estimator)
    split = dealt(config, left.frame, target)
    set_aside = left.without(split.places == NOWHERE, "it stands in an earlier split too").table()
    record, notes, written, columns = table.record, table.notes, table.written, left.frame.get_columns()
    # The whole table and its parts would take twice the memory: no other name may hold the columns.
    del source, table, left
    frames = _parts(columns, split)
    frames |= _own_frames(config, record, own)
    kept = config.clean.duplicates == "keep" and not estimator
    for name, source in own.items():
        findings += straddling(frames, name) if kept or source is not None else []
    apart = columns_apart(config, target)
    features_of = {name: without_columns(part, apart) for name, part in frames.items()}
    spellings = target_spellings(config, target)
    target_plan = TargetPlan.fit(frames["train"].get_column(target), config.data.task, spellings=spellings)
    config = with_recipe(config, task=target_plan.task, rows=frames["train"].height)
    settings = cleaning_settings(config, target)
    targets = Targets(
        target_plan.encode(frames["train"].get_column(target))[0].astype(np.float64), len(target_plan.classes)
    )
    found = telling(config, split, targets)
    cleaning, train = CleaningPlan.fit_apply(features_of["train"], **settings, written=written, telling=found)
    wanted = config.clean.leaks == "warn" and not estimator
    search = partial(_leaks, frames, train, cleaning, target_plan, method=split.method, wanted=wanted)
    with beside(search, rows=train.height) as leaks:
        features, matrix = FeaturePlan.fit_apply(train, targets=targets, **feature_settings(config, cleaning, split))
        findings = with_leaks(findings, leaks())
    ranges = _ranges(train)
    del train, search, targets, found
    counts = {name: part.height for name, part in frames.items()}
    return PreparedTable(
        config=_resolved(config, record, split, target_plan, features, given=data is not None),
        source=record,
        target=target_plan,
        cleaning=cleaning,
        features=features,
        frames=frames,
        split=split,
        matrices={"train": matrix, "valid": features.apply(cleaning.apply(features_of["valid"])[0])},
        weights=row_weights(frames, config.data.weight),
        rows={**rows, **counts},
        not_features=apart,
        ranges=ranges,
        findings=(*findings, *misspelt(target_plan), *cleaning.findings, *valueless(features), *imbalance(target_plan)),
        set_aside=set_aside,
        notes=(*notes, *_kept_out(config), *split.notes, *crosses_found(config, features)),
    )


def _kept_out(config: Config) -> tuple[str, ...]:
    """Say which secrets of the sources and headers stand in no file."""
    sources = [config.data.source, config.data.valid, config.data.test]
    return (*secrets_kept_out(sources), *headers_kept_out(config.data.headers))


def _leaks(*table: Any, method: str, wanted: bool) -> list[Finding]:
    return list(find_leaks(*table, method=method)) if wanted else []


def _own_frames(config: Config, record: SourceRecord, own: Mapping[str, Any]) -> dict[str, pl.DataFrame]:
    """Read the splits that have a source of their own, as the first one was read."""
    found = {}
    for name, source in own.items():
        if source is not None:
            reading = reading_for(source, config.data.reading(), sources_of(config))
            found[name] = read_table(source, header=_header(record), reading=reading).frame
    return found


def _resolved(
    config: Config, record: SourceRecord, split: Split, target: TargetPlan, features: FeaturePlan, *, given: bool
) -> Config:
    """Give the config with what was left to auto; rows that were ``given`` in memory have no source."""
    values = {
        "data.source": config.data.source if given else lasting_source(config.data.source),
        **{
            f"data.{name}": lasting_source(source)
            for name, source in (("valid", config.data.valid), ("test", config.data.test))
        },
        "data.headers": lasting_headers(config.data.headers),
        "data.target": target.name,
        "data.streamed": False,
        "data.task": target.task,
        "data.header": record.details.get("header", True),
        "split.method": method_of(config, split),
        "features.scale": features.scale if config.features.scale == "auto" else config.features.scale,
        "features.encode": features.encode["name"] if config.features.encode == "auto" else config.features.encode,
        "features.crosses": features.crosses,
    }
    return with_values(config, values)


def _parts(columns: list[pl.Series], split: Split) -> dict[str, pl.DataFrame]:
    """Deal the rows to the parts of the split, column by column; the list is emptied on the way."""
    # Rows keep their order: to pass over the others is three times as fast as to fetch each.
    masks = [pl.Series(split.places == place) for place in range(len(SPLITS))]

    def dealt_column(place: int) -> list[pl.Series]:
        series, columns[place] = columns[place], pl.Series()
        return [series.filter(mask) for mask in masks]

    found = each(dealt_column, range(len(columns)), rows=len(split.places))
    columns.clear()
    return {name: pl.DataFrame(list(its)) for name, its in zip(SPLITS, zip(*found, strict=True), strict=True)}


def _header(record: SourceRecord) -> Any:
    return record.details.get("header", "auto")


def _usable(frame: pl.DataFrame, target: str, *, drop: bool) -> tuple[RowsLeft, dict[str, int], list[Finding]]:
    """Set aside rows without a target and exact duplicates, and count them."""
    rows, findings = {"read": frame.height}, []
    absent = rows_without_target(frame, target)
    rows["without_target"] = int(absent.sum())
    left = RowsLeft.of(frame).without(absent, "it has no target")
    if rows["without_target"]:
        findings.append(targets_missing(target, rows["without_target"]))
        if not left.frame.height:
            raise DataError(f"The target '{target}' must have values.", got="none", do="Name another column.")
    rows["duplicates_dropped"] = 0
    if drop:
        repeated = repeated_rows(left.frame)
        rows["duplicates_dropped"] = int(repeated.sum())
        left = left.without(repeated, "it equals an earlier row in every column")
    if rows["duplicates_dropped"] and left.frame.height < 3:
        got = f"{left.frame.height} different rows of {rows['read']:,}"
        raise DataError("A split needs at least three different rows.", got=got, do="Give rows that differ.")
    if rows["duplicates_dropped"]:
        findings.append(copies_dropped(rows["duplicates_dropped"], int(left.aside[-1].rows[0])))
    return left, rows, findings


def _ranges(frame: pl.DataFrame) -> dict[str, tuple[float, float]]:
    numbers = (series for series in frame.get_columns() if series.dtype == pl.Float64 and series.count())
    return {series.name: (float(series.min()), float(series.max())) for series in numbers}  # type: ignore[arg-type]
