"""`TargetPlan`: what is to be predicted, learned on training rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from wellfit.data.cleaning.categories import CategoryReader, counted, numeral, spelling_of
from wellfit.data.cleaning.class_numbers import Labels, numbers_of
from wellfit.data.cleaning.naming import safely_named
from wellfit.data.cleaning.number_style import decimal_mark
from wellfit.data.cleaning.numbers import NumberReader
from wellfit.data.cleaning.spellings import form_of, levels_by_form, same_forms
from wellfit.data.cleaning.tasks import MOST_CLASSES, TASKS, absent_cells, infer_task, pieces, task_of_classes
from wellfit.data.cleaning.typing_errors import typing_errors
from wellfit.data.compact import as_text
from wellfit.errors import ConfigError, DataError, did_you_mean

__all__ = ["TargetPlan", "TargetReport", "misspelt_classes", "rows_without_target"]


@dataclass(frozen=True, kw_only=True)
class TargetReport:
    """What became of a column of targets."""

    rows: int
    missing: int = 0
    """Rows without a target; id -1 or NaN."""
    unknown: int = 0
    """Rows whose label is no class of the model, or whose text is no number; id -1 or NaN."""
    matched: int = 0
    """Rows whose label differs from its class only in case, blanks, quotes or a final point."""
    examples: Mapping[str, str] = field(default_factory=dict)

    def sentences(self) -> list[str]:
        """Say what was found, a line for each kind."""
        unknown, matched = (f"such as {self.examples.get(kind, '')!r}" for kind in ("unknown", "matched"))
        lines = {
            f"{self.missing:,} rows have no target and are not scored.": self.missing,
            f"{self.unknown:,} rows have a target that the model doesn't know, {unknown}.": self.unknown,
            f"{self.matched:,} labels were matched in spite of another spelling, {matched}.": self.matched,
        }
        return [line for line, count in lines.items() if count]


@dataclass(frozen=True, kw_only=True)
class TargetPlan:
    """What is to be predicted: classes by number, or a standardised number.

    >>> plan = TargetPlan.fit(pl.Series("pay", ["<=50K", ">50K", "<=50K"]))
    >>> plan.task, plan.classes
    ('binary', ('<=50K', '>50K'))
    >>> ids, report = plan.encode(pl.Series("pay", [">50K.", "?"]))
    >>> ids.tolist(), report.matched, report.missing
    ([1, -1], 1, 1)
    """

    name: str
    task: str
    classes: tuple[Any, ...] = ()
    """The classes in order, in their own type; empty for regression."""
    counts: tuple[int, ...] = ()
    """How often each class stands in the training rows."""
    mean: float = 0.0
    std: float = 1.0
    """The population's standard deviation of the training targets, for regression."""
    low: float = 0.0
    high: float = 0.0
    decimal: str = "."
    spelling: str = "text"
    merged: Mapping[str, str] = field(default_factory=dict)
    """Labels that are typing errors, with the class they mean."""

    @classmethod
    def fit(cls, series: pl.Series, task: str = "auto", *, spellings: str = "suggest") -> TargetPlan:
        """Learn the task and its numbers from the targets of the training rows; missing ones are passed over.

        Args:
            series: The targets.
            task: ``auto``, ``binary``, ``multiclass`` or ``regression``.
            spellings: ``suggest`` takes labels of one form (other case, blanks, Unicode form) for one class, ``merge``
                also typing errors, ``keep`` neither.

        Raises:
            ConfigError: The task is none.
            DataError: There is nothing to learn: no value, one value, as many classes as rows, text for a number.
        """
        if task not in TASKS:
            raise ConfigError(f"'data.task' must be one of {', '.join(TASKS)}.", got=task, do=did_you_mean(task, TASKS))
        series = safely_named(series)
        given = series.filter(~absent_cells(series))
        if len(given) == 0:
            do = "Name another column, or give rows that have a target."
            raise DataError(f"The target '{series.name}' must have values.", got="none in the training rows", do=do)
        if given.n_unique() == 1:
            raise _constant(series.name, given[0])
        task_found = infer_task(given)
        if (task_found if task == "auto" else task) == "regression":
            return _regression(given)
        return _classes(given, task, spellings)

    def encode(self, series: pl.Series) -> tuple[np.ndarray[Any, Any], TargetReport]:
        """Turn targets into what a network is trained on, and say what did not fit.

        Returns:
            Class ids as int64, -1 where there is none; or standardised float32, NaN where there is none.
        """
        series = safely_named(series)
        absent = absent_cells(series)
        if self.task == "regression":
            read, _ = NumberReader(decimal=self.decimal).read(series)
            strange = series.filter(read.is_null().to_numpy() & ~absent)
            examples = {"unknown": str(strange[0])} if len(strange) else {}
            report = TargetReport(rows=len(series), missing=int(absent.sum()), unknown=len(strange), examples=examples)
            limit = np.finfo(np.float32).max
            return np.clip((read.to_numpy() - self.mean) / self.std, -limit, limit).astype(np.float32), report
        return self._encode_labels(series, absent)

    def _encode_labels(
        self, series: pl.Series, absent: np.ndarray[Any, np.dtype[np.bool_]]
    ) -> tuple[Labels, TargetReport]:
        reader = CategoryReader(spelling=self.spelling, words=False)
        ids: dict[str, int] = {}
        counts: Counter[str] = Counter()
        found = np.empty(len(series), dtype=np.int64)
        first = 0
        for part in pieces(series):
            rows = slice(first, first + len(part))
            texts = reader.read(part)[0]
            texts = texts.set(pl.Series(absent[rows]), None) if absent[rows].any() else texts
            its = counted(texts)
            ids |= {text: self._class_of(text) for text in its if text not in ids}
            counts.update(its)
            found[rows] = numbers_of(texts, {text: ids[text] for text in its})
            first += len(part)
        return found, self._told(ids, counts, rows=len(series), missing=int(absent.sum()))

    def _told(self, ids: Mapping[str, int], counts: Mapping[str, int], *, rows: int, missing: int) -> TargetReport:
        tally: dict[str, int] = {"unknown": 0, "matched": 0}
        examples: dict[str, str] = {}
        for text in sorted(counts):
            if text not in self._exact:
                kind = "unknown" if ids[text] < 0 else "matched"
                tally[kind] += counts[text]
                examples.setdefault(kind, text)
        return TargetReport(rows=rows, missing=missing, examples=examples, **tally)

    def _class_of(self, text: str) -> int:
        exact = self._exact.get(text)
        return self._other(text) if exact is None else exact

    @cached_property
    def _exact(self) -> dict[str, int]:
        return {_class_text(value): label for label, value in enumerate(self.classes)}

    @cached_property
    def _forms(self) -> dict[str, int]:
        """The classes by their form, less those that have the same."""
        return {form: self._exact[text] for form, text in levels_by_form(self._exact).items()}

    def _other(self, text: str) -> int:
        """Give the class of a label that is written in another way than any."""
        meant = self.merged.get(text)
        return self._forms.get(form_of(text), -1) if meant is None else self._exact[meant]

    def decode(self, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Turn class ids into classes, or standardised numbers into numbers of the target's scale."""
        if self.task == "regression":
            return np.asarray(values, dtype=np.float64) * self.std + self.mean
        classes: np.ndarray[Any, Any] = np.asarray(self.classes)
        return classes.take(values)

    def as_dict(self) -> dict[str, Any]:
        """Give the plan as JSON holds it."""
        names = ("name", "task", "mean", "std", "low", "high", "decimal", "spelling")
        plain = {name: getattr(self, name) for name in names}
        return {**plain, "classes": list(self.classes), "counts": list(self.counts), "merged": dict(self.merged)}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> TargetPlan:
        """Read a plan back from what `as_dict` gave."""
        return cls(**{**record, "classes": tuple(record["classes"]), "counts": tuple(record["counts"])})


def rows_without_target(frame: pl.DataFrame, target: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Say for each row whether its target is missing: empty, a missing marker, or NaN.

    >>> rows_without_target(pl.DataFrame({"y": ["1", "NA", " ", None]}), "y").tolist()
    [False, True, True, True]
    """
    return absent_cells(safely_named(frame.get_column(target)))


def _regression(given: pl.Series) -> TargetPlan:
    given, name = as_text(given), given.name
    if not (given.dtype == pl.String or given.dtype.is_numeric() or given.dtype == pl.Boolean):
        raise _no_number(name, given[0])
    reader = _text_reader(given) if given.dtype == pl.String else NumberReader(typed=True)
    read, counts = reader.read(given)
    if counts.infinite:
        do = "Mend these rows or leave the target empty."
        raise DataError(f"The target '{name}' must be finite.", got=f"{counts.infinite:,} infinite values", do=do)
    if read.null_count():
        raise _no_number(name, given.filter(read.is_null())[0])
    values = read.to_numpy()
    mean, std = float(values.mean()), float(values.std())
    if not std > 0.0:
        raise _constant(name, values[0])
    low, high = float(values.min()), float(values.max())
    return TargetPlan(name=name, task="regression", mean=mean, std=std, low=low, high=high, decimal=reader.decimal)


def _no_number(name: str, example: object) -> DataError:
    do = "Mend these cells or leave them empty, or state another task."
    return DataError(f"The target '{name}' must be a number in every row for regression.", got=example, do=do)


def _text_reader(given: pl.Series) -> NumberReader:
    return NumberReader(decimal=decimal_mark({text.strip() for text in given.head(10_000).unique().to_list()}))


def _classes(given: pl.Series, task: str, spellings: str) -> TargetPlan:
    name = given.name
    spelling = spelling_of(set(CategoryReader(words=False).read(given)[0].drop_nulls().unique().to_list()))
    texts = CategoryReader(spelling=spelling, words=False).read(given)[0]
    levels, typos = _merged(counted(texts), spelling, spellings)
    if len(levels) == 1:
        raise _constant(name, next(iter(levels)))
    if len(levels) > max(MOST_CLASSES, len(given) / 2):
        do = "It looks like an identifier or free text: name another column as the target."
        raise DataError(
            f"The target '{name}' must have fewer classes than half its rows.", got=f"{len(levels):,} classes", do=do
        )
    if task == "binary" and len(levels) != 2:
        raise DataError(f"The target '{name}' must have two classes.", got=len(levels), do="Set task: multiclass.")
    values = sorted((_class_value(text, given.dtype, spelling), count) for text, count in levels.items())
    classes, counts = zip(*values, strict=True)
    task = task if task != "auto" else task_of_classes(len(classes))
    return TargetPlan(name=name, task=task, classes=classes, counts=counts, spelling=spelling, merged=typos)


def _merged(levels: dict[str, int], spelling: str, spellings: str) -> tuple[dict[str, int], dict[str, str]]:
    """Take labels of one form for one class, and typing errors for what they mean; give the classes and the errors."""
    if spelling != "text" or spellings == "keep":
        return levels, {}
    # Single letters in both cases may be different classes: Y and y are one where one of them is rare.
    classes = _added(levels, same_forms(levels, letters=0))
    typos = typing_errors(classes) if spellings == "merge" else {}
    return _added(classes, typos), typos


def _added(levels: Mapping[str, int], meant: Mapping[str, str]) -> dict[str, int]:
    added: dict[str, int] = {}
    for text, count in levels.items():
        added[meant.get(text, text)] = added.get(meant.get(text, text), 0) + count
    return added


def misspelt_classes(plan: TargetPlan) -> dict[str, str]:
    """Give the classes that look like typing errors of another, with the one they mean.

    >>> misspelt_classes(TargetPlan.fit(pl.Series("y", ["high"] * 40 + ["low"] * 40 + ["hihg"])))
    {'hihg': 'high'}
    """
    if plan.spelling != "text" or plan.task == "regression":
        return {}
    return typing_errors(dict(zip(map(str, plan.classes), plan.counts, strict=True)))


def _class_value(text: str, dtype: pl.DataType, spelling: str) -> Any:
    """Give a class in its own type."""
    if spelling == "bool":
        return text == "true"
    if spelling != "number":
        return text
    return float(text) if dtype.is_float() or not text.lstrip("-").isdigit() else int(text)


def _class_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return numeral(repr(value)) if isinstance(value, (int, float)) else value


def _constant(name: str, value: object) -> DataError:
    do = "Nothing can be learned from it: name another column, or give rows of other values."
    return DataError(f"The target '{name}' must have at least two different values.", got=value, do=do)
