"""RealMLP-TD: its layers against formulas in float64, its first weights, and several members against single ones."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.preprocessing import RobustScaler

import wellfit
from wellfit.models import MODELS, Occasion, TableInputs
from wellfit.models.category_columns import CategoryVectors, Flags
from wellfit.models.member_layers import MemberBlock, MemberLinear
from wellfit.models.periodic import PeriodicEmbedding
from wellfit.models.realmlp import RealMLP
from wellfit.models.sloped import SLOPED

INPUTS = TableInputs(numeric=3, cardinalities=(5, 4, 30))


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def rows(count: int = 200) -> tuple[torch.Tensor, torch.Tensor]:
    numeric = torch.randn(count, 3)
    ids = [torch.randint(2, 5, (count,)), torch.randint(2, 4, (count,)), torch.randint(1, 30, (count,))]
    return numeric, torch.stack(ids, 1)


def model(members: int = 3, **options: Any) -> RealMLP:
    made = RealMLP(INPUTS, 2, **{"kind": "logits", "members": members, "hidden": [16, 16], **options})
    made.fit_to(*rows(), torch.zeros(200))
    return made


def test_a_linear_layer_is_scaled_by_its_inputs() -> None:
    layer = MemberLinear(2, 7, 3).double()
    layer.bias.data.normal_()
    x = torch.randn(2, 5, 7, dtype=torch.float64)
    weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    expected = np.einsum("mrf,mfo->mro", x.numpy(), weight) / math.sqrt(7) + bias
    np.testing.assert_allclose(layer(x).detach(), expected, rtol=1e-12)


def test_periodic_embeddings_equal_their_formula() -> None:
    layer = PeriodicEmbedding(members=2, numbers=4).double()
    x = torch.randn(1, 6, 4, dtype=torch.float64)
    made = layer(x).detach().numpy()
    part = {name: value.detach().numpy() for name, value in layer.named_parameters()}
    for member in range(2):
        for number in range(4):
            column = x.numpy()[0, :, number, None]
            waves = np.cos(2 * np.pi * column * part["frequency"][member, number] + part["phase"][member, number])
            expected = waves @ part["weight"][member, number] + part["bias"][member, number]
            np.testing.assert_allclose(made[member][:, 3 * number : 3 * number + 3], expected, rtol=1e-10, atol=1e-12)
        np.testing.assert_array_equal(made[member][:, 12:], x.numpy()[0])


@pytest.mark.parametrize("shared", [True, False])
def test_fused_waves_have_the_gradients_of_plain_ones(shared: bool) -> None:
    layer = PeriodicEmbedding(members=3, numbers=4).double()
    x = torch.randn(1 if shared else 3, 6, 4, dtype=torch.float64)
    up = torch.randn(3, 6, 16, dtype=torch.float64)
    wanted = list(layer.parameters())
    fused, plain = layer.train()(x), layer.eval()(x)
    assert fused.grad_fn.next_functions[0][0].next_functions[0][0].name() == "_FusedBackward"
    torch.testing.assert_close(fused, plain, rtol=1e-12, atol=1e-12)
    for made, expected in zip(
        torch.autograd.grad((fused * up).sum(), wanted), torch.autograd.grad((plain * up).sum(), wanted), strict=True
    ):
        torch.testing.assert_close(made, expected, rtol=1e-10, atol=1e-10)


def test_rows_that_want_a_gradient_get_it_in_training_too() -> None:
    layer = PeriodicEmbedding(members=2, numbers=3).double()
    x = torch.randn(1, 5, 3, dtype=torch.float64, requires_grad=True)
    slopes = [torch.autograd.grad(layer.train(on)(x).sum(), x)[0] for on in (True, False)]
    torch.testing.assert_close(*slopes)


def test_periodic_embeddings_start_as_published() -> None:
    layer = PeriodicEmbedding(members=20, numbers=50)
    assert float(layer.frequency.detach().std()) == pytest.approx(0.1, rel=0.02)
    assert float(layer.phase.detach().abs().max()) == pytest.approx(math.pi, rel=0.01)
    assert float(layer.weight.detach().abs().max()) == pytest.approx(0.25, rel=0.01)


@pytest.mark.parametrize("name", list(SLOPED))
def test_bends_and_their_slopes_equal_torch(name: str) -> None:
    z = torch.cat([torch.linspace(-30, 30, 4001), torch.tensor([-1e3, 1e3])]).double().requires_grad_()
    expected = SLOPED[name].function(z)
    (slope,) = torch.autograd.grad(expected.sum(), z)
    bend, rise = SLOPED[name].bend(z.detach())
    apart = z.detach() != 0.0
    torch.testing.assert_close(bend, (expected - z).detach(), rtol=1e-9, atol=1e-8)
    torch.testing.assert_close(rise[apart], slope[apart] - 1.0, rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize("name", list(SLOPED))
def test_bends_are_finite_and_right_in_float32(name: str) -> None:
    z = torch.cat([torch.linspace(-100, 100, 4001), torch.tensor([-1e30, -1e4, 1e4, 1e30])])
    bend, rise = SLOPED[name].bend(z)
    exact = SLOPED[name].bend(z.double())
    torch.testing.assert_close(bend.double(), exact[0], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(rise.double(), exact[1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", list(SLOPED))
def test_the_fused_block_has_the_gradients_of_the_plain_one(name: str) -> None:
    block = MemberBlock(3, 6, 5, activation=name).double()
    block.mix.data.uniform_(0.5, 1.5)
    x = torch.randn(3, 8, 6, dtype=torch.float64, requires_grad=True)
    up = torch.randn(3, 8, 5, dtype=torch.float64)
    wanted = [x, *block.parameters()]
    fused, plain = block.train()(x, 0.0), block.eval()(x, 0.0)
    torch.testing.assert_close(fused, plain, rtol=1e-10, atol=1e-10)
    for made, expected in zip(
        torch.autograd.grad((fused * up).sum(), wanted), torch.autograd.grad((plain * up).sum(), wanted), strict=True
    ):
        torch.testing.assert_close(made, expected, rtol=1e-9, atol=1e-9)


def test_under_autocast_products_are_short_and_the_rest_is_wide() -> None:
    block = MemberBlock(2, 64, 32, activation="mish").train()
    x = torch.randn(2, 40, 64, requires_grad=True)
    wanted = [x, *block.parameters()]
    plain = block(x, 0.0)
    with torch.autocast("cpu", torch.bfloat16):
        short = block(x, 0.0)
    assert short.dtype == torch.float32
    assert not torch.equal(short, plain)
    torch.testing.assert_close(short, plain, rtol=0.05, atol=0.05)
    pairs = zip(torch.autograd.grad(short.sum(), wanted), torch.autograd.grad(plain.sum(), wanted), strict=True)
    for made, expected in pairs:
        assert made.dtype == torch.float32
        assert float((made - expected).norm() / expected.norm()) < 0.02


def test_dropped_units_hand_no_gradient_on() -> None:
    block = MemberBlock(1, 6, 50, activation="selu").double()
    x = torch.randn(1, 9, 6, dtype=torch.float64)
    y = block.train()(x, 0.5)
    gone = y.detach() == 0
    assert 0.3 < float(gone.double().mean()) < 0.7
    (of_bias,) = torch.autograd.grad(y[:, 0].sum(), block.linear.bias)
    assert torch.equal(of_bias[0, 0] == 0, gone[0, 0])


def test_dropout_follows_the_run() -> None:
    made = model()
    assert [round(made.at(share), 4) for share in (0.0, 0.5, 0.75, 1.0)] == [1.0, 1.0, 0.5, 0.0]
    x = rows(50)
    made.train().at(1.0)
    assert torch.equal(made(*x), made(*x))
    made.at(0.2)
    assert not torch.equal(made(*x), made(*x))


def test_flags_equal_a_one_hot_that_scikit_learn_scales() -> None:
    ids = torch.tensor([2] * 11 + [3] * 30 + [4] * 20 + [0] * 5)[torch.randperm(66)]
    flags = Flags((6,))
    flags.fit_to(ids[:, None])
    hot = np.eye(6)[ids.numpy()]
    scaled = RobustScaler().fit(hot)
    z = scaled.transform(hot)
    quartile = np.diff(np.percentile(hot, [25, 75], axis=0), axis=0)[0]
    half = np.where((quartile == 0) & (np.ptp(hot, axis=0) > 0), 2.0, 1.0)
    expected = z * half / np.sqrt(1 + (z * half / 3) ** 2)
    expected[:, np.ptp(hot, axis=0) == 0] = 0.0
    np.testing.assert_allclose(flags(ids[:, None]), expected, atol=1e-6)


def test_two_levels_are_one_column() -> None:
    flags = Flags((4,))
    flags.fit_to(torch.tensor([[2], [3], [2], [3]]))
    made = flags(torch.tensor([[2], [3], [1], [0]]))
    assert made.shape == (4, 1)
    assert float(made[0]) == -float(made[1]) > 0
    assert made[2:].tolist() == [[0.0], [0.0]]


def test_a_level_that_is_new_says_nothing() -> None:
    flags = Flags((5, 4))
    flags.fit_to(torch.stack([torch.arange(30) % 3 + 2, torch.arange(30) % 2 + 2], 1))
    assert torch.equal(flags(torch.tensor([[1, 1]]))[0, :2], torch.zeros(2))
    known = flags(torch.tensor([[2, 2]]))
    assert torch.equal(flags(torch.tensor([[1, 2]]))[:, :2], torch.zeros(1, 2))
    assert not torch.equal(known, flags(torch.tensor([[3, 2]])))
    vectors = CategoryVectors((12, 20), members=2, width=8)
    assert not vectors(torch.tensor([[[0, 1], [1, 0]]])).any()
    assert vectors(torch.tensor([[[2, 2]]])).abs().min() > 0


def test_first_weights_give_unit_variance_and_bends_among_the_rows() -> None:
    layer = MemberLinear(2, 40, 64)
    x = torch.randn(2, 3000, 40) * torch.linspace(0.1, 30, 40)
    layer.fit_to(x)
    z = layer(x)
    np.testing.assert_allclose(z.detach().std(1, correction=0), 1.0, rtol=1e-4)
    # The mean of five rows under shares that fill a simplex has a variance of 2 / 6.
    bends = z.mean(1).detach()
    assert float(bends.std()) == pytest.approx(math.sqrt(2 / 6), rel=0.2)
    assert bool(((z.amin(1) < 0) & (z.amax(1) > 0)).all())


@pytest.mark.parametrize("apart", [False, True])
def test_members_equal_single_networks(apart: bool) -> None:
    made = model(members=3).eval()
    numeric, ids = rows(40)
    given = (numeric[:, None].expand(-1, 3, -1), ids[:, None].expand(-1, 3, -1))
    together = made(*given) if apart else made.train()(*rows_without_dropout(made, numeric, ids))
    for member in range(3):
        single = RealMLP(INPUTS, 2, kind="logits", members=1, hidden=[16, 16]).eval()
        single.load_state_dict(one_of(made, member))
        torch.testing.assert_close(single(numeric, ids), together[:, member], rtol=1e-4, atol=1e-5)


def rows_without_dropout(made: RealMLP, *given: torch.Tensor) -> tuple[torch.Tensor, ...]:
    made.at(1.0)
    return given


def one_of(made: RealMLP, member: int) -> dict[str, torch.Tensor]:
    parameters = dict(made.named_parameters())
    return {
        name: value[member : member + 1] if name in parameters else value for name, value in made.state_dict().items()
    }


def test_members_train_as_single_networks_do() -> None:
    numeric, ids = rows(64)
    target = (numeric[:, 0] > 0).long()
    options = {"loss": "cce", "optimizer": {"name": "adam", "lr": 0.04, "beta2": 0.95}, "weight_decay": 0.02,
               "schedule": "coslog4", "batch_size": 16, "epochs": 6, "doctor": "off", "threads": 1}  # fmt: skip
    made = model(members=2, dropout=0.0)
    singles = []
    for member in range(2):
        single = RealMLP(INPUTS, 2, kind="logits", members=1, hidden=[16, 16], dropout=0.0)
        single.load_state_dict(one_of(made, member))
        singles.append(single)
    for each in (made, *singles):
        wellfit.fit(each, ((numeric, ids), target), **options)
    for member, single in enumerate(singles):
        for name, value in one_of(made, member).items():
            torch.testing.assert_close(single.state_dict()[name], value, rtol=2e-2, atol=2e-3)


def test_every_member_sees_its_own_rows() -> None:
    made = model(members=2).eval()
    numeric, ids = rows(10)
    own = torch.stack([numeric, numeric + 1.0], 1)
    both = made(own, torch.stack([ids, ids], 1))
    shifted = made(torch.stack([numeric + 1.0] * 2, 1), torch.stack([ids, ids], 1))
    torch.testing.assert_close(both[:, 1], shifted[:, 1])
    assert not torch.allclose(both[:, 0], shifted[:, 0])


def test_values_stay_within_the_training_targets() -> None:
    made = RealMLP(TableInputs(numeric=2), 1, kind="value", members=2, hidden=[8])
    numeric, none = torch.randn(100, 2), torch.zeros(100, 0, dtype=torch.int64)
    made.fit_to(numeric, none, torch.linspace(-0.1, 0.2, 100))
    answers = made.eval()(numeric, none).detach()
    assert float(answers.min()) == pytest.approx(-0.1)
    assert float(answers.max()) == pytest.approx(0.2)
    assert float(made.train()(numeric, none).detach().max()) > 0.2


def test_factors_are_those_of_the_recipe() -> None:
    factors = model().factors()
    assert factors["scale"] == (6.0, 36.0)
    assert factors["periodic.phase"] == factors["periodic.bias"] == (0.1, 0.01)
    assert factors["blocks.0.linear.bias"] == factors["head.bias"] == (0.1, 0.0)
    assert factors["blocks.1.mix"] == (0.1, 0.01)
    assert factors["head.weight"] == factors["vectors.weight"] == (1.0, 1.0)


def test_the_recipe_smooths_labels_for_accuracy_alone() -> None:
    recipe = MODELS["realmlp"].recipe
    smoothing = {
        metric: recipe(Occasion(task="binary", rows=100, metric=metric))["train.loss"]["label_smoothing"]
        for metric in ("accuracy", "auc", "log_loss", "auto")
    }
    assert smoothing == {"accuracy": 0.1, "auc": 0.0, "log_loss": 0.0, "auto": 0.0}


def test_float64_answers_do_not_depend_on_the_rows_beside() -> None:
    made = model().double().eval()
    numeric, ids = rows(30)
    whole = made(numeric.double(), ids)
    torch.testing.assert_close(made(numeric[:1].double(), ids[:1]), whole[:1], rtol=1e-12, atol=1e-12)


def test_a_model_without_numbers_or_without_categories() -> None:
    for inputs in (TableInputs(numeric=0, cardinalities=(4,)), TableInputs(numeric=2)):
        made = RealMLP(inputs, 1, kind="logit", hidden=[4])
        numeric, ids = torch.randn(9, inputs.numeric), torch.full((9, len(inputs.cardinalities)), 2)
        made.fit_to(numeric, ids, torch.zeros(9))
        assert made.eval()(numeric, ids).shape == (9, 1)


@pytest.mark.parametrize("apart", [False, True])
def test_evaluation_takes_rows_in_pieces_and_joins_them(apart: bool) -> None:
    made = model(members=2).eval()
    numeric, ids = rows(1200)
    if apart:
        numeric, ids = numeric[:, None].expand(-1, 2, -1), ids[:, None].expand(-1, 2, -1)
    whole = made(numeric, ids).detach()
    asked: list[int] = []
    made.blocks[0].register_forward_pre_hook(lambda block, given: asked.append(given[0].shape[1]))
    with torch.no_grad():
        pieces = made(numeric, ids)
        assert made(numeric[:0], ids[:0]).shape[0] == 0
    assert asked == [512, 512, 176, 0]
    torch.testing.assert_close(pieces, whole, rtol=1e-5, atol=1e-5)
