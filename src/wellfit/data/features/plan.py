"""`FeaturePlan`: typed columns to the matrix a network takes, learned on training rows, replayed everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from wellfit.data.cleaning.categories import counted
from wellfit.data.features.calendar import date_parts, varying_parts
from wellfit.data.features.encoders import ENCODERS, Encoder, Levels
from wellfit.data.features.matrix import Matrix
from wellfit.data.features.scalers import SCALERS, Scaler
from wellfit.data.features.vocabulary import FIRST, UNSEEN, Codes, Vocabulary
from wellfit.errors import DataError
from wellfit.registry import Choice, Entry

__all__ = ["EncodedColumn", "FeaturePlan"]

AUTO_SCALE = "robust"
AUTO_ENCODE = "embedding"

NARROWEST = 1e-6
"""A column of a smaller range after scaling is dropped: a difference of rounding would come out huge elsewhere."""

Floats = np.ndarray[Any, np.dtype[np.float64]]
Spec = str | Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class EncodedColumn:
    """A category column with its vocabulary and what becomes of it."""

    name: str
    encoder: str
    levels: tuple[str, ...]
    missing: bool

    @cached_property
    def step(self) -> Encoder:
        """The encoder, made from the levels."""
        encoder: Encoder = ENCODERS[self.encoder].make(self.levels, self.missing)
        return encoder

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(self.levels)

    def apply(self, frame: pl.DataFrame) -> Codes | Floats:
        """Give the column's ids, flags or number."""
        return self.step.apply(self._vocabulary.codes(frame.get_column(self.name)))

    def unseen(self, frame: pl.DataFrame) -> pl.Series:
        """Give the cells whose level is not in the vocabulary."""
        series = frame.get_column(self.name)
        return series.filter(pl.Series(self._vocabulary.codes(series) == UNSEEN))

    def as_dict(self) -> dict[str, Any]:
        """Give the column as JSON holds it."""
        return {"name": self.name, "encoder": self.encoder, "levels": list(self.levels), "missing": self.missing}


@dataclass(frozen=True, kw_only=True)
class FeaturePlan:
    """How typed columns become numbers, learned on training rows.

    Numbers, parts of dates and ranks are filled by the training median and scaled; columns with missing training cells
    get a 0/1 flag beside them; categories become flags or ids.

    >>> frame = pl.DataFrame({"age": [20.0, None, 40.0, 60.0], "job": ["a", "b", "a", None]})
    >>> plan = FeaturePlan.fit(frame, scale="standard")
    >>> plan.feature_names
    ('age', 'age is missing', 'job=a', 'job=b', 'job is missing')
    >>> plan.apply(pl.DataFrame({"age": [40.0], "job": ["z"]})).numeric.tolist()
    [[0.0, 0.0, 0.0, 0.0, 0.0]]
    """

    numbers: tuple[str, ...]
    """Number columns."""
    dates: tuple[tuple[str, tuple[str, ...]], ...]
    """Date columns with the parts that are used."""
    encoded: tuple[EncodedColumn, ...]
    """Category columns."""
    medians: tuple[float, ...]
    """The fill of each number, part of a date and rank."""
    flagged: tuple[int, ...]
    """Which of those have a flag for missing cells."""
    scale: str
    """The scaler's name."""
    encode: Mapping[str, Any]
    """The encoder's name and options."""
    scaler: Scaler
    kept: tuple[int, ...] = ()
    """Which numeric columns vary in the training rows."""

    @classmethod
    def fit(cls, frame: pl.DataFrame, *, scale: Spec = "auto", encode: Spec = "auto") -> FeaturePlan:
        """Learn from the typed training rows.

        Args:
            frame: Typed training rows, as `CleaningPlan.apply` gives them.
            scale: A scaler's name, or ``auto``: robust.
            encode: An encoder's name or mapping, or ``auto``: flags up to 9 levels, ids beyond.

        Raises:
            ConfigError: There is no such scaler or encoder, or an option is out of range.
            DataError: No column varies.
        """
        scaling = SCALERS.choose(AUTO_SCALE if scale == "auto" else scale)
        encoding = ENCODERS.choose(AUTO_ENCODE if encode == "auto" else encode)
        numbers, dates, encoded = _sources(frame, encoding)
        raw = _raw(frame, numbers, dates, encoded)
        plan = cls(
            numbers=numbers,
            dates=dates,
            encoded=encoded,
            medians=tuple(np.nanmedian(raw, axis=0).tolist()),
            flagged=_flagged(raw, numbers, dates),
            scale=scaling.name,
            encode=encoding.spec(),
            scaler=scaling.entry.make.fit(raw),  # type: ignore[attr-defined]
        )
        numeric = plan._numeric(frame)
        span = numeric.max(axis=0).astype(np.float64) - numeric.min(axis=0)
        kept = tuple(np.flatnonzero(span >= NARROWEST).tolist())
        plan = replace(plan, kept=kept)
        if not plan.feature_names:
            raise DataError("At least one column must vary in the training rows.", do="Add columns that do.")
        return plan

    def apply(self, frame: pl.DataFrame) -> Matrix:
        """Turn typed rows into a matrix of finite numbers and ids.

        Raises:
            polars.exceptions.ColumnNotFoundError: A column is missing; `CleaningPlan.apply` never gives such a frame.
        """
        ids = [column.apply(frame) for column in self._as("ids")]
        categorical = np.column_stack(ids) if ids else np.empty((frame.height, 0))
        return Matrix(self._numeric(frame)[:, list(self.kept)], categorical.astype(np.int64, copy=False))

    def unseen(self, frame: pl.DataFrame) -> dict[str, pl.Series]:
        """Give the cells of typed rows whose level is new or was rare, by column; those without any are left out.

        >>> plan = FeaturePlan.fit(pl.DataFrame({"job": ["a", "b"]}))
        >>> plan.unseen(pl.DataFrame({"job": ["z", "a"]}))["job"].to_list()
        ['z']
        """
        cells = {column.name: column.unseen(frame) for column in self.encoded}
        return {name: series for name, series in cells.items() if len(series)}

    def _numeric(self, frame: pl.DataFrame) -> np.ndarray[Any, np.dtype[np.float32]]:
        raw = _raw(frame, self.numbers, self.dates, self.encoded)
        missing = np.isnan(raw)
        scaled = self.scaler.apply(np.where(missing, self._fill, raw))
        flags = [column.apply(frame) for column in self._as("flags")]
        limit = np.finfo(np.float32).max
        scaled = np.clip(scaled, -limit, limit)
        return np.concatenate([scaled, missing[:, list(self.flagged)], *flags], axis=1, dtype=np.float32)

    @cached_property
    def _fill(self) -> Floats:
        return np.array(self.medians, dtype=np.float64)

    def _as(self, gives: str) -> list[EncodedColumn]:
        return [column for column in self.encoded if column.step.gives == gives]

    @property
    def numeric_names(self) -> tuple[str, ...]:
        """The names of the matrix's numeric columns, in order."""
        names = _raw_names(self.numbers, self.dates, self._as("number"))
        owners = [*self.numbers, *(name for name, parts in self.dates for _ in parts)]
        owners += [column.name for column in self._as("number")]
        names += [f"{owners[source]} is missing" for source in self.flagged]
        names += [name for column in self._as("flags") for name in column.step.names(column.name)]
        return tuple(names[number] for number in self.kept)

    @property
    def categorical_names(self) -> tuple[str, ...]:
        """The names of the matrix's columns of ids, in order."""
        return tuple(column.name for column in self._as("ids"))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of all columns of the matrix, the numeric ones first."""
        return self.numeric_names + self.categorical_names

    @property
    def n_numeric(self) -> int:
        """How many numeric columns the matrix has."""
        return len(self.kept)

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """How many ids each categorical column may have, the two for missing and unseen included."""
        return tuple(len(column.levels) + FIRST for column in self._as("ids"))

    def as_dict(self) -> dict[str, Any]:
        """Give the plan as JSON holds it; floats come back exactly."""
        return {
            "numbers": list(self.numbers),
            "dates": [{"name": name, "parts": list(parts)} for name, parts in self.dates],
            "encoded": [column.as_dict() for column in self.encoded],
            "medians": list(self.medians),
            "flagged": list(self.flagged),
            "scale": self.scale,
            "encode": dict(self.encode),
            "scaler": self.scaler.as_dict(),
            "kept": list(self.kept),
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> FeaturePlan:
        """Read a plan back from what `as_dict` gave."""
        columns = ({**column, "levels": tuple(column["levels"])} for column in record["encoded"])
        return cls(
            numbers=tuple(record["numbers"]),
            dates=tuple((date["name"], tuple(date["parts"])) for date in record["dates"]),
            encoded=tuple(EncodedColumn(**column) for column in columns),
            medians=tuple(record["medians"]),
            flagged=tuple(record["flagged"]),
            scale=record["scale"],
            encode=record["encode"],
            scaler=SCALERS[record["scale"]].make(**record["scaler"]),
            kept=tuple(record["kept"]),
        )


def _sources(
    frame: pl.DataFrame, encoding: Choice[Entry]
) -> tuple[tuple[str, ...], tuple[tuple[str, tuple[str, ...]], ...], tuple[EncodedColumn, ...]]:
    """Sort the columns by what becomes of them; those without any value become nothing."""
    valued = [series for series in frame.get_columns() if series.null_count() < len(series)]
    numbers = tuple(series.name for series in valued if series.dtype == pl.Float64)
    dates = ((series.name, varying_parts(series)) for series in valued if isinstance(series.dtype, pl.Datetime))
    encoded = tuple(_encoded(series, encoding) for series in valued if series.dtype == pl.String)
    return numbers, tuple((name, parts) for name, parts in dates if parts), encoded


def _encoded(series: pl.Series, encoding: Choice[Entry]) -> EncodedColumn:
    levels = Levels(counts=counted(series), missing=series.null_count() > 0)
    entry = encoding.entry
    if len(levels.counts) <= encoding.options.get("onehot_up_to", -1):
        entry = ENCODERS["onehot"]
    chosen = entry.make.choose_levels(levels)  # type: ignore[attr-defined]
    return EncodedColumn(name=series.name, encoder=entry.name, levels=tuple(chosen), missing=levels.missing)


def _raw(
    frame: pl.DataFrame,
    numbers: Sequence[str],
    dates: Sequence[tuple[str, tuple[str, ...]]],
    encoded: Sequence[EncodedColumn],
) -> Floats:
    """Give numbers, parts of dates and ranks, float64 [row, source], NaN where a cell is missing."""
    blocks = [frame.get_column(name).to_numpy() for name in numbers]
    blocks += [date_parts(frame.get_column(name), parts) for name, parts in dates]
    blocks += [column.apply(frame) for column in encoded if column.step.gives == "number"]
    return np.column_stack(blocks) if blocks else np.empty((frame.height, 0))


def _raw_names(
    numbers: Sequence[str], dates: Sequence[tuple[str, tuple[str, ...]]], ranked: Sequence[EncodedColumn]
) -> list[str]:
    parts = [f"{name} {part}" for name, its_parts in dates for part in its_parts]
    return [*numbers, *parts, *(column.name for column in ranked)]


def _flagged(raw: Floats, numbers: Sequence[str], dates: Sequence[tuple[str, tuple[str, ...]]]) -> tuple[int, ...]:
    """Give the sources with missing training cells; of a date only its first part."""
    start = len(numbers)
    repeated: set[int] = set()
    for _, parts in dates:
        repeated.update(range(start + 1, start + len(parts)))
        start += len(parts)
    return tuple(source for source in np.flatnonzero(np.isnan(raw).any(axis=0)).tolist() if source not in repeated)
