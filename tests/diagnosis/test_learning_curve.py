"""Learning curves of made-up losses whose law is known, and one of a small table."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from wellfit.config import from_keywords, from_mapping
from wellfit.errors import BadInput
from wellfit.learning_curve import fit_power_law, learning_curve, measure

Array = np.ndarray[Any, Any]


def made(floor: float, scale: float, exponent: float, spread: float, *, wider: float = 1.0) -> Any:
    """Give a training whose validation loss follows a law, with a seed's own luck."""

    def train(rows: Array, seed: int, wide: bool) -> tuple[float, float]:
        luck = np.random.default_rng([seed, len(rows), wide]).normal()
        loss = (floor + scale * len(rows) ** -exponent) * (1 + spread * luck)
        return 0.5 * loss, loss * (wider if wide else 1.0)

    return train


@pytest.mark.parametrize(("floor", "scale", "exponent"), [(0.5, 3.0, 0.5), (0.0, 2.0, 0.35), (1.0, 0.0, 1.0)])
def test_a_law_is_found_again(floor: float, scale: float, exponent: float) -> None:
    rows = np.array([100, 200, 400, 800])
    losses = floor + scale * rows**-exponent
    found_floor, found_scale, found_exponent = fit_power_law(rows, losses[None])
    again = found_floor + found_scale * (rows / 800) ** -found_exponent
    assert again == pytest.approx(losses, rel=1e-6)
    doubled = found_floor + found_scale * 2.0**-found_exponent
    assert doubled == pytest.approx(floor + scale * 1600**-exponent, rel=1e-6)


def test_neither_floor_nor_scale_is_ever_negative() -> None:
    losses = np.random.default_rng(0).normal(1, 0.5, (200, 4))
    floor, scale, _ = fit_power_law(np.array([1, 2, 4, 8]), losses.clip(0.01))
    assert (floor >= 0).all()
    assert (scale >= 0).all()


def test_the_interval_of_the_doubled_loss_holds_it() -> None:
    held = 0
    for trial in range(60):
        train = made(0.3, 4.0, 0.5, 0.02)
        seeds = (2 * trial, 2 * trial + 1)
        curve = measure(train, 800, seeds=seeds)
        held += curve.doubled[1] <= 0.3 + 4.0 * 1600**-0.5 <= curve.doubled[2]
    # 95 % of 60 is 57; 53 or less has a chance of 4 %.
    assert held >= 54


def test_rows_hold_a_steep_curve() -> None:
    curve = measure(made(0.1, 5.0, 0.5, 0.003), 1600, wider=True)
    assert curve.ceiling == "data"
    assert curve.gain[1] > 0.02
    assert curve.wider == ()
    assert "more of them would help" in str(curve)
    assert "3,200" in str(curve)


def test_noise_holds_a_flat_curve_that_width_does_not_lower() -> None:
    curve = measure(made(0.7, 0.0, 1.0, 0.003), 1600, wider=True)
    assert curve.ceiling == "noise"
    assert len(curve.wider) == 2


def test_capacity_holds_a_flat_curve_that_width_lowers() -> None:
    curve = measure(made(0.7, 0.0, 1.0, 0.003, wider=0.8), 1600, wider=True)
    assert curve.ceiling == "capacity"
    assert "size is what holds it" in str(curve)


def test_chance_between_seeds_is_no_gain() -> None:
    curve = measure(made(0.7, 0.3, 0.2, 0.3), 1600)
    assert curve.gain[1] <= 0
    assert curve.ceiling != "data"


def test_a_curve_is_plain_data() -> None:
    curve = measure(made(0.5, 2.0, 0.5, 0.01), 400)
    record = curve.as_dict()
    assert json.loads(json.dumps(record, allow_nan=False)) == json.loads(json.dumps(record))
    assert {"points", "law", "now", "doubled", "gain", "ceiling", "reasons"} <= set(record)
    assert len(record["points"]) == 8


def test_fractions_are_nested_and_keep_the_classes_shares() -> None:
    ids = np.repeat([0, 1, 2], [900, 90, 10])
    seen: list[Array] = []

    def train(rows: Array, seed: int, wide: bool) -> tuple[float, float]:
        seen.append(rows)
        return 1.0, 1.0 + seed / 100

    measure(train, 1000, strata=ids, seeds=(0, 1))
    for small, large in pairwise(seen[:4]):
        assert set(small) < set(large)
        assert np.bincount(ids[small], minlength=3) == pytest.approx(np.bincount(ids) * len(small) / 1000, abs=1)
    assert not np.array_equal(seen[0], seen[4])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"fractions": [0.5, 1.0]}, "three fractions"),
        ({"fractions": [0.2, 0.5, 0.8]}, "the last of them 1"),
        ({"fractions": [0.0, 0.5, 1.0]}, "in \\(0, 1\\]"),
        ({"seeds": [1]}, "two seeds"),
        ({"rows": 40}, "8 rows or more"),
    ],
)
def test_what_can_not_be_fitted_is_refused_before_training(options: dict[str, Any], said: str) -> None:
    def train(rows: Array, seed: int, wide: bool) -> tuple[float, float]:
        raise AssertionError("nothing is trained")

    with pytest.raises(BadInput, match=said):
        measure(train, **{"rows": 1000, **options})


def test_a_loss_that_is_not_finite_is_refused() -> None:
    with pytest.raises(BadInput, match="finite"):
        measure(lambda rows, seed, wide: (1.0, float("nan")), 400)


def test_a_table_is_trained_on_parts_of_its_training_rows_and_never_on_others() -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=400)
    rows = {"x": x, "y": 3 * x + draw.normal(size=400)}
    settings = {"epochs": 10, "lr": 0.02, "batch_size": 32, "threads": 1, "model": {"hidden": [8], "norm": "none"}}
    config = from_mapping(from_keywords(target="y", **settings))
    curve = learning_curve(config, rows, fractions=(0.25, 0.5, 1.0))
    assert [point.rows for point in curve.points] == [64, 128, 256] * 2
    # The target is standardised, and a tenth of its variance is noise.
    assert curve.now[0] < 0.5
    again = learning_curve(config, rows, fractions=(0.25, 0.5, 1.0))
    assert again == curve
