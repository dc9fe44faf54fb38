"""Columns that are computed from others: expressions, ratios and polynomials of a table's numbers."""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from wellfit.data.features.expressions import Expression, quoted
from wellfit.errors import ConfigError, did_you_mean

__all__ = ["DerivedColumn", "MOST_DERIVED", "add_derived", "derived_columns", "free_name"]

MOST_DERIVED = 2000
"""How many columns ratios and polynomials may make."""

_DAY = 86_400_000_000


@dataclass(frozen=True)
class DerivedColumn:
    """A number column that is computed from others."""

    name: str
    text: str
    """The expression it is computed by."""

    @cached_property
    def expression(self) -> Expression:
        """The expression, read."""
        return Expression(self.text)

    def as_dict(self) -> dict[str, str]:
        """Give the column as JSON holds it."""
        return {"name": self.name, "expression": self.text}


def derived_columns(
    frame: pl.DataFrame,
    derive: Mapping[str, str],
    *,
    ratios: Mapping[str, Any] | None = None,
    polynomials: Mapping[str, Any] | None = None,
) -> tuple[DerivedColumn, ...]:
    """Decide which columns are computed, in order; each may use those before it.

    Args:
        frame: Typed training rows.
        derive: An expression by the name of its column.
        ratios: Which numbers are divided by one another: ``{"columns": names or None for all}``; None for none.
        polynomials: ``{"degree": 2, "columns": ..., "interactions_only": False}``, products as scikit-learn's
            ``PolynomialFeatures`` makes them; None for none.

    Raises:
        ConfigError: A name is taken or is no number column's, or the columns would be too many.

    >>> frame = pl.DataFrame({"a": [1.0, 2.0], "b": [0.0, 4.0]})
    >>> made = derived_columns(frame, {"share": "a / b"}, polynomials={"degree": 2})
    >>> [column.name for column in made]
    ['share', 'a^2', 'a b', 'b^2']
    >>> add_derived(frame, made[:1])["share"].to_list()
    [None, 0.5]
    """
    known = {series.name: _computable(series) for series in frame.get_columns()}
    made = []
    for name, text in derive.items():
        made.append(_stated(name, text, known))
        known[name] = True
    numbers = [series.name for series in frame.get_columns() if series.dtype == pl.Float64]
    for column in itertools.chain(_ratios(numbers, ratios), _polynomials(numbers, polynomials)):
        if len(made) >= MOST_DERIVED + len(derive):
            rule = f"Ratios and polynomials may make at most {MOST_DERIVED:,} columns."
            raise ConfigError(rule, got=f"{len(numbers):,} number columns", do="Name fewer in their 'columns'.")
        made.append(DerivedColumn(free_name(column.name, known), column.text))
        known[made[-1].name] = True
    return tuple(made)


def add_derived(frame: pl.DataFrame, columns: Sequence[DerivedColumn]) -> pl.DataFrame:
    """Compute columns from a typed frame and put them behind its own, Float64."""
    numbers: dict[str, pl.Series] = {}
    made: list[pl.Series] = []
    for column in columns:
        for name in column.expression.columns:
            if name not in numbers:
                numbers[name] = _as_number(frame.get_column(name))
        numbers[column.name] = column.expression.apply(numbers, frame.height).alias(column.name)
        made.append(numbers[column.name])
    return pl.DataFrame([*frame.get_columns(), *made]) if made else frame


def _computable(series: pl.Series) -> bool:
    return series.dtype == pl.Float64 or isinstance(series.dtype, pl.Datetime)


def _as_number(series: pl.Series) -> pl.Series:
    """Give numbers as they are, and moments as days since 1970."""
    if isinstance(series.dtype, pl.Datetime):
        return series.cast(pl.Datetime("us")).cast(pl.Int64) / _DAY
    return series


def _stated(name: str, text: str, known: Mapping[str, bool]) -> DerivedColumn:
    if name in known:
        rule = "A column that features.derive makes has a name of its own."
        raise ConfigError(rule, got=name, do=f"Try '{free_name(name, known)}'.")
    column = DerivedColumn(name, text)
    for used in column.expression.places:
        where = f"'features.derive.{name}', character {used.place}"
        if used.name not in known:
            rule = f"{where}: there is no such column among the features."
            raise ConfigError(rule, got=used.name, do=did_you_mean(used.name, known))
        if not known[used.name]:
            do = f"Set features.columns.{used.name}.type to number if it holds numbers."
            raise ConfigError(f"{where}: only numbers and dates can be computed with.", got=used.name, do=do)
    return column


def free_name(name: str, known: Container[str]) -> str:
    """Give a name that no column has: the one wanted, with as many underscores as that takes."""
    while name in known:
        name += "_"
    return name


def _chosen(numbers: Sequence[str], given: Mapping[str, Any], key: str) -> Sequence[str]:
    names: Sequence[str] | None = given.get("columns")
    if names is None:
        return numbers
    for name in names:
        if name not in numbers:
            rule = f"'features.{key}.columns' names number columns."
            raise ConfigError(rule, got=name, do=did_you_mean(name, numbers))
    return names


def _ratios(numbers: Sequence[str], given: Mapping[str, Any] | None) -> Iterator[DerivedColumn]:
    """Divide each number by each other one."""
    if given is not None:
        for over, under in itertools.permutations(_chosen(numbers, given, "ratios"), 2):
            yield DerivedColumn(f"{over} / {under}", f"{quoted(over)} / {quoted(under)}")


def _polynomials(numbers: Sequence[str], given: Mapping[str, Any] | None) -> Iterator[DerivedColumn]:
    """Multiply numbers with themselves and one another, in scikit-learn's order and under its names."""
    if given is None:
        return
    names = _chosen(numbers, given, "polynomials")
    pick = itertools.combinations if given.get("interactions_only") else itertools.combinations_with_replacement
    for degree in range(2, given.get("degree", 2) + 1):
        for factors in pick(names, degree):
            yield _product(factors)


def _product(factors: Iterable[str]) -> DerivedColumn:
    powers = [(name, len(list(same))) for name, same in itertools.groupby(factors)]
    name = " ".join(f"{name}^{power}" if power > 1 else name for name, power in powers)
    return DerivedColumn(name, " * ".join(f"{quoted(name)} ** {power}" for name, power in powers))
