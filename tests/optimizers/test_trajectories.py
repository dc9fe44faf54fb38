"""Every optimizer against its formula, written down in float64 NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from wellfit.optimizers import OPTIMIZERS

STEPS = 20
SHAPES = [(3, 4), (4,), (2, 3, 2), ()]


def starts(shapes=SHAPES):
    rng = np.random.default_rng(0)
    return [np.asarray(rng.normal(size=shape)) for shape in shapes]


def gradient(index, step, weight):
    """A gradient that depends on the weights, so that the point where it is taken matters."""
    shift = np.sin(np.arange(weight.size).reshape(weight.shape) + index + 0.7 * step)
    return 0.5 * weight + 0.4 * np.sin(3 * weight) + shift


def sign(x):
    return np.sign(x)


def descent(a):
    def follow(index, w):
        for t in range(STEPS):
            w = w - a * gradient(index, t, w)
        return w

    return follow


def momentum(a, b, share):
    def follow(index, w):
        v = np.zeros_like(w)
        for t in range(STEPS):
            v = b * v + share * gradient(index, t, w)
            w = w - a * v
        return w

    return follow


def nesterov(a, b):
    def follow(index, w):
        v = np.zeros_like(w)
        for t in range(STEPS):
            v = b * v + (1 - b) * gradient(index, t, w - a * b * v)
            w = w - a * v
        return w

    return follow


def adagrad(a, e, start):
    def follow(index, w):
        total = np.full_like(w, start)
        for t in range(STEPS):
            g = gradient(index, t, w)
            total = total + g**2
            w = w - a * g / (np.sqrt(total) + e)
        return w

    return follow


def rmsprop(a, b, e):
    def follow(index, w):
        v = np.zeros_like(w)
        for t in range(STEPS):
            g = gradient(index, t, w)
            v = b * v + (1 - b) * g**2
            w = w - a * g / (np.sqrt(v) + e)
        return w

    return follow


def adam(a, b1, b2, e, decay=0.0):
    def follow(index, w):
        m, v = np.zeros_like(w), np.zeros_like(w)
        for t in range(1, STEPS + 1):
            g = gradient(index, t - 1, w)
            m = b1 * m + (1 - b1) * g
            v = b2 * v + (1 - b2) * g**2
            w = w - a * decay * w
            w = w - a * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + e)
        return w

    return follow


def nadam(a, b1, b2, e, d):
    def mu(t):
        return b1 * (1 - 0.5 * 0.96 ** (t * d))

    def follow(index, w):
        m, v, product = np.zeros_like(w), np.zeros_like(w), 1.0
        for t in range(1, STEPS + 1):
            g = gradient(index, t - 1, w)
            product *= mu(t)
            m = b1 * m + (1 - b1) * g
            v = b2 * v + (1 - b2) * g**2
            mean = mu(t + 1) * m / (1 - product * mu(t + 1)) + (1 - mu(t)) * g / (1 - product)
            w = w - a * mean / (np.sqrt(v / (1 - b2**t)) + e)
        return w

    return follow


def adadelta(a, r, e):
    def follow(index, w):
        v, u = np.zeros_like(w), np.zeros_like(w)
        for t in range(STEPS):
            g = gradient(index, t, w)
            v = r * v + (1 - r) * g**2
            d = np.sqrt(u + e) / np.sqrt(v + e) * g
            u = r * u + (1 - r) * d**2
            w = w - a * d
        return w

    return follow


def ftrl(a, l1, l2, power, start_n, beta, zeros):
    """Algorithm 1 of McMahan et al., with z from zero or from the pull to the first weights."""

    def follow(index, w):
        n = np.full_like(w, start_n)
        z = np.zeros_like(w) if zeros else -(beta + n**-power) / a * w
        for t in range(STEPS):
            g = gradient(index, t, w)
            sigma = ((n + g**2) ** -power - n**-power) / a
            z = z + g - sigma * w
            n = n + g**2
            solved = (sign(z) * l1 - z) / ((beta + n**-power) / a + 2 * l2)
            w = np.where(np.abs(z) <= l1, 0.0, solved)
        return w

    return follow


def lion(a, b1, b2, decay):
    def follow(index, w):
        m = np.zeros_like(w)
        for t in range(STEPS):
            g = gradient(index, t, w)
            w = w - a * (sign(b1 * m + (1 - b1) * g) + decay * w)
            m = b2 * m + (1 - b2) * g
        return w

    return follow


def schedule_free(a, b1, b2, e, decay, warmup):
    def follow(index, w):
        z, x, v, total, largest = w.copy(), w.copy(), np.zeros_like(w), 0.0, 0.0
        for t in range(1, STEPS + 1):
            y = (1 - b1) * z + b1 * x
            g = gradient(index, t - 1, y)
            rate = a * min(1.0, t / max(1, warmup))
            largest = max(largest, rate)
            total += largest**2
            v = b2 * v + (1 - b2) * g**2
            z = z - rate * (g / (np.sqrt(v / (1 - b2**t)) + e) + decay * y)
            c = largest**2 / total
            x = (1 - c) * x + c * z
        return x

    return follow


CASES = [
    ("bgd", {"lr": 0.1}, descent(0.1)),
    ("sgd", {"lr": 0.1}, descent(0.1)),
    ("minibatch", {"lr": 0.1}, descent(0.1)),
    ("momentum", {"lr": 0.3, "beta": 0.8}, momentum(0.3, 0.8, 0.2)),
    ("momentum", {"lr": 0.05, "beta": 0.9, "heavy_ball": True}, momentum(0.05, 0.9, 1.0)),
    ("nesterov", {"lr": 0.3, "beta": 0.8}, nesterov(0.3, 0.8)),
    ("adagrad", {"lr": 0.2, "eps": 1e-3}, adagrad(0.2, 1e-3, 0.0)),
    ("adagrad", {"lr": 0.2, "initial_accumulator_value": 0.5}, adagrad(0.2, 1e-10, 0.5)),
    ("rmsprop", {"lr": 0.05, "beta": 0.9, "eps": 1e-3}, rmsprop(0.05, 0.9, 1e-3)),
    ("adam", {"lr": 0.05, "beta1": 0.8, "beta2": 0.95, "eps": 1e-3}, adam(0.05, 0.8, 0.95, 1e-3)),
    ("adamw", {"lr": 0.05, "weight_decay": 0.3}, adam(0.05, 0.9, 0.999, 1e-8, 0.3)),
    ("nadam", {"lr": 0.05, "momentum_decay": 0.5}, nadam(0.05, 0.9, 0.999, 1e-8, 0.5)),
    ("nadam", {"lr": 0.05}, nadam(0.05, 0.9, 0.999, 1e-8, 0.004)),
    ("adadelta", {"lr": 2.0, "rho": 0.8, "eps": 1e-3}, adadelta(2.0, 0.8, 1e-3)),
    ("ftrl", {"lr": 0.3}, ftrl(0.3, 0.0, 0.0, -0.5, 0.1, 0.0, False)),
    ("ftrl", {"lr": 0.3, "l1": 0.8, "l2": 0.3, "beta": 0.7}, ftrl(0.3, 0.8, 0.3, -0.5, 0.1, 0.7, False)),
    ("ftrl", {"lr": 0.3, "l1": 0.8, "l2": 0.3, "start": "zeros"}, ftrl(0.3, 0.8, 0.3, -0.5, 0.1, 0.0, True)),
    ("ftrl", {"lr": 0.1, "lr_power": -0.3, "l2": 0.1}, ftrl(0.1, 0.0, 0.1, -0.3, 0.1, 0.0, False)),
    ("ftrl", {"lr": 0.1, "lr_power": 0.0, "l1": 0.1}, ftrl(0.1, 0.1, 0.0, 0.0, 0.1, 0.0, False)),
    ("lion", {"lr": 0.05, "weight_decay": 0.2}, lion(0.05, 0.9, 0.99, 0.2)),
    ("schedule_free_adamw", {"lr": 0.1}, schedule_free(0.1, 0.9, 0.999, 1e-8, 0.0, 0)),
    (
        "schedule_free_adamw",
        {"lr": 0.1, "beta1": 0.7, "weight_decay": 0.2, "warmup_steps": 6},
        schedule_free(0.1, 0.7, 0.999, 1e-8, 0.2, 6),
    ),
]


def follow_optimizer(name, options, shapes=SHAPES, dtype=torch.float64):
    params = [torch.nn.Parameter(torch.tensor(start, dtype=dtype)) for start in starts(shapes)]
    optimizer = OPTIMIZERS[name].make(params, **options)
    for t in range(STEPS):
        if hasattr(optimizer, "train"):
            optimizer.train()
        for index, param in enumerate(params):
            value = gradient(index, t, param.detach().double().numpy())
            param.grad = torch.tensor(value, dtype=dtype)
        optimizer.step()
    if hasattr(optimizer, "eval"):
        optimizer.eval()
    return [param.detach().double().numpy() for param in params]


@pytest.mark.parametrize(("name", "options", "reference"), CASES, ids=lambda value: str(value)[:60])
def test_follows_its_formula(name, options, reference):
    moved = follow_optimizer(name, options)
    for index, (got, start) in enumerate(zip(moved, starts(), strict=True)):
        # NAdam's product of momenta is kept in float32 by torch.
        np.testing.assert_allclose(got, reference(index, start), rtol=0, atol=2e-6 if name == "nadam" else 1e-11)


@pytest.mark.parametrize(("name", "options", "reference"), CASES, ids=lambda value: str(value)[:60])
def test_follows_its_formula_in_float32(name, options, reference):
    moved = follow_optimizer(name, options, dtype=torch.float32)
    for index, (got, start) in enumerate(zip(moved, starts(), strict=True)):
        if name != "lion":  # a sign turns with the last bit
            np.testing.assert_allclose(got, reference(index, start), rtol=1e-3, atol=2e-4)


def orthogonalised(matrix):
    """Five Newton-Schulz iterations, with the coefficients of Jordan's post."""
    x = matrix / np.linalg.norm(matrix)
    x = x.T if matrix.shape[0] > matrix.shape[1] else x
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x


def test_muon_follows_its_formula_to_the_precision_of_bfloat16():
    shape, a, b, decay = (8, 5), 0.05, 0.9, 0.1
    (w,) = starts([shape])
    m = np.zeros_like(w)
    for t in range(STEPS):
        g = gradient(0, t, w)
        m = b * m + (1 - b) * g
        w = w - a * decay * w - a * 0.2 * np.sqrt(max(shape)) * orthogonalised(g + b * (m - g))
    (moved,) = follow_optimizer("muon", {"lr": a, "momentum": b, "weight_decay": decay}, [shape])
    travelled = np.linalg.norm(w - starts([shape])[0])
    assert np.linalg.norm(moved - w) < 0.03 * travelled


def test_every_optimizer_has_a_reference():
    assert {name for name, *_ in CASES} | {"muon", "lbfgs"} == set(OPTIMIZERS)
