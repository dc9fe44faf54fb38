"""`CleaningPlan`: what each raw column is and how it is read, learned on training rows, replayed everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from wellfit.data.cleaning.inference import Inferred, Reader, as_reader, infer, refuse_nested
from wellfit.data.cleaning.naming import safely_named
from wellfit.data.cleaning.report import Coerced, CoercionReport
from wellfit.errors import ConfigError, ContractError, DataError, did_you_mean
from wellfit.findings import Finding, Remedy

__all__ = ["CleaningPlan", "ColumnPlan"]

KINDS = ("number", "category", "datetime", "drop")


@dataclass(frozen=True, kw_only=True)
class ColumnPlan:
    """What one raw column is."""

    name: str
    kind: str
    """``number``, ``category``, ``datetime`` or ``drop``."""
    reader: Reader | None = None
    """How its cells are read; None where it is dropped."""
    reason: str = ""
    """Why it is dropped, or what of it is not used."""

    def as_dict(self) -> dict[str, Any]:
        """Give the column's plan as JSON holds it."""
        settings = None if self.reader is None else self.reader.as_dict()
        return {"name": self.name, "kind": self.kind, "settings": settings, "reason": self.reason}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> ColumnPlan:
        """Read a column's plan back from what `as_dict` gave."""
        settings = record["settings"]
        reader = None if settings is None else as_reader(record["kind"], settings)
        return cls(name=record["name"], kind=record["kind"], reader=reader, reason=record["reason"])


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
        cls, frame: pl.DataFrame, *, types: str = "correct", columns: Mapping[str, Any] | None = None
    ) -> CleaningPlan:
        """Decide on every column of the training rows.

        Args:
            frame: The raw feature columns of the training rows, without the target.
            types: ``correct`` also reads numbers out of decorated text (``$1,234``); ``keep`` doesn't.
            columns: What a person says of columns: ``{"zip": {"type": "category"}}``.

        Raises:
            ConfigError: A stated column isn't there, or its type is none.
            DataError: Cells are nested, or no column is of use.
        """
        stated = _checked(columns or {}, frame.columns, types)
        if frame.height == 0:
            raise DataError("The training rows must not be empty.", do="Give a table with rows.")
        mixed = any(dtype != pl.String for dtype in frame.dtypes)
        plans: list[ColumnPlan] = []
        findings: list[Finding] = []
        for series in frame.get_columns():
            if stated.get(series.name) == "drop":
                plans.append(ColumnPlan(name=series.name, kind="drop", reason="the settings say so"))
                continue
            inferred = infer(safely_named(series), kind=stated.get(series.name), types=types)
            plans.append(_column(series.name, inferred))
            findings.extend(_findings(safely_named(series), inferred, mixed))
        plan = cls(columns=tuple(plans), findings=tuple(findings))
        if not plan.used:
            raise _nothing_left(plan)
        return plan

    def apply(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, CoercionReport]:
        """Read raw rows into typed columns: Float64, String or Datetime, null where a cell is missing.

        Columns are matched by name, in any order; columns that the plan doesn't know are ignored and reported.

        Raises:
            ContractError: A column that is used is missing, or holds what it can't be read from.
        """
        there = set(frame.columns)
        lacking = [column.name for column in self.used if column.name not in there]
        if lacking:
            raise _lacking(lacking, frame.columns)
        read: list[pl.Series] = []
        counts: dict[str, Coerced] = {}
        for column in self.used:
            series = safely_named(frame.get_column(column.name))
            refuse_nested(series)
            typed, counts[column.name] = column.reader.read(series)  # type: ignore[union-attr]
            read.append(typed.alias(column.name))
        return pl.DataFrame(read), self._report(frame, counts)

    def _report(self, frame: pl.DataFrame, counts: Mapping[str, Coerced]) -> CoercionReport:
        there, known = set(frame.columns), {column.name for column in self.columns}
        return CoercionReport(
            rows=frame.height,
            columns=counts,
            extra_columns=tuple(name for name in frame.columns if name not in known),
            missing_columns=tuple(column.name for column in self.columns if column.name not in there),
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


def _checked(columns: Mapping[str, Any], names: Iterable[str], types: str) -> dict[str, str]:
    if types not in ("correct", "keep"):
        raise ConfigError(
            "'clean.types' must be correct or keep.", got=types, do=did_you_mean(types, ("correct", "keep"))
        )
    stated = {}
    for name, given in columns.items():
        kind = given.get("type") if isinstance(given, Mapping) else given
        if name not in set(names):
            raise ConfigError("'features.columns' names columns of the table.", got=name, do=did_you_mean(name, names))
        if kind not in KINDS:
            rule = f"The type of column '{name}' must be one of {', '.join(KINDS)}."
            raise ConfigError(rule, got=kind, do=did_you_mean(kind, KINDS))
        stated[name] = kind
    return stated


def _column(name: str, inferred: Inferred) -> ColumnPlan:
    if inferred.drop:
        return ColumnPlan(name=name, kind="drop", reason=inferred.drop)
    return ColumnPlan(name=name, kind=inferred.reader.kind, reader=inferred.reader, reason=inferred.note)


def _findings(series: pl.Series, inferred: Inferred, mixed: bool) -> Iterable[Finding]:
    name, rows, counts = series.name, len(series), inferred.counts
    if inferred.drop or inferred.note:
        done = f"'{name}' is left out: {inferred.drop}." if inferred.drop else f"'{name}': {inferred.note}."
        remedy = Remedy(path=f"features.columns.{name}.type", value=inferred.reader.kind, why="to use it all the same")
        remedies = (remedy,) if inferred.code == "id_column" else ()
        yield Finding(code=inferred.code, severity="info", where=name, message=done, remedies=remedies)
    if inferred.drop:
        return
    lost = counts.missing + counts.unparsed
    if lost:
        evidence = {"cells": lost, "share": lost / rows, "unparsed": counts.unparsed}
        message = f"'{name}': {lost:,} of {rows:,} training cells are missing."
        yield Finding(code="missing_values", severity="info", where=name, message=message, evidence=evidence)
    if counts.infinite:
        message = f"'{name}': {counts.infinite:,} training cells are infinite and count as missing."
        evidence = {"cells": counts.infinite}
        yield Finding(code="infinite_values", severity="info", where=name, message=message, evidence=evidence)
    yield from _text_numbers(series, inferred, mixed)


def _text_numbers(series: pl.Series, inferred: Inferred, mixed: bool) -> Iterable[Finding]:
    if series.dtype != pl.String or inferred.reader.kind != "number":
        return
    comma = getattr(inferred.reader, "decimal", ".") == ","
    cells = series.len() - inferred.counts.missing if mixed or comma else inferred.counts.converted
    if cells:
        example = inferred.counts.examples.get("converted") or series.drop_nulls()[0]
        message = f"'{series.name}': {cells:,} training cells are numbers written as text, such as {example!r}."
        evidence = {"cells": cells}
        yield Finding(code="numbers_as_text", severity="info", where=series.name, message=message, evidence=evidence)


def _nothing_left(plan: CleaningPlan) -> DataError:
    reasons = "; ".join(f"'{column.name}': {column.reason}" for column in plan.columns[:5])
    more = f"; and {len(plan.columns) - 5:,} more" if len(plan.columns) > 5 else ""
    rule = "At least one column besides the target must be of use."
    return DataError(f"{rule} {reasons}{more}.".replace(" .", "."), do="Add columns that tell something of a row.")


def _lacking(lacking: list[str], given: list[str]) -> ContractError:
    many = len(lacking) > 1
    names = ", ".join(map(repr, lacking[:10])) + (f" and {len(lacking) - 10:,} more" if len(lacking) > 10 else "")
    rule = f"The rows lack the column{'s' if many else ''} {names} that the model needs."
    do = f"Add {'them' if many else 'it'}; a cell may be empty where its value is unknown."
    return ContractError(rule, got=given, do=do)
