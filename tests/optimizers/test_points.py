"""Nesterov and schedule-free: the point that is trained, the point that is evaluated, and the way between."""

from __future__ import annotations

import pytest
import torch

from wellfit.errors import ConfigError
from wellfit.optimizers import OPTIMIZERS
from wellfit.regularizers import WeightDecay

NAMES = ["nesterov", "schedule_free_adamw"]


def started(name, dtype=torch.float32, **options):
    torch.manual_seed(0)
    params = [torch.nn.Parameter(torch.randn(shape).to(dtype)) for shape in ((7, 5), (5,))]
    optimizer = OPTIMIZERS[name].make(params, lr=0.1, **options)
    advance(optimizer, params, 5)
    return optimizer, params


def advance(optimizer, params, steps):
    for step in range(steps):
        for param in params:
            param.grad = (param.detach() + 0.3 * step).sin()
        optimizer.step()


def now(params):
    return [param.detach().clone() for param in params]


def equal(one, other):
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_to_and_fro_changes_no_bit(name, dtype):
    optimizer, params = started(name, dtype)
    training = now(params)
    optimizer.eval()
    evaluated = now(params)
    assert not equal(training, evaluated)
    for _ in range(3):
        optimizer.eval()
        assert equal(now(params), evaluated)
        optimizer.train()
        optimizer.train()
        assert equal(now(params), training)
        optimizer.eval()


@pytest.mark.parametrize("name", NAMES)
def test_evaluating_between_steps_changes_nothing(name):
    plain, untouched = started(name)
    visited, params = started(name)
    for _ in range(3):
        advance(plain, untouched, 1)
        visited.eval()
        visited.train()
        advance(visited, params, 1)
    assert equal(untouched, params)


@pytest.mark.parametrize("name", NAMES)
def test_a_step_while_evaluating_is_refused(name):
    optimizer, params = started(name)
    optimizer.eval()
    before = now(params)
    with pytest.raises(ConfigError, match="train"):
        optimizer.step()
    assert equal(before, params)


@pytest.mark.parametrize("name", NAMES)
def test_before_the_first_step_both_points_are_the_weights(name):
    param = torch.nn.Parameter(torch.ones(3))
    optimizer = OPTIMIZERS[name].make([param])
    for move in (optimizer.eval, optimizer.train, optimizer.eval):
        move()
        assert torch.equal(param, torch.ones(3))


def test_nesterov_looks_ahead_under_the_present_rate():
    optimizer, params = started("nesterov", beta=0.75)
    optimizer.eval()
    weights, velocities = now(params), [optimizer.state[param]["velocity"].clone() for param in params]
    optimizer.train()
    for rate in (0.5, 0.02):
        optimizer.param_groups[0]["lr"] = rate
        optimizer.train()
        ahead = [weight - rate * 0.75 * velocity for weight, velocity in zip(weights, velocities, strict=True)]
        for param, wanted in zip(params, ahead, strict=True):
            torch.testing.assert_close(param.detach(), wanted)
    optimizer.eval()
    assert equal(weights, params)


def test_nesterov_keeps_exact_weights_of_narrow_parameters():
    param = torch.nn.Parameter(torch.ones(1, dtype=torch.bfloat16))
    optimizer = OPTIMIZERS["nesterov"].make([param], lr=1e-4, beta=0.0)
    for _ in range(100):
        param.grad = torch.ones_like(param)
        optimizer.step()
    assert param.dtype == torch.bfloat16
    assert optimizer.state[param]["weight"].item() == pytest.approx(0.99, abs=1e-5)


def test_schedule_free_evaluates_the_mean_of_its_fast_points():
    param = torch.nn.Parameter(torch.tensor([3.0], dtype=torch.float64))
    optimizer = OPTIMIZERS["schedule_free_adamw"].make([param], lr=0.2)
    points = []
    for _ in range(8):
        param.grad = param.detach().clone()
        optimizer.step()
        points.append(optimizer.state[param]["fast"].item())
    optimizer.eval()
    assert param.item() == pytest.approx(sum(points) / 8)


@pytest.mark.parametrize("name", [*NAMES, "ftrl", "adam", "bgd"])
def test_shrinking_lasts(name):
    weight = torch.nn.Parameter(torch.tensor([[2.0, -1.0]], dtype=torch.float64))
    optimizer = OPTIMIZERS[name].make([weight], lr=0.1)
    for _ in range(3):  # no gradient: nothing but the decay moves the weights
        weight.grad = torch.zeros_like(weight)
        WeightDecay(0.25).apply([weight], 1.0, optimizer)
        optimizer.step()
    getattr(optimizer, "eval", lambda: None)()
    if name == "schedule_free_adamw":
        assert (weight.abs() < torch.tensor([[2.0, 1.0]]) * 0.7).all()
    else:
        torch.testing.assert_close(weight.detach(), torch.tensor([[2.0, -1.0]], dtype=torch.float64) * 0.75**3)


def test_shrinking_schedule_free_weights_is_its_own_decay():
    inside, one = started("schedule_free_adamw", torch.float64, weight_decay=0.5)
    outside, other = started("schedule_free_adamw", torch.float64)
    torch.manual_seed(0)
    other = [torch.nn.Parameter(torch.randn(shape).double()) for shape in ((7, 5), (5,))]
    outside = OPTIMIZERS["schedule_free_adamw"].make(other, lr=0.1)
    for step in range(5):
        for param in other:
            param.grad = (param.detach() + 0.3 * step).sin()
        if step:  # before its first step there is no state: the parameters themselves shrink
            WeightDecay(0.5).apply(other, 0.1, outside)
        else:
            outside.param_groups[0]["weight_decay"] = 0.5
        outside.step()
        outside.param_groups[0]["weight_decay"] = 0.0
    torch.testing.assert_close(now(one), now(other))
    assert inside.state[one[0]]["step"] == 5
