"""Every optimizer against somebody else's: torch's plain loops, and Keras computing with torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import optim

from wellfit.optimizers import OPTIMIZERS

STEPS = 25
RATE = 0.0625  # exact in float32, in which Keras keeps rates


def starts():
    generator = torch.Generator().manual_seed(3)
    return [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((4, 3), (3,), (2, 2, 2))]


def gradients(values, step):
    return [0.5 * value + torch.sin(3 * value + step + index) for index, value in enumerate(values)]


def follow(make, values):
    params = [torch.nn.Parameter(value.clone()) for value in values]
    optimizer = make(params)
    for step in range(STEPS):
        if hasattr(optimizer, "train"):
            optimizer.train()
        for param, grad in zip(params, gradients([param.detach() for param in params], step), strict=True):
            param.grad = grad
        optimizer.step()
    if hasattr(optimizer, "eval"):
        optimizer.eval()
    return [param.detach() for param in params]


def agree(got, wanted, tolerance):
    for one, other in zip(got, wanted, strict=True):
        np.testing.assert_allclose(one.numpy(), np.asarray(other), rtol=0, atol=tolerance)


PLAIN = {"foreach": False}
TORCH = [
    ("bgd", {}, lambda p: optim.SGD(p, lr=RATE, **PLAIN)),
    ("sgd", {}, lambda p: optim.SGD(p, lr=RATE, **PLAIN)),
    ("minibatch", {}, lambda p: optim.SGD(p, lr=RATE, **PLAIN)),
    ("momentum", {"heavy_ball": True}, lambda p: optim.SGD(p, lr=RATE, momentum=0.9, **PLAIN)),
    ("adagrad", {}, lambda p: optim.Adagrad(p, lr=RATE, **PLAIN)),
    ("rmsprop", {}, lambda p: optim.RMSprop(p, lr=RATE, alpha=0.9, **PLAIN)),
    ("adam", {}, lambda p: optim.Adam(p, lr=RATE, **PLAIN)),
    ("nadam", {}, lambda p: optim.NAdam(p, lr=RATE, **PLAIN)),
    ("adadelta", {}, lambda p: optim.Adadelta(p, lr=RATE, **PLAIN)),
    ("adamw", {}, lambda p: optim.AdamW(p, lr=RATE, weight_decay=0.01, **PLAIN)),
    ("ftrl", {}, lambda p: optim.Adagrad(p, lr=RATE, initial_accumulator_value=0.1, eps=0.0, **PLAIN)),
]


@pytest.mark.parametrize(("name", "options", "theirs"), TORCH, ids=[f"{case[0]}-torch" for case in TORCH])
def test_agrees_with_torch(name, options, theirs):
    ours = follow(lambda params: OPTIMIZERS[name].make(params, lr=RATE, **options), starts())
    agree(ours, follow(theirs, starts()), 1e-6 if name == "nadam" else 1e-12)


def test_the_mean_momentum_is_the_heavy_ball_at_a_larger_rate():
    mean = follow(lambda params: OPTIMIZERS["momentum"].make(params, lr=RATE), starts())
    ball = follow(lambda params: optim.SGD(params, lr=RATE * (1 - 0.9), momentum=0.9), starts())
    agree(mean, ball, 1e-12)


def test_muon_is_torchs_muon_and_torchs_adamw():
    muon = lambda p: optim.Muon(p[:1], lr=RATE, weight_decay=0.01, momentum=0.95, adjust_lr_fn="match_rms_adamw")  # noqa: E731
    ours = follow(lambda params: OPTIMIZERS["muon"].make(params, lr=RATE), starts())
    agree(ours[:1], follow(muon, starts()[:1]), 0.0)
    values = starts()
    adamw = follow(lambda p: optim.AdamW(p[1:], lr=RATE, weight_decay=0.01), values)
    agree(ours[1:], adamw[1:], 1e-12)


def least_squares(make):
    generator = torch.Generator().manual_seed(5)
    inputs = torch.randn(30, 6, generator=generator, dtype=torch.float64)
    target = torch.randn(30, 1, generator=generator, dtype=torch.float64)
    weight = torch.nn.Parameter(torch.zeros(6, 1, dtype=torch.float64))
    optimizer = make([weight])

    def closure():
        optimizer.zero_grad()
        loss = (inputs @ weight - target).square().mean()
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)
    return weight.detach().numpy(), np.linalg.lstsq(inputs.numpy(), target.numpy())[0]


def test_lbfgs_is_torchs_and_solves_least_squares():
    ours, solution = least_squares(OPTIMIZERS["lbfgs"].make)
    theirs, _ = least_squares(
        lambda params: optim.LBFGS(params, lr=1.0, max_iter=20, history_size=20, line_search_fn="strong_wolfe")
    )
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_allclose(ours, solution, atol=1e-4)


def follow_keras(keras, optimizer, values):
    variables = [keras.Variable(value.numpy(), dtype="float64") for value in values]
    for step in range(STEPS):
        optimizer.apply(gradients([variable.value.detach().clone() for variable in variables], step), variables)
    return [variable.value.detach() for variable in variables]


# Keras adds epsilon under the root, the formulas of Adagrad and RMSprop outside: too small to matter, set alike.
KERAS = [
    ("adagrad", {"eps": 1e-30, "initial_accumulator_value": 0.1}, "Adagrad", {"epsilon": 1e-30}),
    ("rmsprop", {"eps": 1e-30}, "RMSprop", {"rho": 0.9, "epsilon": 1e-30}),
    ("adadelta", {"rho": 0.9, "eps": 1e-6}, "Adadelta", {"rho": 0.9, "epsilon": 1e-6}),
    ("adam", {"eps": 1e-7}, "Adam", {"epsilon": 1e-7}),
    # Keras warms the momentum up by 0.96^t, Dozat (and torch) by 0.96^(t/250).
    ("nadam", {"eps": 1e-7, "momentum_decay": 1.0}, "Nadam", {"epsilon": 1e-7}),
    ("lion", {}, "Lion", {}),
    ("ftrl", {"start": "zeros"}, "Ftrl", {}),
    ("ftrl", {"start": "zeros", "beta": 0.5}, "Ftrl", {"beta": 0.5}),
    (
        "ftrl",
        {"start": "zeros", "l1": 0.7, "l2": 0.2},
        "Ftrl",
        {"l1_regularization_strength": 0.7, "l2_regularization_strength": 0.2},
    ),
    (
        "ftrl",
        {"start": "zeros", "initial_accumulator_value": 1.5, "lr_power": -0.25, "l1": 0.1},
        "Ftrl",
        {"initial_accumulator_value": 1.5, "learning_rate_power": -0.25, "l1_regularization_strength": 0.1},
    ),
]
# Keras 3.15's ScheduleFreeAdamW is no authority with torch: it keeps the former z as a view of the new one, so that its
# average is computed from the wrong point. test_trajectories has the paper's formula.


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # within Keras
@pytest.mark.parametrize(
    ("name", "options", "theirs", "settings"), KERAS, ids=[f"{case[0]}-{number}" for number, case in enumerate(KERAS)]
)
def test_agrees_with_keras(keras, name, options, theirs, settings):
    optimizer = getattr(keras.optimizers, theirs)(learning_rate=RATE, **settings)
    wanted = follow_keras(keras, optimizer, starts())
    agree(follow(lambda params: OPTIMIZERS[name].make(params, lr=RATE, **options), starts()), wanted, 2e-6)


def test_ftrl_from_zeros_is_keras_under_either_start(keras):
    zeros = [torch.zeros_like(value) for value in starts()]
    settings = {"l1_regularization_strength": 0.3, "l2_regularization_strength": 0.1}
    wanted = follow_keras(keras, keras.optimizers.Ftrl(learning_rate=RATE, **settings), zeros)
    for start in ("weights", "zeros"):
        make = lambda params, start=start: OPTIMIZERS["ftrl"].make(params, lr=RATE, l1=0.3, l2=0.1, start=start)  # noqa: E731
        agree(follow(make, zeros), wanted, 1e-9)
