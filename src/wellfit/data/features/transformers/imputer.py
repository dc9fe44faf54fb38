"""scikit-learn's `SimpleImputer`."""

from __future__ import annotations

from typing import Any

import numpy as np

from wellfit.data.features.transformers.translation import TransformerEntry, refused

__all__ = ["ENTRY"]


def _filling(*, strategy: Any, fill_value: Any, add_indicator: bool) -> dict[str, Any]:
    known = ("mean", "median", "most_frequent", "constant")
    if strategy not in known:
        raise refused("SimpleImputer", "strategy", strategy, f"It may be {', '.join(known)}.")
    value = 0 if strategy == "constant" and fill_value is None else fill_value
    return {"name": strategy, "indicator": add_indicator} | ({"value": value} if strategy == "constant" else {})


ENTRY = TransformerEntry(
    name="SimpleImputer",
    summary="clean.missing: mean, median, most_frequent or constant",
    step="fills",
    make=_filling,
    fixed={"missing_values": (np.nan, None)},
    ignored=("copy", "keep_empty_features"),
)
