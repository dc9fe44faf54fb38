"""TabM against the package it is built of, with bins and ids learned from rows."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from rtdl_num_embeddings import PiecewiseLinearEmbeddings
from tabm import TabM as Package

from wellfit.models import TableInputs
from wellfit.models.members import averaged
from wellfit.models.tabm import TabM

SIZES = {"k": 4, "blocks": 2, "width": 16, "bins": 12}
INPUTS = TableInputs(numeric=3, cardinalities=(5, 4))


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def rows(count: int = 100) -> tuple[torch.Tensor, torch.Tensor]:
    numeric = torch.randn(count, 3)
    numeric[:, 1] = (numeric[:, 1] > 0).float()
    numeric[:, 2] = numeric[:, 2].round()
    return numeric, torch.stack([torch.randint(2, 5, (count,)), torch.randint(2, 4, (count,))], 1)


def fitted(members: int = 1, kind: str = "logits") -> TabM:
    made = TabM(INPUTS, 2, kind=kind, members=members, **SIZES)
    made.fit_to(*rows(), torch.zeros(100))
    return made


def reference_edges(column: np.ndarray, bins: int) -> np.ndarray:
    """Half of the bins from the rows, half from the values that occur; a bin for each of few values."""
    values = np.unique(column)
    if len(values) <= bins + 1:
        return values
    shares = np.linspace(0, 1, bins // 2 + 1)
    both = [np.quantile(part.astype(np.float64), shares).astype(np.float32) for part in (column, values)]
    return np.unique(np.concatenate(both))


def package(numeric: torch.Tensor) -> Package:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        edges = [torch.from_numpy(reference_edges(column.numpy(), 12)) for column in numeric.T]
        embedding = PiecewiseLinearEmbeddings(edges, 16, activation=False, version="B")
    return Package.make(
        n_num_features=3, cat_cardinalities=[5, 4], d_out=2, num_embeddings=embedding,
        arch_type="tabm-mini", k=4, n_blocks=2, d_block=16,
    )  # fmt: skip


def test_outputs_equal_the_packages() -> None:
    torch.manual_seed(0)
    numeric, ids = rows()
    made, theirs = TabM(INPUTS, 2, kind="logits", **SIZES), package(numeric)
    made.fit_to(numeric, ids, torch.zeros(100))
    own = made.parts[0].net.num_module.linear.weight
    torch.nn.init.normal_(own)
    weights = {
        name: value for name, value in made.parts[0].net.named_parameters() if name != "num_module.linear.weight"
    }
    theirs.load_state_dict(weights, strict=False)
    width = theirs.num_module.linear.weight.shape[1]
    with torch.no_grad():
        theirs.num_module.linear.weight[:, :-1] = own[:, : width - 1]
        theirs.num_module.linear.weight[:, -1] = own[:, -1]
    expected = theirs.eval()(numeric, ids)
    torch.testing.assert_close(made.eval().parts[0](numeric, ids), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(made(numeric, ids), averaged(expected, "logits"), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("count", [8, 100])
def test_gradients_equal_the_packages_for_few_rows_and_for_many(count: int) -> None:
    numeric, ids = (part[:count] for part in rows())
    part = fitted().double().eval().parts[0]
    found = [grads_of(part, each, numeric.double(), ids) for each in (part, part.net)]
    for own, theirs in zip(*found, strict=True):
        torch.testing.assert_close(own, theirs, rtol=1e-9, atol=1e-12)


def grads_of(part: torch.nn.Module, network: torch.nn.Module, *given: torch.Tensor) -> list[torch.Tensor]:
    part.zero_grad()
    network(*given).square().sum().backward()
    return [weight.grad.clone() for weight in part.parameters() if weight.grad is not None]


@pytest.mark.parametrize("count", [8, 100])
def test_gradients_in_training_equal_those_in_evaluation(count: int) -> None:
    numeric, ids = (part[:count] for part in rows())
    part = TabM(INPUTS, 2, kind="logits", dropout=0.0, **SIZES)
    part.fit_to(*rows(), torch.zeros(100))
    part = part.double().parts[0]
    found = [grads_of(part.train(training), part, numeric.double(), ids) for training in (True, False)]
    for own, theirs in zip(*found, strict=True):
        torch.testing.assert_close(own, theirs, rtol=1e-9, atol=1e-12)


def test_rows_in_pieces_give_what_all_give_at_once() -> None:
    made = fitted(members=2).eval()
    given = rows()
    with torch.no_grad():
        whole = made(*given)
        made.rows_in_cache = 7
        torch.testing.assert_close(made(*given), whole)


def test_bins_that_are_learned_or_loaded_later_are_seen() -> None:
    made, given = fitted().eval(), rows()
    before = made(*given)
    other = fitted()
    torch.nn.init.normal_(other.parts[0].net.num_module.linear.weight)
    made.load_state_dict(other.state_dict())
    assert not torch.allclose(made(*given), before)
    torch.testing.assert_close(made(*given), other.eval()(*given))
    double = made.double()(given[0].double(), given[1])
    torch.testing.assert_close(double.float(), other(*given), rtol=1e-4, atol=1e-5)
    learned = other(*given)
    other.fit_to(given[0] * 3, given[1], torch.zeros(100))
    assert not torch.allclose(other(*given), learned)


def test_one_that_has_predicted_can_be_trained() -> None:
    made, given = fitted(), rows()
    with torch.inference_mode():
        before = made.eval()(*given)
    made.train()(*given).square().sum().backward()
    assert made.parts[0].net.num_module.linear.weight.grad.abs().sum() > 0
    torch.testing.assert_close(made.eval()(*given), before.clone())


def test_short_numbers_change_little() -> None:
    made, given = fitted().train(), rows()
    made.parts[0].dropout = 0.0
    with torch.autocast("cpu", torch.bfloat16):
        short = made(*given)
    assert short.dtype == torch.float32
    torch.testing.assert_close(short, made(*given), rtol=0.05, atol=0.05)


def test_first_weights_are_drawn_as_the_package_draws_them() -> None:
    numeric, _ = rows()
    made = fitted().parts[0].net
    theirs = package(numeric)
    for (name, own), (_, other) in zip(made.named_parameters(), theirs.named_parameters(), strict=True):
        if "linear.weight" not in name:
            assert own.shape == other.shape, name
        assert float(own.detach().std()) == pytest.approx(float(other.detach().std()), rel=0.4, abs=0.02), name


def test_shapes_and_rows_of_their_own() -> None:
    made = fitted(members=3)
    numeric, ids = rows(20)
    own = torch.stack([numeric] * 3, 1), torch.stack([ids] * 3, 1)
    assert made.train()(numeric, ids).shape == (20, 12, 2)
    assert made(*own).shape == (20, 12, 2)
    apart, together = made.eval()(*own), made(numeric, ids)
    assert apart.shape == (20, 3, 2)
    torch.testing.assert_close(averaged(apart, "logits"), together, rtol=1e-4, atol=1e-5)


def test_an_id_that_training_rows_do_not_have_says_nothing() -> None:
    made = fitted().eval()
    flags = made.parts[0].net.cat_module
    assert not flags(torch.tensor([[1, 1], [0, 0]])).any()
    assert flags(torch.tensor([[2, 2]])).sum() == 2


def test_a_saved_one_is_loaded_without_rows() -> None:
    made = fitted(members=2).eval()
    fresh = TabM(INPUTS, 2, kind="logits", members=2, **SIZES).eval()
    fresh.load_state_dict(made.state_dict())
    given = rows()
    assert torch.equal(fresh(*given), made(*given))


def test_biases_do_not_decay() -> None:
    factors = fitted().factors()
    assert factors
    assert all(name.endswith("bias") and factor == (1.0, 0.0) for name, factor in factors.items())


@pytest.mark.parametrize("inputs", [TableInputs(numeric=0, cardinalities=(4,)), TableInputs(numeric=2)])
def test_a_model_without_numbers_or_without_categories(inputs: TableInputs) -> None:
    made = TabM(inputs, 1, kind="value", **SIZES)
    numeric, ids = torch.randn(9, inputs.numeric), torch.full((9, len(inputs.cardinalities)), 2)
    made.fit_to(numeric, ids, torch.zeros(9))
    assert made.double().eval()(numeric.double(), ids).shape == (9, 1)


def test_rare_values_beside_a_frequent_one_get_bins_of_their_own() -> None:
    column = torch.zeros(1000, 1)
    column[:80, 0] = torch.arange(80).float() * 100
    made = TabM(TableInputs(numeric=1), 1, kind="value", k=2, blocks=1, width=4, bins=32)
    made.fit_to(column, torch.zeros(1000, 0, dtype=torch.int64), torch.zeros(1000))
    encoded = made.parts[0].net.num_module.impl(torch.arange(0, 8000, 500).float()[:, None])
    assert len(torch.unique(encoded.flatten(1).argmin(1))) >= 10
