"""The selectors that ``features.select`` names."""

from __future__ import annotations

from wellfit.data.features.selectors import k_best, model_based, variance
from wellfit.data.features.selectors.selector import Candidates, Selector
from wellfit.registry import Entry, Family

__all__ = ["SELECTORS", "Candidates", "Selector"]

SELECTORS: Family[Entry] = Family("selectors", "selector", [k_best.ENTRY, variance.ENTRY, model_based.ENTRY])
