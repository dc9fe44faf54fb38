"""The appraisal of a trained module against scikit-learn, SciPy and known truths; and that it leaves no trace."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge
from sklearn.metrics import balanced_accuracy_score, r2_score, roc_auc_score, root_mean_squared_error
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import TensorDataset

from given import Given
from wellfit.data.bags import Bagged, deal_folds
from wellfit.data.batches import Resident, as_batches
from wellfit.losses import LOSSES
from wellfit.training.appraisal import appraise
from wellfit.training.constant_guess import constant_output
from wellfit.training.decoding import Decoder, decoder_of
from wellfit.training.options import FitOptions, settle
from wellfit.training.quick_learners import Design, kernel_guesses, linear_guesses
from wellfit.training.recipe import Recipe
from wellfit.training.resampling import Sample, interval

Rows = tuple[Tensor, Tensor]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def recipe_for(module: nn.Module, rows: Any, loss: Any, **options: Any) -> Recipe:
    settled = settle(module, as_batches(rows), FitOptions(loss=loss, threads=1, **options), has_valid=False)
    return settled.recipe


def appraised(module: nn.Module, rows: Any, held: Any, loss: Any) -> dict[str, Any]:
    recipe = recipe_for(module, rows, loss)

    def ready(data: Any) -> Any:
        batches = as_batches(data)
        if hasattr(batches, "target"):
            return replace(batches, target=recipe.loss.prepare(batches.target, recipe.outputs))
        return batches

    return appraise(module, ready(rows), None if held is None else ready(held), recipe)


def test_figures_are_those_of_scikit_learn() -> None:
    draw = np.random.default_rng(0)
    truth, guess = draw.integers(0, 4, 333), draw.integers(0, 4, 333)
    figures = {name: draws[0] for name, draws in Sample(truth, 4).figures(guess).items()}
    assert figures["accuracy"] == pytest.approx((truth == guess).mean())
    assert figures["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(truth, guess))
    values, guessed = draw.normal(1e4, 3, (333, 2)), draw.normal(1e4, 3, (333, 2))
    figures = {name: draws[0] for name, draws in Sample(values).figures(guessed).items()}
    assert figures["r2"] == pytest.approx(r2_score(values, guessed, multioutput="variance_weighted"), abs=0.05)
    one = Sample(values[:, :1]).figures(guessed[:, :1])
    assert one["r2"][0] == pytest.approx(r2_score(values[:, 0], guessed[:, 0]))
    assert one["rmse"][0] == pytest.approx(root_mean_squared_error(values[:, 0], guessed[:, 0]))


def test_ranks_are_those_of_scikit_learn_in_every_resample() -> None:
    draw = np.random.default_rng(5)
    truth, scores = draw.integers(0, 2, 333), draw.normal(size=333).round(1)
    sample = Sample(truth, 2)
    found = sample.auc(np.stack([-scores, scores], 1))
    for resample in (0, 1, 7, 500):
        weights = sample.weights[resample][np.arange(333) % sample.blocks]
        assert found[resample] == pytest.approx(roc_auc_score(truth, scores, sample_weight=weights))
    of_three, chances = draw.integers(0, 3, 200), draw.dirichlet(np.ones(3), 200)
    assert Sample(of_three, 3).auc(chances)[0] == pytest.approx(roc_auc_score(of_three, chances, multi_class="ovr"))
    assert np.isnan(Sample(np.zeros(50, dtype=np.int64), 2).auc(np.zeros((50, 2)))).all()


@pytest.mark.parametrize("rows", [60, 500])
def test_intervals_hold_the_truth_as_often_as_they_say(rows: int) -> None:
    draw = np.random.default_rng(1)
    held = 0
    for trial in range(300):
        truth = (draw.random(rows) < 0.8).astype(np.int64)
        _, low, high = interval(Sample(truth, 2, seed=trial).figures(np.ones(rows, dtype=np.int64))["accuracy"])
        held += low <= 0.8 <= high
    # 95 % of 300 give or take three standard deviations, and a little less for the bootstrap of few rows.
    assert 0.90 <= held / 300 <= 0.985


def test_the_interval_of_r2_is_as_wide_as_its_spread_over_samples() -> None:
    draw = np.random.default_rng(2)
    values, widths = [], []
    for trial in range(150):
        signal = draw.normal(size=(300, 1))
        truth = signal + draw.normal(size=(300, 1))
        value, low, high = interval(Sample(truth, seed=trial).figures(signal)["r2"])
        values.append(value)
        widths.append(high - low)
    assert np.mean(widths) / (2 * 1.96 * np.std(values)) == pytest.approx(1, abs=0.15)


def test_a_difference_on_the_same_rows_is_paired() -> None:
    sample = Sample(np.random.default_rng(0).integers(0, 2, 400), 2)
    draws = sample.figures(np.ones(400, dtype=np.int64))["accuracy"]
    assert interval(draws - sample.figures(np.ones(400, dtype=np.int64))["accuracy"]) == [0.0, 0.0, 0.0]


IDS = torch.tensor([0, 1, 2, 1, 0, 1] * 20)
BINARY = torch.tensor([0, 1, 1, 1, 0, 0] * 20)


def bernoulli(p: Tensor, target: Tensor) -> Tensor:
    return functional.binary_cross_entropy(p.clamp(1e-6, 1 - 1e-6), target.float().reshape(-1, 1))


@pytest.mark.parametrize(
    ("loss", "target", "right", "classes"),
    [
        (functional.cross_entropy, IDS, functional.one_hot(IDS, 3).float() * 9 - 4, 3),
        (lambda p, t: functional.nll_loss(p.clamp_min(1e-6).log(), t), IDS, functional.one_hot(IDS, 3).float(), 3),
        (
            lambda o, t: functional.binary_cross_entropy_with_logits(o, t.float().reshape(-1, 1)),
            BINARY,
            BINARY.float().reshape(-1, 1) * 8 - 3,
            2,
        ),
        (bernoulli, BINARY, BINARY.float().reshape(-1, 1) * 0.8 + 0.1, 2),
        (bernoulli, BINARY.float(), BINARY.float().reshape(-1, 1) * 0.8 + 0.1, 2),
        (lambda o, t: functional.mse_loss(o, t.float().reshape(-1, 1)), IDS, IDS.float().reshape(-1, 1) + 0.3, 3),
        (functional.mse_loss, noise(120, 1), noise(120, 1), 0),
        (functional.l1_loss, noise(120, 2), noise(120, 2), 0),
        (functional.cross_entropy, functional.one_hot(IDS, 3).float(), functional.one_hot(IDS, 3).float() * 9, 3),
        (LOSSES["bce"].make(), BINARY.float(), BINARY.float() * 8 - 4, 2),
        (LOSSES["mse"].make(), noise(120), noise(120), 0),
    ],
)
def test_right_outputs_are_read_as_right(loss: Any, target: Tensor, right: Tensor, classes: int) -> None:
    recipe = recipe_for(Given(lambda x: right[: len(x)]), (target, target), loss)
    decoder = decoder_of(recipe.loss, right, target)
    assert decoder is not None
    assert decoder.classes == classes
    truth, guess = decoder.truth(target), decoder.guess(right)
    assert np.array_equal(truth, guess) if classes else np.allclose(truth, guess)


def test_a_sigmoid_before_a_loss_of_logits_is_divided_at_one_half() -> None:
    decoder = Decoder(2, "logits")
    assert decoder.guess(torch.tensor([[0.2], [0.7]])).tolist() == [0, 1]
    assert decoder.guess(torch.tensor([[-0.2], [0.3]])).tolist() == [0, 1]


def test_outputs_that_are_not_finite_are_wrong() -> None:
    assert Decoder(3, "logits").guess(torch.tensor([[1.0, torch.nan, 0.0], [3.0, 1.0, 0.0]])).tolist() == [-1, 0]
    truth = noise(50, 1).double().numpy()
    assert Sample(truth).figures(np.full((50, 1), np.nan))["r2"][0] == pytest.approx(-1)


@pytest.mark.parametrize(
    ("loss", "decoder", "target", "shape", "known"),
    [
        (LOSSES["cce"].make(), Decoder(3, "logits"), IDS, [3], torch.bincount(IDS).div(len(IDS)).log()),
        (LOSSES["mae"].make(), Decoder(0, "values"), noise(301).exp(), [], noise(301).exp().median()),
        (LOSSES["mse"].make(), Decoder(0, "values"), noise(301).exp(), [1], noise(301).exp().mean()),
        (LOSSES["bce"].make(), Decoder(2, "logits"), BINARY.float(), [], torch.tensor(0.0)),
        (
            LOSSES["cce"].make(class_weight=[6.0, 1.0, 1.0]),
            Decoder(3, "logits"),
            IDS,
            [3],
            (torch.bincount(IDS) * torch.tensor([6.0, 1.0, 1.0])).log(),
        ),
    ],
)
def test_the_constant_is_the_best_one(
    loss: Any, decoder: Decoder, target: Tensor, shape: list[int], known: Tensor
) -> None:
    found = constant_output(loss, decoder, target, shape)
    assert found is not None
    reached, best = (float(loss(guess.reshape(shape).expand(len(target), *shape), target)) for guess in (found, known))
    assert reached == pytest.approx(best, rel=1e-3)


def test_a_loss_without_a_bound_has_no_best_constant() -> None:
    loss = recipe_for(Given(lambda x: x), (noise(40, 3), IDS[:40]), lambda o, t: -functional.cross_entropy(o, t)).loss
    decoder = decoder_of(loss, noise(40, 3), IDS[:40])
    assert decoder is not None
    assert decoder.upside_down
    assert constant_output(loss, decoder, IDS[:40], [3]) is None


@pytest.mark.parametrize("features", [5, 90])
def test_the_linear_baseline_is_ridge_regression(features: int) -> None:
    x, y, others = noise(60, features), noise(60, 2, seed=1), noise(20, features, seed=2)
    said = linear_guesses(x, y, others)
    models = [Ridge(alpha=0.9, fit_intercept=False).fit(x[i::2], y[i::2] - y[i::2].mean(0)) for i in (0, 1)]
    wanted = sum(model.predict(others) + y[i::2].mean(0).numpy() for i, model in enumerate(models)) / 2
    assert np.allclose(said.others, wanted, atol=1e-4)
    assert np.allclose(said.own[1::2], models[0].predict(x[1::2]) + y[::2].mean(0).numpy(), atol=1e-4)


def circles(x: Tensor) -> Tensor:
    return (x[:, :2].square().sum(1) > 1.4).long()


def product(x: Tensor) -> Tensor:
    return (x[:, 0] * x[:, 1] > 0).long()


@pytest.mark.parametrize(("rule", "features", "reached"), [(circles, 2, 0.95), (circles, 12, 0.85), (product, 10, 0.7)])
def test_the_reference_learns_what_a_linear_model_can_not(rule: Any, features: int, reached: float) -> None:
    x, others = noise(1000, features), noise(500, features, seed=1)
    y = functional.one_hot(rule(x)).float()
    for learner, low, high in ((linear_guesses, 0.0, 0.65), (kernel_guesses, reached, 1.0)):
        said = learner(x, y, others)
        for guesses, rows in ((said.own, x), (said.others, others)):
            assert low <= float((guesses.argmax(1) == rule(rows)).float().mean()) <= high


def test_features_are_filled_standardised_and_categories_told_apart() -> None:
    numbers = torch.tensor([[1.0, 5.0], [3.0, 5.0], [torch.nan, 5.0], [1e9, 5.0]])
    ids = torch.tensor([[7], [7], [9], [9]])
    design = Design.fit([numbers, ids])
    x = design.features([numbers, ids])
    # The number, the id as a number, and one column for each of its two values; the constant is left out.
    assert x.shape == (4, 4)
    assert torch.isfinite(x).all()
    assert x.abs().max() <= 6


def linear_rows(rows: int, seed: int) -> Rows:
    x = noise(rows, 4, seed=seed)
    return x, (x[:, :1] + 0.5 * noise(rows, 1, seed=seed + 9))


def test_a_record_is_json_and_the_same_again() -> None:
    rows, held = linear_rows(300, 0), linear_rows(200, 1)
    module = Given(lambda x: x[:, :1])
    first, second = (appraised(module, rows, held, functional.mse_loss) for _ in range(2))
    assert json.loads(json.dumps(first, allow_nan=False)) == second
    assert first["task"] == "regression"
    assert "failed" not in first
    assert first["valid"]["figures"]["r2"][0] == pytest.approx(0.8, abs=0.06)
    assert first["constant"]["valid"]["figures"]["r2"][0] == pytest.approx(0, abs=0.03)
    assert first["constant"]["train"]["figures"]["loss"][0] == pytest.approx(float(rows[1].var(correction=0)), rel=1e-3)
    for baseline in ("linear", "reference"):
        assert first[baseline]["lead"]["r2"][0] == pytest.approx(0, abs=0.05)
    assert first["gap"]["loss"][0] == pytest.approx(
        first["train"]["figures"]["loss"][0] - first["valid"]["figures"]["loss"][0]
    )


def test_it_leaves_module_modes_buffers_and_random_states_alone() -> None:
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1))
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, x: Tensor) -> Tensor:
            self.calls += 1
            return self.layers(x) + 0 * torch.rand(())

    module = Counting()
    module.layers[1].eval()
    rows = linear_rows(100, 0)
    recipe = recipe_for(module, rows, functional.mse_loss)
    module.train()
    module.layers[1].eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    states = torch.get_rng_state(), np.random.get_state()[1].tolist(), random.getstate()
    record = appraise(module, as_batches(rows), as_batches(linear_rows(50, 1)), recipe)
    assert "failed" not in record
    assert torch.equal(states[0], torch.get_rng_state())
    assert states[1:] == (np.random.get_state()[1].tolist(), random.getstate())
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert module.training
    assert not module.layers[1].training
    assert module.layers[2].training
    assert all(weight.grad is None for weight in module.parameters())


def test_any_kind_of_rows_gives_the_same_figures() -> None:
    x, y = linear_rows(120, 0)
    held = linear_rows(60, 1)
    kinds = [(x, y), TensorDataset(x, y), [(x[:70], y[:70]), (x[70:], y[70:])]]
    records = [appraised(Given(lambda x: x[:, :1]), rows, held, functional.mse_loss) for rows in kinds]
    assert all(record["train"] == records[0]["train"] for record in records)


def test_an_iterator_that_ran_out_is_not_judged() -> None:
    rows = as_batches(iter([linear_rows(40, 0)]))
    module = Given(lambda x: x[:, :1])
    recipe = recipe_for(module, linear_rows(40, 0), functional.mse_loss)
    rows.peek()
    assert "too few" in appraise(module, rows, None, recipe)["skipped"]


def test_of_several_outputs_the_loss_is_judged() -> None:
    def loss(output: tuple[Tensor, dict[str, Tensor]], target: Tensor) -> Tensor:
        return functional.mse_loss(output[0], target) + output[1]["aside"].square().mean()

    module = Given(lambda x: (x[:, :1], {"aside": x[:, 1]}))
    record = appraised(module, linear_rows(100, 0), linear_rows(50, 1), loss)
    assert (record["task"], record["main"]) == ("other", "loss")
    assert set(record["valid"]["figures"]) == {"loss"}
    assert "failed" not in record


def test_a_part_that_fails_is_noted_and_the_rest_stands() -> None:
    def loss(output: Tensor, target: Tensor) -> Tensor:
        if output.std() == 0:
            raise ValueError("constant outputs are refused")
        return functional.mse_loss(output, target)

    record = appraised(Given(lambda x: x[:, :1]), linear_rows(100, 0), linear_rows(50, 1), loss)
    assert record["failed"] == {"constant": "ValueError: constant outputs are refused"}
    assert record["linear"]["figures"]["r2"][0] > 0.5


def test_a_class_that_only_validation_rows_have_is_missed_and_no_error() -> None:
    x, ids = noise(200, 4), IDS.repeat(2)[:200] % 2
    held_ids = ids.clone()
    held_ids[:20] = 3
    record = appraised(nn.Linear(4, 4), (x, ids), (x, held_ids), functional.cross_entropy)
    assert "failed" not in record
    assert record["valid"]["recall"][3] is not None
    assert record["train"]["recall"][3] == [None, None, None]


def test_nothing_is_fitted_where_nothing_is_to_be_gained() -> None:
    x, ids = noise(200, 2), (noise(200, 2)[:, 0] > 0).long()
    record = appraised(Given(lambda x: torch.stack([-x[:, 0], x[:, 0]], 1) * 20), (x, ids), (x, ids), "cce")
    assert "leaves nothing to gain" in record["linear"]["skipped"]
    assert record["reference"]["skipped"] == record["linear"]["skipped"]


def test_without_validation_rows_half_of_the_training_rows_are_scored() -> None:
    record = appraised(Given(lambda x: x[:, :1]), linear_rows(300, 0), None, functional.mse_loss)
    assert record["scored"] == "train"
    assert "valid" not in record
    assert record["linear"]["rows"] == 150


def test_no_baseline_is_scored_on_rows_that_it_has_learned_with_another_member() -> None:
    """Each of eight networks side by side is judged on an eighth that the seven others have learned."""
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(400, 5)).astype(np.float32), draw.integers(0, 2, 400)
    table = Resident((torch.from_numpy(x),), torch.from_numpy(y))
    folds = deal_folds(y, 8, seed=0)

    def of(split: str) -> Bagged:
        return Bagged(table, [torch.from_numpy(getattr(fold, split)) for fold in folds])

    class Guess(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.zeros(*x.shape[:2], 2) + x.mean() * 0.0

    module = Guess()
    recipe = recipe_for(nn.Linear(5, 2), (table.inputs[0], table.target), "cce")
    record = appraise(module, of("train"), of("valid"), recipe)
    assert "failed" not in record
    assert record["valid"]["rows"] == 400
    # Labels are dealt by a coin: who knows them by heart is right of nearly all rows, an honest learner of half.
    valid = record["valid"]["figures"]["accuracy"][0]
    for name in ("linear", "reference"):
        reached = valid + record[name]["lead"]["accuracy"][0]
        assert reached == pytest.approx(0.5, abs=0.12), name
        assert record[name]["rows"] == 350
