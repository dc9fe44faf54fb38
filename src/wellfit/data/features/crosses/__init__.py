"""Crosses: columns taken together, or by their exact values, as one category."""

from __future__ import annotations

from wellfit.data.features.crosses.column import CrossedColumn, add_crossed, crossed_columns
from wellfit.data.features.crosses.search import find_crosses

__all__ = ["CrossedColumn", "add_crossed", "crossed_columns", "find_crosses"]
