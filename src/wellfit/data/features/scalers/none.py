"""No scaling: numbers as they are."""

from __future__ import annotations

from typing import Any, Self

from wellfit.data.features.scalers.scaler import Columns, Floats, Scaler
from wellfit.registry import Entry

__all__ = ["ENTRY", "Unscaled"]


class Unscaled(Scaler):
    """Leaves values as they are."""

    @classmethod
    def fit(cls, values: Columns, **options: Any) -> Self:
        """Learn nothing."""
        return cls()

    def apply(self, values: Floats) -> Floats:
        """Give the values back."""
        return values

    def as_dict(self) -> dict[str, Any]:
        """Give nothing: there is nothing to keep."""
        return {}


ENTRY = Entry(name="none", summary="numbers as they are", make=Unscaled, formula="x")
