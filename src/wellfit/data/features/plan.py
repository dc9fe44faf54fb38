"""`FeaturePlan`: typed columns to the matrix a network takes, learned on training rows, replayed everywhere."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from wellfit.data.columnwise import each
from wellfit.data.features.calendar import CHOICES
from wellfit.data.features.crosses import CrossedColumn, add_crossed, crossed_columns, find_crosses
from wellfit.data.features.derived import DerivedColumn, add_derived, derived_columns
from wellfit.data.features.encoded import EncodedColumn
from wellfit.data.features.encoders import ENCODERS
from wellfit.data.features.matrix import Matrix
from wellfit.data.features.raw_columns import RawColumns
from wellfit.data.features.scalers import SCALERS, Scaler
from wellfit.data.features.scalers.scaler import of_columns
from wellfit.data.features.selection import Selection, sampled_rows, select_columns
from wellfit.data.features.sources import ROWS_AT_ONCE, Sources, TextColumn, learn_sources
from wellfit.data.features.targets import Targets
from wellfit.data.features.texts import TEXTS
from wellfit.data.features.vocabulary import FIRST
from wellfit.data.order_statistics import median
from wellfit.errors import ConfigError, DataError, did_you_mean
from wellfit.registry import Choice, Entry

__all__ = ["FeaturePlan"]

AUTO_SCALE = "robust"
AUTO_ENCODE = "embedding"
AUTO_TEXT = "latent"

NARROWEST = 1e-6
"""A column of a smaller range after scaling is dropped: a difference of rounding would come out huge elsewhere."""

ROWS_AS_ONE = 64
"""Rows that are laid end to end where columns are looked through for their ends."""

Floats = np.ndarray[Any, np.dtype[np.float64]]
Numbers = np.ndarray[Any, np.dtype[np.float32]]
Given = Mapping[str, Floats]
Spec = str | Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class FeaturePlan:
    """How typed columns become numbers, learned on training rows.

    Columns are computed from others; numbers, parts of dates and numbers of levels are filled by the training median
    and scaled; columns with missing training cells get a 0/1 flag beside them; categories become flags or ids, free
    texts vectors; of all these, some may be selected.

    >>> frame = pl.DataFrame({"age": [20.0, None, 40.0, 60.0], "job": ["a", "b", "a", None]})
    >>> plan = FeaturePlan.fit(frame, scale="standard")
    >>> plan.feature_names
    ('age', 'age is missing', 'job=a', 'job=b', 'job is missing')
    >>> plan.apply(pl.DataFrame({"age": [40.0], "job": ["z"]})).numeric.tolist()
    [[0.0, 0.0, 0.0, 0.0, 0.0]]
    """

    derived: tuple[DerivedColumn, ...]
    """Number columns that are computed from others, in order."""
    sources: Sources
    """The columns by what becomes of them, the computed ones among the numbers."""
    medians: tuple[float, ...]
    """The fill of each number, part of a date and number of a level."""
    flagged: tuple[int, ...]
    """Which of those have a flag for missing cells."""
    scale: str
    """The scaler's name."""
    encode: Mapping[str, Any]
    """The encoder's name and options."""
    scaler: Scaler
    crossed: tuple[CrossedColumn, ...] = ()
    """Category columns that are made of others, the computed ones among them."""
    kept: tuple[int, ...] = ()
    """Which numeric columns vary in the training rows and are selected."""
    selection: Selection | None = None
    """How columns were selected; None where all that vary are kept."""

    @classmethod
    def fit(cls, frame: pl.DataFrame, **settings: Any) -> FeaturePlan:
        """Learn from the typed training rows; the settings are those of `fit_apply`."""
        return cls.fit_apply(frame, **settings)[0]

    @classmethod
    def fit_apply(
        cls,
        frame: pl.DataFrame,
        *,
        scale: Spec = "auto",
        encode: Spec = "auto",
        dates: str = "auto",
        texts: Collection[str] = (),
        text: Spec = "auto",
        columns: Mapping[str, Spec] | None = None,
        derive: Mapping[str, str] | None = None,
        ratios: Mapping[str, Any] | None = None,
        polynomials: Mapping[str, Any] | None = None,
        crosses: str | Sequence[Sequence[str]] = (),
        select: Spec | None = None,
        targets: Targets | None = None,
    ) -> tuple[FeaturePlan, Matrix]:
        """Learn from the typed training rows, and give their matrix.

        That is not what `apply` gives for them where an encoder learned from the target: there, each row gets what the
        other folds tell.

        Args:
            frame: Typed training rows, as `CleaningPlan.apply` gives them.
            scale: A scaler's name or mapping, or ``auto``: robust.
            encode: An encoder's name or mapping, or ``auto``: flags up to 9 levels, ids beyond.
            dates: ``parts``, ``cycles``, or ``both``, which is ``auto``.
            texts: The columns of free text.
            text: A text encoder's name or mapping, or ``auto``: latent.
            columns: The encoder of single columns, by name.
            derive: Expressions by the names of the columns they make.
            ratios: Which numbers are divided by one another, as `derived_columns` takes it.
            polynomials: Which products of numbers are made, as `derived_columns` takes it.
            crosses: The columns of each cross, or ``auto``: those that `find_crosses` finds.
            select: A selector's name or mapping; None keeps all columns that vary.
            targets: The targets of the rows, for what is learned from them.

        Raises:
            ConfigError: There is no such scaler, encoder, selector or column, or an option is out of range.
            DataError: No column varies.
        """
        scaling = SCALERS.choose(AUTO_SCALE if scale == "auto" else scale)
        encoding = _encoder(encode)
        if dates not in CHOICES:
            rule = f"'features.dates' must be one of {', '.join(CHOICES)}."
            raise ConfigError(rule, got=dates, do=did_you_mean(dates, CHOICES))
        derived = derived_columns(frame, derive or {}, ratios=ratios, polynomials=polynomials)
        wide = add_derived(frame, derived)
        found = find_crosses(wide, targets, apart=texts) if isinstance(crosses, str) else crosses
        crossed = crossed_columns(wide, found, texts=texts)
        wide = add_crossed(wide, crossed)
        sources, coded, given = learn_sources(
            wide,
            encoding=encoding,
            of_column={name: _encoder(given) for name, given in (columns or {}).items()},
            dates=dates,
            texts=texts,
            text=TEXTS.choose(AUTO_TEXT if text == "auto" else text),
            targets=targets,
        )
        given = sources.made(coded, given)
        raw = sources.columns(coded, given)
        medians, holes = _fills(raw)
        plan = cls(
            derived=derived,
            crossed=crossed,
            sources=sources,
            medians=medians,
            flagged=sources.flagged(holes),
            scale=scaling.name,
            encode=encoding.spec(),
            scaler=scaling.entry.make.fit(raw, **scaling.options),  # type: ignore[attr-defined]
        )
        return plan._narrowed(coded, given, select, targets)

    def _narrowed(
        self, coded: pl.DataFrame, given: Given, select: Spec | None, targets: Targets | None
    ) -> tuple[FeaturePlan, Matrix]:
        """Keep the columns that vary and are selected; give the plan and the training rows' matrix."""
        numeric, ids = self._numeric(coded, given), self.sources.ids(coded)
        plan = replace(self, kept=_varying(numeric))
        if not plan.feature_names:
            raise DataError("At least one column must vary in the training rows.", do="Add columns that do.")
        if select is None:
            return plan, Matrix(_columns(numeric, plan.kept), ids)
        rows = sampled_rows(targets, coded.height)
        selection = select_columns(
            select,
            lambda scaled: _columns(
                numeric[rows] if scaled else self._unscaled(coded[rows], _of_rows(given, rows)), plan.kept
            ),
            ids[rows],
            names=plan.feature_names,
            flags=plan._flag_places(),
            targets=None if targets is None else targets[rows],
        )
        chosen = set(selection.kept)
        kept = tuple(place for number, place in enumerate(plan.kept) if number in chosen)
        ids_kept = [number for number in range(ids.shape[1]) if number + len(plan.kept) in chosen]
        named = {plan.categorical_names[number] for number in ids_kept}
        encoded = (column for column in self.sources.encoded if column.step.gives != "ids" or column.name in named)
        sources = replace(self.sources, encoded=tuple(encoded))
        plan = replace(plan, kept=kept, sources=sources, selection=selection)
        return plan, Matrix(_columns(numeric, kept), ids[:, ids_kept])

    def apply(self, frame: pl.DataFrame) -> Matrix:
        """Turn typed rows into a matrix of finite numbers and ids.

        Raises:
            polars.exceptions.ColumnNotFoundError: A column is missing; `CleaningPlan.apply` never gives such a frame.
        """
        coded = self.sources.coded(add_crossed(add_derived(frame, self.derived), self.crossed))
        return Matrix(self._numeric(coded), self.sources.ids(coded))

    def unseen(self, frame: pl.DataFrame) -> dict[str, pl.Series]:
        """Give the cells of typed rows whose level is new or was rare, by column; those without any are left out.

        Crosses are no columns of the rows: most of their levels are rare.

        >>> plan = FeaturePlan.fit(pl.DataFrame({"job": ["a", "b"]}))
        >>> plan.unseen(pl.DataFrame({"job": ["z", "a"]}))["job"].to_list()
        ['z']
        """
        made = {column.name for column in self.crossed}
        cells = {column.name: column.unseen(frame) for column in self.sources.encoded if column.name not in made}
        return {name: series for name, series in cells.items() if len(series)}

    def _numeric(self, coded: pl.DataFrame, given: Given | None = None) -> Numbers:
        """Give the numeric columns that are kept, or all of them of training rows, where none was chosen yet.

        Some rows at a time: what is between the cells and the matrix is several times as large as it.

        Args:
            coded: Typed rows with the computed columns, and codes for categories.
            given: What training rows get for dates and categories that become numbers.
        """
        kept = self.kept if given is None else tuple(range(self._width))
        numeric = np.empty((coded.height, len(kept)), np.float32)
        whole = kept == tuple(range(self._width))

        def fill(first: int) -> None:
            part = slice(first, first + ROWS_AT_ONCE)
            rows = numeric[part]
            block = rows if whole else np.empty((len(rows), self._width), np.float32)
            self._fill_in(block, coded[part], None if given is None else _of_rows(given, part))
            if not whole:
                rows[:] = block[:, list(kept)]

        each(fill, range(0, coded.height, ROWS_AT_ONCE), rows=coded.height)
        return numeric

    def _fill_in(self, block: Numbers, coded: pl.DataFrame, given: Given | None) -> None:
        """Fill, scale and flag some rows; what is taken as it is comes last."""
        raw = self.sources.raw(coded, given)
        missing = np.isnan(raw)
        np.copyto(raw, self._fill, where=missing)
        scaled = self.scaler.apply(raw)
        limit = np.finfo(np.float32).max
        np.clip(scaled, -limit, limit, out=scaled)
        # Flags of one byte are widened and strewn in one go at half the pace.
        flags = missing[:, list(self.flagged)].astype(np.float32)
        parts: list[np.ndarray[Any, Any]] = [scaled, flags, *self.sources.fixed(coded)]
        first = 0
        for part in parts:
            block[:, first : first + part.shape[1]] = part
            first += part.shape[1]

    def _unscaled(self, coded: pl.DataFrame, given: Given) -> Floats:
        raw = self.sources.raw(coded, given)
        missing = np.isnan(raw)
        filled, flags = np.where(missing, self._fill, raw), missing[:, list(self.flagged)]
        return np.concatenate([filled, flags, *self.sources.fixed(coded)], axis=1, dtype=np.float64)

    @property
    def _width(self) -> int:
        """How many numeric columns there are before any is chosen."""
        fixed = len(self.sources.flag_names()) + len(self.sources.text_names())
        return len(self.medians) + len(self.flagged) + fixed

    @cached_property
    def _fill(self) -> Floats:
        return np.array(self.medians, dtype=np.float64)

    @property
    def crosses(self) -> tuple[tuple[str, ...], ...]:
        """The columns of each cross."""
        return tuple(column.of for column in self.crossed)

    def _flag_places(self) -> tuple[int, ...]:
        """Give which of the kept numeric columns are 0/1 flags."""
        first = len(self.medians)
        last = first + len(self.flagged) + len(self.sources.flag_names())
        return tuple(number for number, place in enumerate(self.kept) if first <= place < last)

    @property
    def numeric_names(self) -> tuple[str, ...]:
        """The names of the matrix's numeric columns, in order."""
        raw = self.sources.raw_names()
        names = [name for _, name in raw] + [f"{raw[source][0]} is missing" for source in self.flagged]
        names += self.sources.flag_names() + self.sources.text_names()
        return tuple(names[number] for number in self.kept)

    @property
    def categorical_names(self) -> tuple[str, ...]:
        """The names of the matrix's columns of ids, in order."""
        return tuple(column.name for column in self.sources.encoded_as("ids"))

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
        return tuple(len(column.levels) + FIRST for column in self.sources.encoded_as("ids"))

    def as_dict(self) -> dict[str, Any]:
        """Give the plan as JSON holds it; floats come back exactly."""
        sources = self.sources
        return {
            "derived": [column.as_dict() for column in self.derived],
            "crossed": [column.as_dict() for column in self.crossed],
            "numbers": list(sources.numbers),
            "dates": [{"name": name, "parts": list(parts)} for name, parts in sources.dates],
            "encoded": [column.as_dict() for column in sources.encoded],
            "texts": [column.as_dict() for column in sources.texts],
            "medians": list(self.medians),
            "flagged": list(self.flagged),
            "scale": self.scale,
            "encode": dict(self.encode),
            "scaler": self.scaler.as_dict(),
            "kept": list(self.kept),
            "selection": None if self.selection is None else self.selection.as_dict(),
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> FeaturePlan:
        """Read a plan back from what `as_dict` gave; of what it has none of, it may say nothing."""
        selection = record.get("selection")
        return cls(
            derived=tuple(DerivedColumn(made["name"], made["expression"]) for made in record.get("derived", ())),
            crossed=tuple(CrossedColumn(made["name"], tuple(made["of"])) for made in record.get("crossed", ())),
            sources=Sources(
                numbers=tuple(record["numbers"]),
                dates=tuple((date["name"], tuple(date["parts"])) for date in record["dates"]),
                encoded=tuple(map(EncodedColumn.from_dict, record["encoded"])),
                texts=tuple(TextColumn(**text) for text in record.get("texts", ())),
            ),
            medians=tuple(record["medians"]),
            flagged=tuple(record["flagged"]),
            scale=record["scale"],
            encode=record["encode"],
            scaler=SCALERS[record["scale"]].make(**record["scaler"]),
            kept=tuple(record["kept"]),
            selection=None if selection is None else Selection.from_dict(selection),
        )


def _encoder(given: Spec) -> Choice[Entry]:
    return ENCODERS.choose(AUTO_ENCODE if given == "auto" else given)


def _fills(raw: RawColumns) -> tuple[tuple[float, ...], list[bool]]:
    """Give the median of each column, and whether a cell is missing."""
    medians, known = of_columns(raw, 2, lambda column: (median(column), len(column)))
    return tuple(medians.tolist()), (known < len(raw)).tolist()


def _of_rows(given: Given, rows: Any) -> dict[str, Floats]:
    return {name: block[rows] for name, block in given.items()}


def _varying(numeric: Numbers) -> tuple[int, ...]:
    """Give the columns that vary."""
    parts = [numeric[first : first + ROWS_AT_ONCE] for first in range(0, len(numeric), ROWS_AT_ONCE)]
    ends = each(lambda part: (_along_rows(np.min, part), _along_rows(np.max, part)), parts, rows=len(numeric))
    low, high = np.min([low for low, _ in ends], axis=0).astype(np.float64), np.max([high for _, high in ends], axis=0)
    return tuple(np.flatnonzero(high - low >= NARROWEST).tolist())


def _along_rows(extreme: Callable[..., Any], part: Numbers) -> Any:
    """Give the least or greatest number of each column; rows that are laid end to end are compared quicker."""
    length, width = part.shape
    if length % ROWS_AS_ONE or not width:
        return extreme(part, axis=0)
    return extreme(extreme(part.reshape(-1, ROWS_AS_ONE * width), axis=0).reshape(ROWS_AS_ONE, width), axis=0)


def _columns(numeric: Any, kept: tuple[int, ...]) -> Any:
    """Give some columns; all of them are not copied."""
    return numeric if kept == tuple(range(numeric.shape[1])) else numeric[:, list(kept)]
