"""The finder's rate trains well, and neither NaN nor noise leads it astray."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

import wellfit
from wellfit.training.rate_finder import suggested


@pytest.mark.parametrize("optimizer", ["adam", "momentum", "rmsprop", "minibatch"])
def test_the_suggestion_trains_about_as_well_as_the_best_rate(optimizer, rows, make_net):
    def final(lr: float) -> float:
        result = wellfit.fit(
            make_net(dropout=0), rows, loss="cce", optimizer=optimizer, lr=lr, batch_size=32, epochs=15
        )
        loss = result.history["train_loss"][-1]
        return loss if not result.findings and math.isfinite(loss) else math.inf

    curve = wellfit.find_rate(make_net(dropout=0), rows, loss="cce", optimizer=optimizer, batch_size=32)
    grid = [final(lr) for lr in np.geomspace(1e-4, 10, 6)]
    assert curve.suggestion is not None
    start = math.log(2)
    assert start - final(curve.suggestion) > 0.7 * (start - min(grid))


def test_the_module_and_the_random_state_are_left_alone(rows, make_net):
    module = make_net()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    wellfit.find_rate(module, rows, loss="cce")
    assert torch.equal(torch.rand(2), expected)
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


def test_labels_without_meaning_suggest_nothing_absurd(make_net):
    generator = torch.Generator().manual_seed(2)
    inputs = torch.randn(300, 6, generator=generator)
    labels = torch.randint(0, 2, (300,), generator=generator)
    suggestion = wellfit.find_rate(make_net(dropout=0), (inputs, labels), loss="cce", batch_size=32).suggestion
    assert suggestion is None or 1e-6 < suggestion < 1.0


def test_nan_at_high_rates_is_evidence_and_no_crash(rows):
    class Fragile(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(6, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            output = self.linear(x)
            return output / (self.linear.weight.abs().max() < 2).float()

    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = Fragile()
    curve = wellfit.find_rate(module, rows, loss="cce", optimizer="minibatch", batch_size=32)
    assert np.isinf(curve.losses[-1])
    assert curve.suggestion is None or curve.suggestion < 10


def test_nan_from_the_first_step_suggests_nothing(rows, make_net):
    inputs = rows[0].clone()
    inputs[:] = math.nan
    assert wellfit.find_rate(make_net(), (inputs, rows[1]), loss="cce").suggestion is None


def test_noise_alone_moves_the_suggestion_little():
    rates = np.geomspace(1e-6, 10, 90)
    clean = 1.0 - 0.8 / (1 + np.exp(-(np.log10(rates) + 2.5) * 3))
    clean[70:] = np.inf
    plain = suggested(rates, clean)
    generator = np.random.default_rng(0)
    for _ in range(20):
        noisy = suggested(rates, clean + generator.normal(0, 0.003, len(rates)))
        assert plain is not None
        assert noisy is not None
        assert plain / 10 < noisy < plain * 10


def test_fit_trains_with_the_rate_found(rows, make_net):
    result = wellfit.fit(make_net(dropout=0), rows, loss="cce", lr="find", epochs=2)
    assert result.history["lr"][0] == wellfit.find_rate(make_net(dropout=0), rows, loss="cce").suggestion
