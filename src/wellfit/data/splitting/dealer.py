"""What every way of dealing rows is: drawing a share of some rows, and dividing them into folds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from wellfit.data.splitting.permutation import all_rows
from wellfit.data.splitting.split import Request, Rows, Split
from wellfit.errors import DataError

__all__ = ["Dealer"]


class Dealer(ABC):
    """Deals the rows of one table; test rows are drawn first, validation rows from the rest."""

    method: ClassVar[str]

    def __init__(self, request: Request) -> None:
        self.request = request
        self.notes: list[str] = []
        """What had to be done otherwise than asked for, and why."""

    @abstractmethod
    def draw(self, rows: Rows, share: float) -> tuple[Rows, Rows]:
        """Draw a share of some rows; give those that stay and those that were drawn, neither empty."""

    @abstractmethod
    def divide(self, rows: Rows, folds: int) -> Iterator[tuple[Rows, Rows]]:
        """Divide some rows into folds; give for each the rows that train and those that validate."""

    def split(self) -> Split:
        """Deal the rows to training, validation and test."""
        rest, tested = self._apart()
        trained, validated = self.draw(rest, self.request.share) if self.request.valid else (rest, rest[:0])
        return self._split(trained, validated, tested)

    def folds(self, count: int) -> tuple[Split, ...]:
        """Deal the rows that do not test into folds, each of which validates in one of the splits."""
        rest, tested = self._apart()
        if len(rest) < count:
            raise DataError("Each fold must have a row.", got=f"{len(rest):,} rows to divide", do="Give more rows.")
        return tuple(self._split(trained, validated, tested) for trained, validated in self.divide(rest, count))

    def _apart(self) -> tuple[Rows, Rows]:
        """Give the rows that do not test and those that do."""
        request = self.request
        least = 1 + bool(request.test) + bool(request.valid)
        if request.frame.height < least:
            needed = ("one row", "two rows", "three rows: one to train, one to validate, one to test")[least - 1]
            raise DataError(f"A split needs at least {needed}.", got=request.frame.height, do="Give more rows.")
        rows = all_rows(request.frame.height)
        return self.draw(rows, request.test) if request.test else (rows, rows[:0])

    def _split(self, trained: Rows, validated: Rows, tested: Rows) -> Split:
        notes = tuple(dict.fromkeys(self.notes))
        count = self.request.frame.height
        return Split.of_rows(count, train=trained, valid=validated, test=tested, method=self.method, notes=notes)
