"""scikit-learn's selectors."""

from __future__ import annotations

from typing import Any

from wellfit.data.features.transformers.translation import TransformerEntry, refused

__all__ = ["ENTRIES"]

_SCORES = {
    **dict.fromkeys(("f_classif", "f_regression"), "f"),
    **dict.fromkeys(("mutual_info_classif", "mutual_info_regression"), "mutual_information"),
    "chi2": "chi2",
}
_MODELS = {
    **dict.fromkeys(("ExtraTreesClassifier", "ExtraTreesRegressor"), "trees"),
    **dict.fromkeys(("LogisticRegression", "Ridge"), "linear"),
}
_FREE = {"random_state", "n_jobs", "max_iter", "verbose"}
"""Settings of a model that don't change what it is."""


def _k_best(*, score_func: Any, k: Any) -> dict[str, Any]:
    name = getattr(score_func, "__name__", "")
    of_sklearn = getattr(score_func, "__module__", "").startswith("sklearn.")
    if not of_sklearn or name not in _SCORES:
        raise refused("SelectKBest", "score_func", name or score_func, f"It may be {', '.join(_SCORES)}.")
    if not isinstance(k, int):
        raise refused("SelectKBest", "k", k, "Give a number.")
    return {"name": "k_best", "k": k, "score": _SCORES[name]}


def _from_model(*, estimator: Any, threshold: Any, max_features: Any) -> dict[str, Any]:
    name = type(estimator).__name__
    if name not in _MODELS:
        raise refused("SelectFromModel", "estimator", name, f"It may be {', '.join(_MODELS)}.")
    settings, usual = estimator.get_params(deep=False), type(estimator)().get_params(deep=False)
    for key in sorted(set(settings) - _FREE):
        if settings[key] != usual[key]:
            raise refused(name, key, settings[key], f"Leave it at {usual[key]!r}.")
    if threshold not in (None, "mean", "median"):
        raise refused("SelectFromModel", "threshold", threshold, "It may be 'mean' or 'median'.")
    seed = settings.get("random_state")
    return {
        "name": "model_based",
        "model": _MODELS[name],
        "threshold": threshold or "mean",
        "k": max_features,
        "seed": seed if isinstance(seed, int) else 0,
    }


ENTRIES = [
    TransformerEntry(
        name="SelectKBest",
        summary="the selector k_best; F statistics and mutual information are of the kind that the target asks for",
        step="selectors",
        make=_k_best,
    ),
    TransformerEntry(
        name="VarianceThreshold",
        summary="the selector variance, of numbers before they are scaled",
        step="selectors",
        make=lambda threshold: {"name": "variance", "threshold": threshold},
    ),
    TransformerEntry(
        name="SelectFromModel",
        summary="the selector model_based, of extra trees, LogisticRegression or Ridge",
        step="selectors",
        make=_from_model,
        fixed={"prefit": (False,), "norm_order": (1,), "importance_getter": ("auto",)},
    ),
]
