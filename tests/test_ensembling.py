"""Weights and temperature of a blend, beside brute force and scikit-learn."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, mean_squared_error

from wellfit.ensembling import blend, greedy_weights, mean_loss, temperature


def answers(members: int = 3, rows: int = 200, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(0)
    truth = draw.integers(classes, size=rows)
    logits = 1.5 * np.eye(classes)[truth] + draw.normal(size=(members, rows, classes))
    odds = np.exp(logits)
    return odds / odds.sum(-1, keepdims=True), truth


def test_the_loss_is_that_of_scikit_learn() -> None:
    chances, truth = answers()
    assert mean_loss(chances[0], truth) == pytest.approx(log_loss(truth, chances[0]))
    values = chances[0, :, 0]
    assert mean_loss(values, truth.astype(float)) == pytest.approx(mean_squared_error(truth, values))


def test_greedy_weights_are_nearly_the_best_there_are() -> None:
    chances, truth = answers()
    weights = greedy_weights(chances, truth)
    assert weights.sum() == pytest.approx(1.0)
    grid = [np.array(parts) / 20 for parts in itertools.product(range(21), repeat=3) if sum(parts) == 20]
    best = min(mean_loss(blend(chances, parts), truth) for parts in grid)
    assert mean_loss(blend(chances, weights), truth) <= best + 1e-4


def test_a_member_that_only_harms_gets_nothing() -> None:
    chances, truth = answers(members=2)
    wrong = np.roll(chances[:1], 1, axis=2)
    assert greedy_weights(np.concatenate([chances, wrong]), truth)[2] == 0.0


def test_the_temperature_is_that_of_scikit_learn() -> None:
    draw = np.random.default_rng(1)
    x, truth = draw.normal(size=(400, 3)), draw.integers(3, size=400)
    x[np.arange(400), truth] += 1.0
    model = LogisticRegression(C=1e4).fit(x[:60] * 3, truth[:60])
    scaled = CalibratedClassifierCV(FrozenEstimator(model), method="temperature").fit(x[60:], truth[60:])
    heat = temperature(model.predict_proba(x[60:]), truth[60:])
    theirs = scaled.calibrated_classifiers_[0].calibrators[0].beta_
    assert 1.0 / heat == pytest.approx(theirs, rel=1e-2)


def test_probabilities_that_are_right_stay() -> None:
    draw = np.random.default_rng(2)
    chance = draw.uniform(0.05, 0.95, 20_000)
    truth = (draw.uniform(size=chance.size) < chance).astype(int)
    assert temperature(np.stack([1 - chance, chance], 1), truth) == pytest.approx(1.0, abs=0.05)


def test_few_rows_that_are_all_right_do_not_make_the_blend_sure_of_all() -> None:
    chances, truth = np.array([[0.9, 0.1], [0.1, 0.9]] * 20), np.array([0, 1] * 20)
    logs = np.log(chances) / temperature(chances, truth)
    sharp = np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True)
    # As the rule of succession has it, one row in n + 2 is still to be wrong.
    assert sharp.min() == pytest.approx(1 / (len(truth) + 2), rel=1e-3)
    assert temperature(chances, truth) > temperature(np.tile(chances, (100, 1)), np.tile(truth, 100))


def test_rows_that_are_all_right_make_nothing_less_sure() -> None:
    # A few of them, as they are in a table that can be learnt without an error, are less sure than the rest.
    gaps = np.concatenate([np.full(3000, 25.0), np.full(20, 4.0)])
    chances = np.stack([1 / (1 + np.exp(-gaps)), 1 / (1 + np.exp(gaps))], axis=1)
    assert temperature(chances, np.zeros(len(gaps), dtype=int)) == 1.0
    truth = np.zeros(len(gaps), dtype=int)
    truth[-10:] = 1
    assert temperature(chances, truth) > 1.0
