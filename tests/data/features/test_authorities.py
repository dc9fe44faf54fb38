"""Every statistic is scikit-learn's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from wellfit.data.features import SCALERS, FeaturePlan
from wellfit.data.features.scalers.quantile import quantile_count

ROWS = 700


def numbers(missing: float = 0.0, seed: int = 0) -> np.ndarray[Any, np.dtype[np.float64]]:
    random = np.random.default_rng(seed)
    values = np.column_stack(
        [
            random.normal(1e4, 3, ROWS),
            random.lognormal(0, 2, ROWS),
            random.integers(0, 4, ROWS),
            np.where(random.random(ROWS) < 0.6, 0.0, random.exponential(100, ROWS)),
        ]
    )
    values[random.random(values.shape) < missing] = np.nan
    return values


def smooth_clip(values: Any) -> Any:
    return values / np.sqrt(1 + (values / 3) ** 2)


AUTHORITIES: dict[str, Any] = {
    "standard": (StandardScaler(), lambda values: values),
    "minmax": (MinMaxScaler(), lambda values: values),
    "robust": (RobustScaler(), smooth_clip),
    "quantile": (
        QuantileTransformer(n_quantiles=quantile_count(ROWS), output_distribution="normal", subsample=None),
        lambda values: values,
    ),
}


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("name", sorted(AUTHORITIES))
def test_scalers_are_scikit_learns(name: str, missing: float) -> None:
    train, other = numbers(missing), numbers(missing, seed=1)
    authority, after = AUTHORITIES[name]
    authority.fit(train)
    scaler = SCALERS[name].make.fit(train)  # type: ignore[attr-defined]
    for values in (train, other):
        np.testing.assert_allclose(scaler.apply(values), after(authority.transform(values)), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("rows", [1, 2, 9, 31, 299, 3000, 40_000])
def test_quantiles_are_as_many_as_the_rows_allow(rows: int) -> None:
    values = np.random.default_rng(0).normal(size=(rows, 1))
    count = min(max(10, min(1000, rows // 30)), rows)
    authority = QuantileTransformer(n_quantiles=count, output_distribution="normal", subsample=None).fit(values)
    scaler = SCALERS["quantile"].make.fit(values)  # type: ignore[attr-defined]
    np.testing.assert_allclose(scaler.apply(values), authority.transform(values), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", sorted(AUTHORITIES))
def test_the_plan_fills_flags_and_scales_as_scikit_learn(name: str) -> None:
    train, other = numbers(0.2), numbers(0.3, seed=1)
    columns = list("abcd")
    plan = FeaturePlan.fit(pl.DataFrame(train, schema=columns, nan_to_null=True), scale=name)
    matrix = plan.apply(pl.DataFrame(other, schema=columns, nan_to_null=True))
    authority, after = AUTHORITIES[name]
    filled = SimpleImputer(strategy="median").fit(train).transform(other)
    np.testing.assert_allclose(plan.medians, SimpleImputer(strategy="median").fit(train).statistics_, rtol=1e-12)
    expected = after(authority.fit(train).transform(filled))
    flags = MissingIndicator().fit(train).transform(other)
    assert plan.feature_names == ("a", "b", "c", "d", *(f"{column} is missing" for column in columns))
    np.testing.assert_allclose(matrix.numeric, np.hstack([expected, flags]), rtol=1e-6, atol=1e-6)


def words(seed: int, levels: str = "abcde") -> np.ndarray[Any, Any]:
    random = np.random.default_rng(seed)
    return np.column_stack([random.choice(list(levels), 200), random.choice(["x", "y", "10", "9"], 200)])


def test_flags_are_scikit_learns() -> None:
    train, other = words(0), words(1, "abcdefg")
    plan = FeaturePlan.fit(pl.DataFrame(train, schema=["a", "b"]))
    authority = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(train)
    matrix = plan.apply(pl.DataFrame(other, schema=["a", "b"]))
    assert matrix.numeric.tolist() == authority.transform(other).tolist()
    assert plan.numeric_names == tuple(
        f"{name}={level}" for name, levels in zip("ab", authority.categories_, strict=True) for level in levels
    )


def test_flags_of_missing_cells_are_scikit_learns() -> None:
    train = np.array([["a"], ["b"], [None], ["a"]], dtype=object)
    plan = FeaturePlan.fit(pl.DataFrame({"a": ["a", "b", None, "a"]}))
    authority = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(train)
    matrix = plan.apply(pl.DataFrame({"a": ["a", "b", None, "z"]}))
    expected = authority.transform(np.array([["a"], ["b"], [None], ["z"]], dtype=object))
    assert matrix.numeric.tolist() == expected.tolist()


def test_ranks_are_scikit_learns() -> None:
    train, other = words(0), words(1, "abcdefg")
    plan = FeaturePlan.fit(pl.DataFrame(train, schema=["a", "b"]), encode="ordinal", scale="none")
    authority = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(train)
    matrix = plan.apply(pl.DataFrame(other, schema=["a", "b"]))
    assert matrix.numeric.tolist() == authority.transform(other).tolist()
    assert matrix.categorical.shape == (200, 0)
