"""Figures of units against the plain formulas, unit by unit, in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from wellfit.training.monitor import LayerStatistics
from wellfit.training.unit_figures import unit_figures


def made(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


OUTPUTS = {
    "linear": made(64, 10) * 3 + 5,
    "relu": (made(64, 8) - torch.arange(8.0)).relu(),
    "tanh": (made(64, 6) * torch.arange(6.0) * 3).tanh(),
    "sigmoid": (made(64, 3, 6) * torch.arange(6.0) * 3).sigmoid(),
}


def wanted(kind: str, output: Tensor) -> dict[str, float]:
    units = output.double().flatten(0, -2).numpy()
    figures = {
        "signal": np.sqrt((units.std(0) ** 2).mean()),
        "size": np.sqrt((units**2).mean()),
        "still_share": (units.std(0) <= 1e-5 * np.sqrt((units**2).mean(0).max())).mean(),
    }
    if kind == "linear":
        del figures["still_share"]
    if kind == "relu":
        figures |= {"silent_share": (units <= 0).all(0).mean(), "zero_share": (units <= 0).mean()}
    if kind in ("tanh", "sigmoid"):
        slope = 1 - units**2 if kind == "tanh" else 4 * units * (1 - units)
        figures |= {"saturated_share": (slope.mean(0) < 0.05).mean(), "slope": slope.mean()}
    return figures


def test_several_operations_at_once_are_each_as_alone() -> None:
    kinds = ["embedding", *OUTPUTS, "relu", "linear"]
    outputs = [torch.zeros(4, dtype=torch.long), *OUTPUTS.values(), None, torch.zeros(4, 0)]
    found = unit_figures(kinds, outputs)
    assert [sorted(figures) for figures in (found[0], *found[-2:])] == [[], [], []]
    for (kind, output), figures in zip(OUTPUTS.items(), found[1:-2], strict=True):
        assert figures == pytest.approx(wanted(kind, output), rel=1e-5, abs=1e-6), kind
        assert figures == pytest.approx(unit_figures([kind], [output])[0], rel=1e-12)


def test_a_unit_that_hardly_moves_is_told_from_one_that_is_still() -> None:
    output = 1000 + made(64, 3) * torch.tensor([0.0, 1e-4, 1.0])
    assert unit_figures(["relu"], [output])[0]["still_share"] == pytest.approx(2 / 3)
    assert unit_figures(["relu"], [output + made(64, 3)])[0]["still_share"] == 0.0


def test_one_layer_that_is_not_finite_hides_no_other() -> None:
    bad = made(64, 4)
    bad[:16, 0] = float("inf")
    found = unit_figures(["linear", "relu", "relu"], [made(64, 4), bad, OUTPUTS["relu"]])
    assert found[1] == {"non_finite_share": 1 / 16}
    assert found[2] == pytest.approx(wanted("relu", OUTPUTS["relu"]), rel=1e-5)


def test_images_are_looked_at_by_channel() -> None:
    output = torch.zeros(8, 3, 30, 30)
    output[:, 1] = 1.0
    assert unit_figures(["relu"], [output])[0]["silent_share"] == pytest.approx(2 / 3)


def test_statistics_are_those_of_the_step_and_grow_sparse() -> None:
    layer = torch.nn.Linear(3, 2)
    statistics = LayerStatistics(layer, every=10)
    wanted_steps = [*range(0, 200, 10), *range(200, 2000, 20), *range(2000, 2400, 40)]
    assert [step for step in range(2400) if statistics.wants(step)] == wanted_steps
    layer(made(5, 3)).square().sum().backward()
    before = [weight.detach().double() for weight in layer.parameters()]
    gradients = [weight.grad.double() for weight in layer.parameters()]
    statistics.before_update()
    torch.optim.SGD(layer.parameters(), lr=0.1).step()
    statistics.after_update()
    sums = statistics.state()["sums"]
    assert isinstance(sums, Tensor)
    for place, (weight, gradient) in enumerate(zip(before, gradients, strict=True)):
        largest = max(weight.norm(), (weight - 0.1 * gradient).norm())
        exact = torch.stack([gradient.norm(), weight.norm(), 0.1 * gradient.norm() / largest])
        assert torch.allclose(sums[:, place].double(), exact, rtol=1e-5)
