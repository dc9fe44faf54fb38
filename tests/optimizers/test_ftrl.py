"""What is particular to FTRL: exact zeros, where it starts, and rates that change."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from wellfit.optimizers import OPTIMIZERS


def make(params, **options):
    return OPTIMIZERS["ftrl"].make(params, **options)


def regression(dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(400, 20, generator=generator).to(dtype)
    weights = torch.zeros(20, dtype=dtype)
    weights[:3] = torch.tensor([2.0, -1.0, 0.5])
    return inputs, inputs @ weights


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_l1_gives_exact_zeros_where_nothing_is_to_learn(dtype):
    inputs, target = regression(dtype)
    weight = torch.nn.Parameter(torch.full((20,), 0.1, dtype=dtype))
    optimizer = make([weight], lr=0.3, l1=10.0)
    for start in range(0, 4000, 40):
        rows = slice(start % 400, start % 400 + 40)
        weight.grad = None
        (inputs[rows] @ weight - target[rows]).square().mean().backward()
        optimizer.step()
    assert (weight[3:] == 0).all()
    torch.testing.assert_close(weight[:3].float(), torch.tensor([2.0, -1.0, 0.5]), atol=0.25, rtol=0)


def test_starts_from_the_initial_weights():
    weight = torch.nn.Parameter(torch.tensor([0.5, -0.3]))
    weight.grad = torch.full((2,), 1e-6)
    make([weight], lr=0.05).step()
    torch.testing.assert_close(weight.detach(), torch.tensor([0.5, -0.3]))


def test_starts_from_zeros_where_told_as_the_paper_does():
    weight = torch.nn.Parameter(torch.tensor([0.5, -0.3]))
    weight.grad = torch.full((2,), 1e-6)
    make([weight], lr=0.05, start="zeros").step()
    assert (weight.abs() < 1e-6).all()


def test_a_deep_network_learns_from_its_initial_weights_only():
    losses = {}
    for start in ("weights", "zeros"):
        torch.manual_seed(0)
        sizes = (20, 32, 32, 32, 1)
        layers = [layer for pair in pairwise(sizes) for layer in (torch.nn.Linear(*pair), torch.nn.ReLU())]
        model = torch.nn.Sequential(*layers[:-1])
        inputs, target = regression()
        optimizer = make(model.parameters(), start=start)
        for _ in range(200):
            optimizer.zero_grad()
            loss = (model(inputs)[:, 0] - target).square().mean()
            loss.backward()
            optimizer.step()
        losses[start] = loss.item()
    assert losses["weights"] < 0.1 * losses["zeros"]


def test_a_changing_rate_steps_like_adagrad_and_rate_zero_stands_still():
    rates = [0.1, 0.02, 0.0, 0.3, 0.001, 0.1]
    generator = torch.Generator().manual_seed(1)
    start = torch.randn(5, generator=generator, dtype=torch.float64)
    ours, theirs = torch.nn.Parameter(start.clone()), torch.nn.Parameter(start.clone())
    leader = make([ours])
    adagrad = torch.optim.Adagrad([theirs], lr=0.1, initial_accumulator_value=0.1, eps=0.0)
    for rate in rates:
        gradient = torch.randn(5, generator=generator, dtype=torch.float64)
        for optimizer, param in ((leader, ours), (adagrad, theirs)):
            optimizer.param_groups[0]["lr"] = rate
            param.grad = gradient.clone()
        before = ours.detach().clone()
        leader.step()
        if rate:
            adagrad.step()
        else:
            assert torch.equal(ours, before)
        torch.testing.assert_close(ours.detach(), theirs.detach(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("start", ["weights", "zeros"])
def test_no_gradient_ever_is_no_division_by_zero(start):
    weight = torch.nn.Parameter(torch.tensor([0.5, 0.5]))
    optimizer = make([weight], initial_accumulator_value=0.0, start=start)
    for _ in range(3):
        weight.grad = torch.tensor([0.0, 1.0])
        optimizer.step()
    assert torch.isfinite(weight).all()
    assert weight[0].item() == pytest.approx(0.5 if start == "weights" else 0.0)
