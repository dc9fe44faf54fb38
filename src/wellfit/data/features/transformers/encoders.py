"""scikit-learn's encoders."""

from __future__ import annotations

from typing import Any

import numpy as np

from wellfit.data.features.transformers.translation import TransformerEntry, refused

__all__ = ["ENTRIES"]

_LEVELS = {"categories": ("auto",), "min_frequency": (None,), "max_categories": (None,)}


def _target(*, smooth: Any, cv: Any, random_state: Any = None) -> dict[str, Any]:
    if isinstance(cv, bool) or not isinstance(cv, (int, np.integer)):
        raise refused("TargetEncoder", "cv", type(cv).__name__, "Give the number of folds.")
    seed = int(random_state) if isinstance(random_state, (int, np.integer)) else 0
    smoothing = None if isinstance(smooth, str) and smooth == "auto" else smooth
    return {"name": "target", "smooth": smoothing, "folds": int(cv), "seed": seed}


ENTRIES = [
    TransformerEntry(
        name="OneHotEncoder",
        summary="the encoder onehot; unseen levels have no flag, whatever handle_unknown says",
        step="encoders",
        make=lambda: {"name": "onehot"},
        fixed={**_LEVELS, "drop": (None,)},
        ignored=("sparse_output", "dtype", "handle_unknown", "feature_name_combiner"),
    ),
    TransformerEntry(
        name="OrdinalEncoder",
        summary="the encoder ordinal, then scaled as other numbers; unseen levels are -1",
        step="encoders",
        make=lambda: {"name": "ordinal"},
        fixed={**_LEVELS, "unknown_value": (None, -1), "encoded_missing_value": (np.nan,)},
        ignored=("dtype", "handle_unknown"),
    ),
    TransformerEntry(
        name="TargetEncoder",
        summary="the encoder target, then scaled as other numbers",
        step="encoders",
        make=_target,
        fixed={"categories": ("auto",), "shuffle": (True, "deprecated")},
        ignored=("target_type",),
    ),
]
