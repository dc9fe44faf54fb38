"""What missing cells become: the mean, the median, the most frequent value or a constant, with a flag beside it.

Without any of these the features decide: numbers take the median and a flag, categories a slot of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from wellfit.data.compact import as_text, is_worded
from wellfit.errors import ConfigError, did_you_mean

__all__ = ["FILLS", "Fill", "Filled"]

FILLS = ("mean", "median", "most_frequent", "constant")


@dataclass(frozen=True, kw_only=True)
class Fill:
    """How a column's missing cells are filled.

    >>> Fill.of({"name": "constant", "value": 0}, where="clean").learn(pl.Series("a", [1.0, None]))
    Filled(value=0.0, flag=True)
    """

    name: str = "auto"
    value: float | int | str | None = None
    """The constant."""
    indicator: bool = True
    """Whether a column says where cells were missing, if any training cell was."""
    stated: bool = False
    """Whether it was asked for this very column, and not for all of them."""

    @classmethod
    def of(cls, given: Any, where: str) -> Fill:
        """Read a name, or a mapping of a name and its options.

        Raises:
            ConfigError: There is no such way to fill, or a constant without a value.
        """
        if isinstance(given, Fill):
            return given
        options: dict[str, Any] = (
            dict(given) if isinstance(given, Mapping) else {"name": "auto" if given is None else given}
        )
        name = options.get("name", "constant" if "value" in options else "auto")
        if name not in ("auto", *FILLS):
            rule = f"'{where}.missing' must be one of auto, {', '.join(FILLS)}."
            raise ConfigError(rule, got=name, do=did_you_mean(name, FILLS))
        if (name == "constant") != (options.get("value") is not None):
            do = "Try {name: constant, value: 0}."
            raise ConfigError(f"'{where}.missing' needs a value with constant, and only with it.", got=given, do=do)
        return cls(name=name, value=options.get("value"), indicator=options.get("indicator", True))

    def learn(self, typed: pl.Series) -> Filled | None:
        """Give what fills a typed column of training rows, or None where its features decide.

        Raises:
            ConfigError: The column's type has no such value.
        """
        if self.name == "auto" or typed.null_count() == len(typed):
            return None
        if self.name in ("mean", "median") and is_worded(typed):
            if self.stated:
                rule = f"The category '{typed.name}' has no {self.name}."
                raise ConfigError(rule, do="Fill it by most_frequent or a constant.")
            return None
        value = self._constant(typed) if self.name == "constant" else _statistic(typed, self.name)
        return None if value is None else Filled(value=value, flag=self.indicator and typed.null_count() > 0)

    def _constant(self, typed: pl.Series) -> float | str | None:
        try:
            if typed.dtype == pl.Float64:
                return float(self.value)  # type: ignore[arg-type]
            if isinstance(typed.dtype, pl.Datetime):
                return datetime.fromisoformat(str(self.value)).isoformat()
            return str(self.value)
        except (TypeError, ValueError):
            if not self.stated:
                return None
            rule = f"The constant for '{typed.name}' must be of the column's type."
            raise ConfigError(rule, got=self.value, do="Give a number for numbers, 2020-01-31 for dates.") from None


def _statistic(typed: pl.Series, name: str) -> float | str:
    known = typed.drop_nulls()
    if name == "most_frequent":
        # The least of several that are equally frequent, as scikit-learn's SimpleImputer takes.
        value: Any = known.mode().sort()[0]
    else:
        value = known.mean() if name == "mean" else known.median()
    return value.isoformat() if isinstance(value, datetime) else value


@dataclass(frozen=True, kw_only=True)
class Filled:
    """What a column's missing cells become, as a plain number or text."""

    value: float | str
    """The number, the level, or the moment in ISO 8601."""
    flag: bool = True
    """Whether a column of zeros and ones says where cells were missing."""

    def apply(self, typed: pl.Series) -> list[pl.Series]:
        """Give the filled column, and the flag behind it.

        >>> [series.to_list() for series in Filled(value=2.0).apply(pl.Series("a", [1.0, None]))]
        [[1.0, 2.0], [0.0, 1.0]]
        """
        value: Any = self.value
        if isinstance(typed.dtype, pl.Datetime):
            value = pl.lit(datetime.fromisoformat(str(value)), dtype=typed.dtype)
        filled = as_text(typed).to_frame("cell").select(pl.col("cell").fill_null(value)).to_series().alias(typed.name)
        flag = typed.is_null().cast(pl.Float64).alias(f"{typed.name} is missing")
        return [filled, flag] if self.flag else [filled]

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON holds it."""
        return {"value": self.value, "flag": self.flag}
