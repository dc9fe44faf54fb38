"""Rows to training, validation and test: which row goes where, before anything is learned from them.

A split depends on the number of rows, the classes of the target, the column that it names and the seed; on nothing
else.
"""

from __future__ import annotations

from wellfit.data.splitting.split import NOWHERE, Split
from wellfit.data.splitting.splits import METHODS, SPLITS, fold_rows, split_rows

__all__ = ["METHODS", "NOWHERE", "SPLITS", "Split", "fold_rows", "split_rows"]
