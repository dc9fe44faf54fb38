"""The `split` section: which rows train, which stop the training, which give the final score."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import model_validator

from wellfit.config.problems import Problem
from wellfit.config.rules import Either, Number, OneOf, Text, Whole
from wellfit.config.sections import SEED, Section

__all__ = ["Split"]

_NEEDED = {
    "column": "the column that says train, valid or test of each row",
    "group": "the column whose rows of one value stay together",
    "time": "the column that tells when each row was",
}


class Split(Section):
    """Which rows train, which stop the training, which give the final score."""

    method: Annotated[
        Literal["auto", "stratified", "random", "group", "time", "column", "files"],
        OneOf(
            "auto",
            "stratified",
            "random",
            "group",
            "time",
            "column",
            "files",
            remarks={
                **dict.fromkeys(("grouped", "groups"), "Did you mean 'group'?"),
                **dict.fromkeys(("temporal", "date", "chronological"), "Did you mean 'time'?"),
                **dict.fromkeys(("kfold", "k-fold", "folds"), "Set split.folds beside any method."),
            },
        ),
    ] = "auto"
    """How rows are dealt: auto is files with ``data.test`` or ``data.valid``, else stratified for classes and random
    for numbers; group and time go by ``column``."""
    test: Annotated[float, Number(0, 1, high_open=True, example=0.2)] = 0.2
    """Share of the rows for the final score, in [0, 1); not used with ``data.test``."""
    valid: Annotated[float, Number(0, 1, high_open=True, example=0.16)] = 0.16
    """Share of the rows for validation, in [0, 1); not used with ``data.valid`` or ``folds``."""
    seed: Annotated[int, SEED] = 42
    """Seed of the dealing, in [0, 2^32 - 1]."""
    column: Annotated[str | None, Either(null=True, rule=Text("a column's name", "split"))] = None
    """The column that says train, valid or test of each row, that groups rows, or that tells their time; for the
    methods column, group and time."""
    folds: Annotated[int | None, Either(null=True, rule=Whole(2, 100, example=5))] = None
    """How many parts the rows that do not test are dealt to, of which one validates; null: ``valid`` is drawn."""
    fold: Annotated[int, Whole(0, 99, example=0)] = 0
    """Which of the folds validates, from 0 on."""

    @model_validator(mode="after")
    def _fits(self) -> Split:
        if self.test + self.valid >= 1 and self.folds is None:
            raise Problem(
                "'test' and 'valid' of split must leave rows to train on: their sum must be below 1.",
                got=round(self.test + self.valid, 12),
                do="Try test: 0.2 and valid: 0.16.",
                path=("valid",),
            )
        if self.method in _NEEDED and self.column is None:
            raise Problem(
                f"Method {self.method} of split needs 'column', {_NEEDED[self.method]}.",
                do="Add column: NAME.",
                path=("method",),
            )
        if self.column is not None and self.method not in _NEEDED:
            raise Problem(
                f"'column' of split is for the methods column, group and time, and the method is {self.method}.",
                got=self.column,
                do="Try method: column.",
                path=("column",),
            )
        if self.fold >= (self.folds or 1):
            raise Problem(
                "'fold' of split must be one of the folds, counted from 0.",
                got=self.fold,
                do=f"Set folds to {self.fold + 1} or more." if self.folds is None else "Try fold: 0.",
                path=("fold",),
            )
        return self
