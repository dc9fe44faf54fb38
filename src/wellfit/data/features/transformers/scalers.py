"""scikit-learn's scalers."""

from __future__ import annotations

from typing import Any

from wellfit.data.features.transformers.translation import TransformerEntry

__all__ = ["ENTRIES"]


def _quantile(*, n_quantiles: int, output_distribution: str) -> dict[str, Any]:
    return {"name": "quantile", "quantiles": n_quantiles, "output": output_distribution}


ENTRIES = [
    TransformerEntry(
        name="StandardScaler",
        summary="the scaler standard",
        step="scalers",
        make=lambda: {"name": "standard"},
        fixed={"with_mean": (True,), "with_std": (True,)},
        ignored=("copy",),
    ),
    TransformerEntry(
        name="MinMaxScaler",
        summary="the scaler minmax",
        step="scalers",
        make=lambda: {"name": "minmax"},
        fixed={"feature_range": ((0, 1),), "clip": (False,)},
        ignored=("copy",),
    ),
    TransformerEntry(
        name="RobustScaler",
        summary="the scaler robust without its clip; columns whose quartiles are equal are divided by half their range",
        step="scalers",
        make=lambda: {"name": "robust", "clip": None},
        fixed={
            "with_centering": (True,),
            "with_scaling": (True,),
            "quantile_range": ((25.0, 75.0),),
            "unit_variance": (False,),
        },
        ignored=("copy",),
    ),
    TransformerEntry(
        name="QuantileTransformer",
        summary="the scaler quantile, learned from all rows and not from a sample",
        step="scalers",
        make=_quantile,
        ignored=("copy", "ignore_implicit_zeros", "random_state", "subsample"),
    ),
]
