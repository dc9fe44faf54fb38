"""Columns of text that are held compactly become what plain text becomes; sorted look-ups give what single ones do."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.special import ndtri

from wellfit.data.compact import compact_text
from wellfit.data.features import ENCODERS, FeaturePlan, Targets
from wellfit.data.features.scalers.quantile import EDGE, Quantile
from wellfit.data.features.vocabulary import SMALL, Vocabulary

ROWS = 1_500


def _frame(seed: int, rows: int = ROWS) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    few = pl.Series("few", ["b", "a", None, "Ü"]).gather(random.integers(0, 4, rows))
    many = pl.Series("many", [f"level {number}" for number in random.zipf(1.3, rows) % 600])
    return pl.DataFrame([pl.Series("number", random.normal(size=rows)), few, many])


def _compact(frame: pl.DataFrame) -> pl.DataFrame:
    return pl.DataFrame(
        [series.cast(compact_text()) if series.dtype == pl.String else series for series in frame.get_columns()]
    )


@pytest.mark.parametrize("encode", list(ENCODERS))
def test_compact_columns_become_what_plain_text_becomes(encode: str) -> None:
    plain, targets = _frame(0), Targets(np.random.default_rng(3).integers(0, 2, ROWS).astype(np.float64), 2)
    (plan, matrix), (same, from_compact) = (
        FeaturePlan.fit_apply(frame, encode=encode, targets=targets) for frame in (plain, _compact(plain))
    )
    assert plan.as_dict() == same.as_dict()
    # The dictionary of other rows has other texts, in another order; of few rows each cell is looked up.
    others = (_frame(1), _frame(2, rows=20))
    pairs = [(matrix, from_compact), *((plan.apply(other), plan.apply(_compact(other))) for other in others)]
    for left, right in pairs:
        np.testing.assert_array_equal(left.numeric, right.numeric)
        np.testing.assert_array_equal(left.categorical, right.categorical)


def test_unseen_cells_of_compact_columns_are_text() -> None:
    plan = FeaturePlan.fit(_frame(0))
    later = pl.DataFrame({"number": [0.0] * 400, "few": ["a", "z"] * 200, "many": ["level 1"] * 400})
    found = plan.unseen(_compact(later))["few"]
    assert found.dtype == pl.String
    assert found.to_list() == ["z"] * 200


@pytest.mark.parametrize("levels", [1, 200, 254, 255, 300])
def test_codes_are_those_of_single_cells(levels: int) -> None:
    vocabulary = Vocabulary([f"l{number}" for number in range(levels)])
    texts = pl.Series([None if row % 7 == 0 else f"l{row % (levels + 3)}" for row in range(SMALL * 3)])
    single = [int(vocabulary.codes(texts[row : row + 1])[0]) for row in range(len(texts))]
    for series in (texts, texts.cast(compact_text())):
        codes = vocabulary.codes(series)
        assert codes.tolist() == single
        assert codes.dtype == np.min_scalar_type(levels + 2)


@pytest.mark.parametrize("output", ["normal", "uniform"])
def test_quantiles_of_sorted_values_are_those_of_each_value(output: str) -> None:
    random = np.random.default_rng(0)
    values = np.column_stack([random.normal(size=4_001), random.integers(0, 4, 4_001), random.lognormal(0, 4, 4_001)])
    scaler = Quantile.fit(values, output=output)
    shares = np.linspace(0, 1, scaler.quantiles.shape[1])
    given = np.concatenate([values[::-1], [[-1e9, 9.0, np.nan], [1e9, 1.5, 0.0]]])
    found = scaler.apply(given)
    for column, quantiles in enumerate(scaler.quantiles):
        np.testing.assert_array_equal(quantiles, np.percentile(values[:, column], shares * 100))
        cells = given[:, column]
        upper = np.interp(cells, quantiles, shares)
        share = 0.5 * (upper - np.interp(-cells, -quantiles[::-1], -shares[::-1]))
        share = np.where(cells + EDGE > quantiles[-1], 1.0, share)
        share = np.where(cells - EDGE < quantiles[0], 0.0, share)
        if output == "normal":
            share = np.clip(ndtri(share), ndtri(EDGE - np.spacing(1)), ndtri(1 - (EDGE - np.spacing(1))))
        np.testing.assert_array_equal(found[:, column], share)
