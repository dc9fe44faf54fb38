"""Raw columns to typed ones: what a column is and how its cells are read, learned on training rows alone."""

from __future__ import annotations

from wellfit.data.cleaning.class_numbers import class_labels
from wellfit.data.cleaning.duplicates import repeated_rows
from wellfit.data.cleaning.leakage import find_leaks
from wellfit.data.cleaning.plan import CleaningPlan, ColumnPlan, Telling
from wellfit.data.cleaning.report import Coerced, CoercionReport
from wellfit.data.cleaning.set_aside import RowsLeft
from wellfit.data.cleaning.target import TargetPlan, TargetReport, misspelt_classes, rows_without_target

__all__ = [
    "CleaningPlan",
    "Coerced",
    "CoercionReport",
    "ColumnPlan",
    "RowsLeft",
    "TargetPlan",
    "TargetReport",
    "Telling",
    "class_labels",
    "find_leaks",
    "misspelt_classes",
    "repeated_rows",
    "rows_without_target",
]
