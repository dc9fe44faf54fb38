"""Figures equal scikit-learn's, intervals SciPy's; a gain is proven beyond noise and not otherwise."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn import metrics
from torch import nn

from wellfit.data.batches import as_batches
from wellfit.findings import Remedy
from wellfit.treatment.outcome import Treatment, TrialRow
from wellfit.treatment.proof import LEVEL, effect, proven
from wellfit.treatment.yardstick import Figures, Yardstick, figures_of_classes, figures_of_values

DRAW = np.random.default_rng(0)


def figures(value: float, soft: float = 0.0) -> Figures:
    return Figures(value, soft, value)


@pytest.mark.parametrize("classes", [2, 4])
def test_figures_of_classes_equal_scikit_learn(classes: int) -> None:
    truth = DRAW.integers(0, classes, 300)
    truth[:200] = 0
    chances = DRAW.dirichlet(np.ones(classes), 300)
    guess = chances.argmax(1)
    plain = figures_of_classes(chances, guess, truth, balanced=False)
    assert plain.metric == pytest.approx(metrics.accuracy_score(truth, guess))
    balanced = figures_of_classes(chances, guess, truth, balanced=True)
    assert balanced.metric == pytest.approx(metrics.balanced_accuracy_score(truth, guess))
    if classes == 2:
        constant = np.full(300, truth.mean())
        expected = 1 - metrics.brier_score_loss(truth, chances[:, 1]) / metrics.brier_score_loss(truth, constant)
        assert plain.soft == pytest.approx(max(-1, expected))


def test_figures_of_values_equal_scikit_learn_and_are_cut() -> None:
    truth = DRAW.normal(size=(200, 1))
    guess = truth + 0.5 * DRAW.normal(size=(200, 1))
    assert figures_of_values(guess, truth).metric == pytest.approx(metrics.r2_score(truth, guess))
    assert figures_of_values(guess * 100, truth).metric == -1
    assert figures_of_values(np.full_like(truth, np.nan), truth).metric == -1


def test_rows_sum_to_the_value() -> None:
    truth = DRAW.integers(0, 3, 90)
    chances = DRAW.dirichlet(np.ones(3) * 5, 90)
    found = figures_of_classes(chances, chances.argmax(1), truth, balanced=False)
    assert found.rows.sum() + 0.2 == pytest.approx(found.value)


@pytest.mark.parametrize(("outputs", "shift"), [("logits", 0.0), ("probabilities", 0.5)])
def test_one_column_is_cut_where_its_space_says(outputs: str, shift: float) -> None:
    rows = torch.linspace(-0.4, 0.4, 40).reshape(-1, 1)
    rows = rows[rows.abs() > 1e-3].reshape(-1, 1)
    held = as_batches((rows + shift, (rows[:, 0] > 0).long()))
    found = Yardstick(held, 2).measure(nn.Identity(), outputs)
    assert (found.metric, found.skill) == (1.0, 1.0)


def test_outputs_that_are_not_finite_are_wrong() -> None:
    rows = torch.full((10, 3), float("nan"))
    found = Yardstick(as_batches((rows, torch.zeros(10).long())), 3).measure(nn.Identity(), "logits")
    assert found.metric == 0.0


def test_the_interval_equals_scipy() -> None:
    gains = DRAW.normal(0.1, 0.05, 6)
    expected = stats.ttest_1samp(gains, 0).confidence_interval(LEVEL)
    found = effect(gains.tolist())
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_a_clear_gain_is_proven() -> None:
    before, after = [figures(v) for v in (0.5, 0.52, 0.48)], [figures(v) for v in (0.9, 0.91, 0.9)]
    assert proven(before, after)[0]


def test_a_gain_within_noise_is_not() -> None:
    before, after = [figures(v) for v in (0.5, 0.6, 0.7)], [figures(v) for v in (0.7, 0.5, 0.8)]
    accepted, why = proven(before, after)
    assert not accepted
    assert "within seed noise" in why


def test_better_probabilities_count_where_the_metric_is_no_worse() -> None:
    before = [figures(0.8, soft) for soft in (-0.3, -0.2, -0.25)]
    assert proven(before, [figures(0.8, soft) for soft in (0.3, 0.3, 0.3)])[0]
    assert not proven(before, [figures(0.7, soft) for soft in (0.3, 0.3, 0.3)])[0]


def test_pure_noise_is_rarely_accepted() -> None:
    """One in twenty by the level, for the metric alone; twice that with the soft figure's chance."""
    draw = np.random.default_rng(1)

    def trial() -> bool:
        sample = [[figures(*draw.normal(0.5, 0.1, 2)) for _ in range(3)] for _ in range(2)]
        return proven(*sample)[0]

    assert np.mean([trial() for _ in range(400)]) < 0.1


@pytest.mark.parametrize(
    ("soft", "said"),
    [
        ((0.5, 0.5, 0.52), "better probabilities (Brier score, as a share of a constant guess's: +0.507 ["),
        ((-0.05, 0.05, 0.22), "metric and probabilities are better together (+"),
    ],
)
def test_a_gain_of_the_probabilities_is_said_to_be_that(soft: tuple[float, ...], said: str) -> None:
    gains = (0.05, 0.03, -0.002)
    before, after = [figures(0.8)] * 3, [figures(0.8 + gain, more) for gain, more in zip(gains, soft, strict=True)]
    accepted, why = proven(before, after)
    assert accepted
    assert why.startswith(said)
    assert why.endswith("the metric alone is no different beyond noise")
    metric = effect([b.metric - a.metric for a, b in zip(before, after, strict=True)])
    row = TrialRow(remedy="r", change={}, effect=metric, seconds=1.0, accepted=True, why=why)
    remedy = Remedy(path="l2", value=0.1, why="")
    treated = Treatment(findings=[], trials=[row], metric="accuracy", before=0.8, after=0.826, accepted=[remedy])
    assert "accuracy alone, from 0.8 to 0.826, is no different beyond noise" in str(treated)
    assert treated.as_dict()["proved"] == treated.proved
