"""scikit-learn's `PolynomialFeatures`."""

from __future__ import annotations

from typing import Any

import numpy as np

from wellfit.data.features.transformers.translation import TransformerEntry, refused

__all__ = ["ENTRY"]


def _polynomials(*, degree: Any, interaction_only: bool) -> dict[str, Any]:
    if isinstance(degree, bool) or not isinstance(degree, (int, np.integer)):
        raise refused("PolynomialFeatures", "degree", degree, "Give the highest degree.")
    return {"degree": int(degree), "interactions_only": interaction_only}


ENTRY = TransformerEntry(
    name="PolynomialFeatures",
    summary="features.polynomials: products of all numbers, without the constant",
    step="polynomials",
    make=_polynomials,
    ignored=("include_bias", "order"),
)
