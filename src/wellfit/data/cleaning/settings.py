"""What a person says of a column's cleaning; every setting has a default that asks for nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from wellfit.data.cleaning.filling import FILLS, Fill
from wellfit.errors import ConfigError, did_you_mean

__all__ = ["KINDS", "ColumnSettings", "settings_of"]

KINDS = ("number", "category", "datetime", "text", "drop")
TYPES = ("correct", "keep")
SPELLINGS = ("suggest", "merge", "keep")
DATES = ("dmy", "mdy")


@dataclass(frozen=True, kw_only=True)
class ColumnSettings:
    """How one column is to be cleaned."""

    type: str | None = None
    """What it is, where a person says so: ``number``, ``category``, ``datetime``, ``text`` or ``drop``."""
    types: str = "correct"
    """``correct`` reads numbers and dates out of decorated text; ``keep`` takes only plain numbers for numbers."""
    spellings: str = "suggest"
    """``suggest`` merges forms of one spelling and proposes typing errors, ``merge`` merges both, ``keep`` none."""
    missing: Fill = field(default_factory=Fill)
    """What missing cells become."""
    markers: tuple[str, ...] = ()
    """Further texts and numbers that stand for a missing cell."""
    keep: tuple[str, ...] = ()
    """Texts that are levels, although they stand for a missing cell elsewhere."""
    unit: str | None = None
    """The unit that numbers of mixed units are turned into."""
    dates: str | None = None
    """``dmy`` or ``mdy`` where the day and the month could be either."""

    @property
    def numbers(self) -> tuple[float, ...]:
        """The markers that are numbers."""
        return tuple(value for marker in self.markers if (value := _number(marker)) is not None)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def settings_of(
    names: Iterable[str], common: Mapping[str, Any], columns: Mapping[str, Any]
) -> dict[str, ColumnSettings]:
    """Give the settings of each column: those of all, overruled by its own.

    Args:
        names: The table's columns.
        common: ``types``, ``spellings`` and ``missing`` for every column.
        columns: By column a kind, or a mapping of its own settings: ``{"zip": {"type": "category"}}``.

    Raises:
        ConfigError: A column isn't there, or a setting is none.

    >>> settings_of(["a", "b"], {"missing": "mean"}, {"b": {"missing": "median"}})["b"].missing.name
    'median'
    """
    known = list(names)
    shared = _checked("clean", "", ColumnSettings(), common)
    settings = dict.fromkeys(known, shared)
    for name, given in columns.items():
        if name not in settings:
            rule = "'features.columns' and 'clean.columns' name columns of the table."
            raise ConfigError(rule, got=name, do=did_you_mean(name, known))
        own = given if isinstance(given, Mapping) else {"type": given}
        settings[name] = _checked(f"clean.columns.{name}", name, shared, own)
    return settings


def _checked(where: str, column: str, settings: ColumnSettings, given: Mapping[str, Any]) -> ColumnSettings:
    words = {"types": TYPES, "spellings": SPELLINGS, "dates": DATES, "type": KINDS}
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key in words and value is not None and value not in words[key]:
            rule = f"'{where}.{key}' must be one of {', '.join(words[key])}."
            rule = f"The type of column '{column}' must be one of {', '.join(KINDS)}." if key == "type" else rule
            raise ConfigError(rule, got=value, do=did_you_mean(value, words[key]))
        if key == "missing":
            values[key] = Fill.of(value, where=where)
        elif key in ("markers", "keep"):
            values[key] = tuple(str(text) for text in value)
        elif value is not None:
            values[key] = value
    if column and "missing" in values:
        values["missing"] = replace(values["missing"], stated=values["missing"].name in FILLS)
    return replace(settings, **values)
