"""Medians and quantiles are those of NumPy, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

from wellfit.data.order_statistics import median, quantiles

VALUES = {
    "one": np.array([3.0]),
    "two": np.array([4.0, -1.0]),
    "ties": np.random.default_rng(0).integers(0, 7, 1001).astype(np.float64),
    "odd": np.random.default_rng(1).normal(size=10_001),
    "even": np.random.default_rng(2).normal(size=10_000) * 1e9,
}


@pytest.mark.parametrize("name", VALUES)
def test_they_equal_those_of_numpy(name: str) -> None:
    values, shares = VALUES[name], np.linspace(0, 1, 11)
    before = values.copy()
    assert median(values) == np.median(values)
    np.testing.assert_array_equal(quantiles(values, shares), np.quantile(values, shares))
    np.testing.assert_array_equal(
        quantiles(values, [0.0, 0.25, 0.5, 0.75, 1.0]), np.percentile(values, range(0, 101, 25))
    )
    np.testing.assert_array_equal(values, before)
