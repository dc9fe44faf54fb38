"""Probes against what is known of networks made by hand; and that looking changes nothing."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from wellfit.data.batches import Batch
from wellfit.training.options import as_loss
from wellfit.training.probes import Probe

ROWS = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))


def probe(module: nn.Module, rows: Tensor = ROWS, target: Tensor | None = None, loss: object = None) -> Probe:
    target = torch.zeros(len(rows), 1) if target is None else target
    return Probe(module, None if loss is None else as_loss(loss), Batch((rows,), target))


def figure(found: list[tuple[str, str, float]], name: str, where: str = "") -> float:
    return {(given, place): value for given, place, value in found}[name, where]


def test_silent_units_are_counted_over_rows() -> None:
    module = nn.Sequential(nn.Linear(4, 10), nn.ReLU(), nn.Linear(10, 1))
    with torch.no_grad():
        module[0].weight.normal_(generator=torch.Generator().manual_seed(1))
        module[0].bias.zero_()
        module[0].bias[:3] = -1000.0
    found = probe(module).look()
    assert figure(found, "silent_share", "1") == pytest.approx(0.3)
    assert 0.3 < figure(found, "zero_share", "1") < 0.9


def test_saturated_units_are_counted_by_their_slope() -> None:
    module = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
    with torch.no_grad():
        module[0].weight.mul_(0.1)
        module[0].weight[:2] = 1000.0
    assert figure(probe(module).look(), "saturated_share", "1") == pytest.approx(0.25)


class Functional(nn.Module):
    """Activations as functions, a shared layer called twice, two outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.last = nn.Linear(4, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        for _ in range(2):
            x = torch.relu(self.first(x))
        return torch.sigmoid(self.last(x)), x


def test_functions_shared_layers_and_several_outputs_are_seen() -> None:
    operations, last, output, _ = probe(Functional()).first_look()
    kinds = [(operation["kind"], operation["where"]) for operation in operations]
    assert kinds == [
        ("linear", "first"),
        ("relu", ""),
        ("linear", "first"),
        ("relu", ""),
        ("linear", "last"),
        ("sigmoid", ""),
    ]
    assert last == "sigmoid"
    assert output is not None
    assert output.shape == (64, 2)


def test_linear_after_linear_is_seen_through_what_does_not_bend() -> None:
    module = nn.Sequential(
        nn.Linear(4, 6), nn.Dropout(0.5), nn.BatchNorm1d(6), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 1)
    )
    operations, *_ = probe(module).first_look()
    follows = {
        operation["where"]: operation.get("follows") for operation in operations if operation["kind"] == "linear"
    }
    assert follows == {"0": None, "3": "0", "5": None}


def test_gradients_are_those_of_autograd() -> None:
    module = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 1))
    target = ROWS.sum(1, keepdim=True)
    found = probe(module, ROWS, target, nn.functional.mse_loss).look()
    nn.functional.mse_loss(module(ROWS), target).backward()
    for name, weight in module.named_parameters():
        assert weight.grad is not None
        assert figure(found, "probe_grad", name) == pytest.approx(float(weight.grad.square().mean().sqrt()), rel=1e-5)


def test_the_noise_scale_is_that_of_known_gradients() -> None:
    """One weight 0 and a loss (w - y)^2 / 2 a row: the gradient is -y, the scale its variance by its mean squared."""
    target = 2.0 + 3.0 * torch.randn(256, 1, generator=torch.Generator().manual_seed(3))
    module = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(module.weight)
    ones = torch.ones(256, 1)
    scale = figure(probe(module, ones, target, lambda o, t: ((o - t) ** 2 / 2).mean()).look(noise=True), "noise_scale")
    assert 9 / 4 / 2 < scale < 9 / 4 * 2


def test_recurrent_layers_tell_how_far_they_remember() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell, self.out = nn.RNN(1, 8, batch_first=True), nn.Linear(8, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.out(self.cell(x)[0][:, -1])

    net = Net()
    with torch.no_grad():
        net.cell.weight_hh_l0.mul_(0.2)
    rows = torch.randn(32, 30, 1, generator=torch.Generator().manual_seed(0))
    found = probe(net, rows, torch.zeros(32, 1), nn.functional.mse_loss).look()
    assert figure(found, "time_grad_first") < 1e-6 * figure(found, "time_grad_last")
    operations, *_ = probe(net, rows).first_look()
    assert operations[0]["kind"] == "rnn"
    assert operations[0]["recurrent_gain"] < 0.5


def test_looking_changes_nothing() -> None:
    module = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.ReLU(), nn.Linear(8, 1))
    module.train()
    module(ROWS).sum().backward()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    gradients = [weight.grad.clone() for weight in module.parameters() if weight.grad is not None]
    state = torch.get_rng_state()
    looked = probe(module, ROWS, torch.zeros(64, 1), nn.functional.mse_loss)
    looked.first_look()
    looked.look(noise=True)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert all(
        torch.equal(a, b.grad) for a, b in zip(gradients, module.parameters(), strict=True) if b.grad is not None
    )
    assert all(part.training for part in module.modules())


def test_what_is_not_finite_is_a_share_and_no_error() -> None:
    module = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    with torch.no_grad():
        module[0].weight.fill_(math.nan)
    assert figure(probe(module).look(), "non_finite_share", "0") == 1.0
