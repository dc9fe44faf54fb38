"""`CrossedColumn`: the category that a row has by the values of several columns, or by the exact value of one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from wellfit.data.compact import as_text, is_worded
from wellfit.data.features.derived import free_name
from wellfit.errors import ConfigError, did_you_mean

__all__ = ["CrossedColumn", "add_crossed", "crossed_columns"]

_JOINT = " & "
_WHOLE = 2.0**53
"""Numbers up to here are told apart as whole ones."""


@dataclass(frozen=True)
class CrossedColumn:
    """A category that is made of other columns.

    Numbers go by their exact value, moments by their day. A cell is missing where all its parts are.

    >>> frame = pl.DataFrame({"month": [6.0, 6.0, None], "day": [30.0, None, None]})
    >>> add_crossed(frame, [CrossedColumn("month & day", ("month", "day"))])["month & day"].to_list()
    ['6 & 30', '6 & &missing', None]
    """

    name: str
    of: tuple[str, ...]

    def apply(self, frame: pl.DataFrame) -> pl.Series:
        """Give the texts that name each row's values."""
        parts = [_texts(frame.get_column(name)) for name in self.of]
        if len(parts) == 1:
            return parts[0].alias(self.name)
        named = pl.DataFrame([part.alias(str(place)) for place, part in enumerate(parts)])
        # A part's own & is written twice, so that no two rows of different values get the same text.
        joint = pl.concat_str([pl.col(name).fill_null("&missing") for name in named.columns], separator=_JOINT)
        there = pl.any_horizontal(pl.all().is_not_null())
        return named.select(pl.when(there).then(joint)).to_series().alias(self.name)

    def as_dict(self) -> dict[str, Any]:
        """Give the column as JSON holds it."""
        return {"name": self.name, "of": list(self.of)}


def _texts(series: pl.Series) -> pl.Series:
    """Name each value: a number by its shortest digits, a moment by its day."""
    # Polars takes a name such as ^x$ for a pattern.
    series = series.alias("cell")
    if is_worded(series):
        return as_text(series).str.replace_all("&", "&&", literal=True)
    if isinstance(series.dtype, pl.Datetime):
        return series.dt.date().cast(pl.String)
    number = pl.col("cell")
    whole = (number == number.floor()) & (number.abs() < _WHOLE)
    text = pl.when(whole).then(number.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(number.cast(pl.String))
    return series.to_frame().select(text).to_series()


def crossed_columns(
    frame: pl.DataFrame, crosses: Sequence[Sequence[str]], *, texts: Collection[str] = ()
) -> tuple[CrossedColumn, ...]:
    """Name the crosses that a person states, or that were found.

    Args:
        frame: Typed training rows with the computed columns.
        crosses: The columns of each cross.
        texts: The columns of free text, which have no values to be told apart by.

    Raises:
        ConfigError: A cross names what is no feature, free text, or a category alone.

    >>> frame = pl.DataFrame({"month": [1.0, 2.0], "day": [1.0, 2.0]})
    >>> [column.name for column in crossed_columns(frame, [("month", "day"), ("day",)])]
    ['month & day', 'day by value']
    """
    known = {series.name: series for series in frame.get_columns()}
    taken, made = set(known), []
    for cross in crosses:
        for name in cross:
            if name not in known:
                rule = "'features.crosses' names columns that are features."
                raise ConfigError(rule, got=name, do=did_you_mean(name, known))
            if name in texts:
                rule = "'features.crosses' names columns of numbers, categories or dates."
                raise ConfigError(rule, got=f"'{name}', free text", do="Leave it out.")
        if len(cross) == 1 and is_worded(known[cross[0]]):
            rule = "A cross of one column takes the values of numbers or dates for categories."
            raise ConfigError(rule, got=f"'{cross[0]}', a category", do="Name a second column as well.")
        name = free_name(f"{cross[0]} by value" if len(cross) == 1 else _JOINT.join(cross), taken)
        taken.add(name)
        made.append(CrossedColumn(name, tuple(cross)))
    return tuple(made)


def add_crossed(frame: pl.DataFrame, columns: Sequence[CrossedColumn]) -> pl.DataFrame:
    """Put crosses behind the columns of a typed frame."""
    return frame.with_columns(column.apply(frame) for column in columns) if columns else frame
