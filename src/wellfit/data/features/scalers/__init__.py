"""The scalers that ``features.scale`` names."""

from __future__ import annotations

from wellfit.data.features.scalers import minmax, none, quantile, robust, standard
from wellfit.data.features.scalers.scaler import Scaler
from wellfit.registry import Entry, Family

__all__ = ["SCALERS", "Scaler"]

SCALERS: Family[Entry] = Family(
    "scalers", "scaler", [standard.ENTRY, minmax.ENTRY, robust.ENTRY, quantile.ENTRY, none.ENTRY]
)
