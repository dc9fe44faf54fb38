"""`CleaningPlan`: what each raw column is and how it is read, learned on training rows, replayed everywhere."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

import polars as pl

from wellfit.data.cleaning.column_findings import column_findings
from wellfit.data.cleaning.contract import LEAST_ROWS, ColumnContract, Drift
from wellfit.data.cleaning.duplicates import duplicate_columns
from wellfit.data.cleaning.filling import Filled
from wellfit.data.cleaning.inference import Inferred, Reader, as_reader, by_words, infer, refuse_nested
from wellfit.data.cleaning.naming import safely_named
from wellfit.data.cleaning.report import Coerced, CoercionReport
from wellfit.data.cleaning.settings import ColumnSettings, settings_of
from wellfit.data.columnwise import each
from wellfit.data.compact import as_text, is_worded
from wellfit.errors import ContractError, DataError
from wellfit.findings import Finding

__all__ = ["CleaningPlan", "ColumnPlan", "Telling"]

Telling = Callable[[pl.DataFrame, Mapping[str, pl.Series]], Mapping[str, Sequence[str]]]
"""Gives the words that tell of the target, by column, from the typed columns and the texts of those of short texts."""


@dataclass(frozen=True, kw_only=True)
class ReadColumn:
    """What became of a raw column."""

    typed: list[pl.Series]
    """The column that was read, and the flag of its missing cells where it was filled."""
    counts: Coerced
    drift: Drift | None


@dataclass(frozen=True, kw_only=True)
class ColumnPlan:
    """What one raw column is."""

    name: str
    kind: str
    """``number``, ``category``, ``datetime``, ``text`` or ``drop``."""
    reader: Reader | None = None
    """How its cells are read; None where it is dropped."""
    reason: str = ""
    """Why it is dropped, or what of it is not used."""
    filled: Filled | None = None
    """What its missing cells become; None where the features decide."""
    contract: ColumnContract | None = None
    """How its training cells were distributed; None where it is dropped."""
    usual: Mapping[str, float] = field(default_factory=dict)
    """The share of training cells that were changed in being read, by kind as in `Coerced`."""
    merged: Mapping[str, str] = field(default_factory=dict)
    """Texts of the training rows that are read as another level."""
    proposed: Mapping[str, str] = field(default_factory=dict)
    """Levels that look like typing errors, with the level they mean; they are kept unless a person has them merged."""

    def finished(self, typed: pl.Series) -> list[pl.Series]:
        """Give the column that was read, filled where that was asked for, and the flag of its missing cells."""
        return [typed] if self.filled is None else self.filled.apply(typed)

    def read(self, frame: pl.DataFrame, *, watch: bool) -> ReadColumn:
        """Read the column of some rows, and say how far it is from the training rows where it is watched."""
        series = safely_named(frame.get_column(self.name))
        refuse_nested(series)
        typed, counts = self.reader.read(series if self.kind == "category" else as_text(series))  # type: ignore[union-attr]
        drift = self.contract.compare(_watched(self.reader, typed)) if watch and self.contract is not None else None
        return ReadColumn(typed=self.finished(typed.alias(self.name)), counts=counts, drift=drift)

    def as_dict(self) -> dict[str, Any]:
        """Give the column's plan as JSON holds it."""
        return {
            "name": self.name,
            "kind": self.kind,
            "settings": None if self.reader is None else self.reader.as_dict(),
            "reason": self.reason,
            "filled": None if self.filled is None else self.filled.as_dict(),
            "contract": None if self.contract is None else self.contract.as_dict(),
            "usual": dict(self.usual),
            "merged": dict(self.merged),
            "proposed": dict(self.proposed),
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> ColumnPlan:
        """Read a column's plan back from what `as_dict` gave."""
        settings, filled, contract = record["settings"], record["filled"], record["contract"]
        return cls(
            name=record["name"],
            kind=record["kind"],
            reader=None if settings is None else as_reader(record["kind"], settings),
            reason=record["reason"],
            filled=None if filled is None else Filled(**filled),
            contract=None if contract is None else ColumnContract.from_dict(contract),
            usual=record.get("usual", {}),
            merged=record["merged"],
            proposed=record["proposed"],
        )


@dataclass(frozen=True, kw_only=True)
class CleaningPlan:
    """What each raw column is, learned on training rows.

    >>> frame = pl.DataFrame({"age": ["39", " 50", "?", "38"], "job": ["clerk", "clerk", "smith", "smith"]})
    >>> plan = CleaningPlan.fit(frame)
    >>> [(column.name, column.kind) for column in plan.columns]
    [('age', 'number'), ('job', 'category')]
    >>> typed, report = plan.apply(pl.DataFrame({"job": [None], "age": ["$1,000"]}))
    >>> typed.rows(), report.columns["age"].counts()
    ([(1000.0, None)], {'converted': 1})
    """

    columns: tuple[ColumnPlan, ...]
    findings: tuple[Finding, ...] = ()
    """What was found in the training rows."""

    @property
    def used(self) -> tuple[ColumnPlan, ...]:
        """The columns that are features, in the table's order."""
        return tuple(column for column in self.columns if column.reader is not None)

    @classmethod
    def fit(
        cls,
        frame: pl.DataFrame,
        *,
        types: str = "correct",
        spellings: str = "suggest",
        missing: Any = "auto",
        columns: Mapping[str, Any] | None = None,
    ) -> CleaningPlan:
        """Decide on every column of the training rows; see `fit_apply` for the arguments and errors."""
        return cls.fit_apply(frame, types=types, spellings=spellings, missing=missing, columns=columns)[0]

    @classmethod
    def fit_apply(
        cls,
        frame: pl.DataFrame,
        *,
        types: str = "correct",
        spellings: str = "suggest",
        missing: Any = "auto",
        columns: Mapping[str, Any] | None = None,
        written: Collection[str] = (),
        telling: Telling | None = None,
    ) -> tuple[CleaningPlan, pl.DataFrame]:
        """Decide on every column of the training rows, and give them as `apply` does, which reads them anew.

        Args:
            frame: The raw feature columns of the training rows, without the target.
            types: ``correct`` also reads numbers out of decorated text (``$1,234``); ``keep`` doesn't.
            spellings: ``suggest`` merges forms of a level and proposes typing errors, ``merge`` merges both, ``keep``
                none.
            missing: What missing cells become: ``auto``, ``mean``, ``median``, ``most_frequent``, or a mapping.
            columns: What a person says of columns: ``{"zip": {"type": "category"}}``; see `ColumnSettings`.
            written: The columns of numbers that were text, as `Table` names them.
            telling: Finds the words of short texts that are used; None uses none.

        Raises:
            ConfigError: A stated column isn't there, or a setting is none.
            DataError: Cells are nested, or no column is of use.
        """
        common = {"types": types, "spellings": spellings, "missing": missing}
        settings = settings_of(frame.columns, common, columns or {})
        if frame.height == 0:
            raise DataError("The training rows must not be empty.", do="Give a table with rows.")
        given = [series for series in frame.get_columns() if settings[series.name].type != "drop"]
        found = each(
            lambda series: infer(safely_named(series), settings[series.name], written=series.name in written),
            given,
            rows=frame.height,
        )
        names = [series.name for series in given]
        inferred = _without_copies(dict(zip(names, found, strict=True)), settings)
        if telling is not None:
            inferred = _with_words(inferred, frame, telling)
        mixed = not all(series.name in written or is_worded(series) for series in frame.get_columns())

        def findings_of(found: tuple[str, Inferred]) -> list[Finding]:
            name, column = found
            return list(column_findings(name, safely_named(frame.get_column(name)), column, mixed=mixed))

        plan = cls(
            columns=tuple(
                each(lambda name: _column(name, inferred.get(name), settings[name]), frame.columns, rows=frame.height)
            ),
            findings=tuple(chain.from_iterable(each(findings_of, inferred.items(), rows=frame.height))),
        )
        if not plan.used:
            raise _nothing_left(plan)
        typed = [
            series for column in plan.used for series in column.finished(inferred[column.name].typed.alias(column.name))
        ]
        return plan, pl.DataFrame(typed)

    def apply(
        self, frame: pl.DataFrame, *, watch: bool = False, fill: bool = False
    ) -> tuple[pl.DataFrame, CoercionReport]:
        """Read raw rows into typed columns: Float64, text or Datetime, null where a cell is missing and not filled.

        Text is String, or held compactly (`wellfit.data.compact`) where the raw column is.

        Columns are matched by name, in any order; columns that the plan doesn't know are ignored and reported.

        Args:
            frame: Raw rows.
            watch: Whether the report says how far the columns are from their training rows.
            fill: Whether a column that is used and not there counts as missing in every row; one at least must be
                there.

        Raises:
            ContractError: A column that is used is missing, or holds what it can't be read from.
        """
        there = set(frame.columns)
        lacking = [column.name for column in self.used if column.name not in there]
        if lacking and (not fill or len(lacking) == len(self.used)):
            known = {column.name for column in self.columns}
            raise _lacking(lacking, frame.columns, [name for name in frame.columns if name not in known])
        given, frame = frame, frame.with_columns([pl.Series(name, [None] * frame.height) for name in lacking])
        watched = watch and frame.height >= LEAST_ROWS
        read = each(lambda column: column.read(frame, watch=watched), self.used, rows=frame.height)
        counts = {column.name: its.counts for column, its in zip(self.used, read, strict=True)}
        drift = {column.name: its.drift for column, its in zip(self.used, read, strict=True) if its.drift is not None}
        return pl.DataFrame([series for its in read for series in its.typed]), self._report(given, counts, drift)

    def _report(self, frame: pl.DataFrame, counts: Mapping[str, Coerced], drift: Mapping[str, Drift]) -> CoercionReport:
        there, known = set(frame.columns), {column.name for column in self.columns}
        return CoercionReport(
            rows=frame.height,
            columns=counts,
            drift=drift,
            extra_columns=tuple(name for name in frame.columns if name not in known),
            missing_columns=tuple(column.name for column in self.columns if column.name not in there),
            filled_columns=tuple(column.name for column in self.used if column.name not in there),
        )

    def as_dict(self) -> dict[str, Any]:
        """Give the plan as JSON holds it."""
        findings = [finding.as_dict() for finding in self.findings]
        return {"columns": [column.as_dict() for column in self.columns], "findings": findings}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> CleaningPlan:
        """Read a plan back from what `as_dict` gave."""
        return cls(
            columns=tuple(ColumnPlan.from_dict(column) for column in record["columns"]),
            findings=tuple(Finding.from_dict(finding) for finding in record["findings"]),
        )


def _without_copies(inferred: Mapping[str, Inferred], settings: Mapping[str, ColumnSettings]) -> dict[str, Inferred]:
    """Leave out columns that equal an earlier one in every row, unless a person says what they are."""
    typed = {name: column.typed for name, column in inferred.items() if not column.drop}
    copies = duplicate_columns(typed)
    return {
        name: replace(column, drop=f"it equals '{copies[name]}' in every row", code="duplicate_column")
        if name in copies and settings[name].type is None
        else column
        for name, column in inferred.items()
    }


def _with_words(inferred: Mapping[str, Inferred], frame: pl.DataFrame, telling: Telling) -> dict[str, Inferred]:
    """Use the words of short texts that tell something."""
    short = {
        name: _there(as_text(safely_named(frame.get_column(name))), column.typed)
        for name, column in inferred.items()
        if column.short_text and column.code == "id_column"
    }
    if not short:
        return dict(inferred)
    typed = pl.DataFrame([column.typed.alias(name) for name, column in inferred.items() if not column.drop])
    found = telling(typed, short)
    return {
        name: by_words(safely_named(frame.get_column(name)), column, found[name]) if name in found else column
        for name, column in inferred.items()
    }


def _there(texts: pl.Series, typed: pl.Series) -> pl.Series:
    """Give texts, null where the cell is missing."""
    return pl.select(pl.when(typed.is_not_null()).then(texts)).to_series()


def _column(name: str, inferred: Inferred | None, settings: ColumnSettings) -> ColumnPlan:
    if inferred is None:
        return ColumnPlan(name=name, kind="drop", reason="the settings say so")
    if inferred.drop:
        return ColumnPlan(name=name, kind="drop", reason=inferred.drop)
    reader, merged = inferred.reader, getattr(inferred.reader, "merged", {})
    return ColumnPlan(
        name=name,
        kind=reader.kind,
        reader=reader,
        reason=inferred.note,
        filled=settings.missing.learn(inferred.typed),
        contract=ColumnContract.learn(_watched(reader, inferred.typed)),
        usual={kind: count / len(inferred.typed) for kind, count in inferred.counts.counts().items()},
        merged={**inferred.forms, **{typo: level for typo, level in inferred.typos.items() if typo in merged}},
        proposed={typo: level for typo, level in inferred.typos.items() if typo not in merged},
    )


def _watched(reader: Reader | None, typed: pl.Series) -> pl.Series:
    """Give what a column's contract watches: its cells, of free text only whether it is there."""
    if reader is None or reader.kind != "text":
        return typed
    return typed.is_null().replace_strict({True: None, False: "given"}, return_dtype=pl.String)


def _nothing_left(plan: CleaningPlan) -> DataError:
    reasons = "; ".join(f"'{column.name}': {column.reason}" for column in plan.columns[:5])
    more = f"; and {len(plan.columns) - 5:,} more" if len(plan.columns) > 5 else ""
    rule = "At least one column besides the target must be of use."
    return DataError(f"{rule} {reasons}{more}.".replace(" .", "."), do="Add columns that tell something of a row.")


def _lacking(lacking: Sequence[str], given: list[str], others: Sequence[str]) -> ContractError:
    many = len(lacking) > 1
    names = ", ".join(map(repr, lacking[:10])) + (f" and {len(lacking) - 10:,} more" if len(lacking) > 10 else "")
    rule = f"The rows lack the column{'s' if many else ''} {names} that the model needs."
    do = f"Add {'them' if many else 'it'}; a cell may be empty where its value is unknown."
    return ContractError(rule, got=given, do=" ".join([*_renamed(lacking, others), do]))


def _renamed(lacking: Sequence[str], others: Sequence[str]) -> Iterator[str]:
    """Name columns that the model does not know and that may be those that lack."""
    folded = {name.strip().casefold(): name for name in others}
    for name in lacking[:5]:
        for close in difflib.get_close_matches(name.strip().casefold(), folded, n=1, cutoff=0.8):
            yield f"Is '{folded[close]}' what was called '{name}'?"
