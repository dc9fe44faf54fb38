"""The instruments on other people's loops: they see what happens, and change nothing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import wellfit
from wellfit.errors import BadInput

X = torch.randn(256, 6, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] * X[:, 1] > 0).long()


def network(dropout: float = 0.2) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(dropout), nn.Linear(16, 2))


def train(
    module: nn.Module, monitor: wellfit.Monitor | None, steps: int = 40, lr: float = 0.01, **given
) -> wellfit.Monitor | None:
    optimizer = torch.optim.Adam(module.parameters(), lr=lr)
    if given.get("watch"):
        monitor = wellfit.Monitor(module, optimizer, **given.get("options", {}))
    torch.manual_seed(1)
    for step in range(steps):
        rows = torch.arange(step * 32, step * 32 + 32) % 256
        loss = functional.cross_entropy(module(X[rows]), Y[rows])
        optimizer.zero_grad()
        loss.backward()
        if monitor is not None:
            monitor.observe(loss)
        optimizer.step()
    return monitor


@pytest.mark.parametrize("options", [{}, {"loss": functional.cross_entropy, "train": (X, Y), "valid": (X, Y)}])
def test_a_watched_loop_ends_with_the_same_bits(options: dict) -> None:
    plain, watched = network(), network()
    train(plain, None)
    monitor = train(watched, None, watch=True, options=options)
    assert monitor is not None
    assert "doctor_failed" not in monitor.history.meta
    monitor.close()
    for (name, a), b in zip(plain.state_dict().items(), watched.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


def test_it_records_losses_updates_and_activations() -> None:
    monitor = train(network(), None, watch=True)
    assert monitor is not None
    history = monitor.history
    assert len(history["batch_loss"]) == 40
    assert set(history.places("silent_share")) == {"2"}
    assert set(history.places("update_ratio")) == {"0.weight", "0.bias", "1.weight", "1.bias", "4.weight", "4.bias"}
    assert history.meta["loss"]["expects"] == "logits"


def test_a_gradient_that_is_not_finite_is_named_and_the_loop_goes_on() -> None:
    module = network()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    monitor = wellfit.Monitor(module, optimizer)
    for _ in range(3):
        loss = functional.cross_entropy(module(X[:32]) * float("inf"), Y[:32])
        optimizer.zero_grad()
        loss.backward()
        monitor.observe(loss)
        optimizer.step()
    findings = wellfit.diagnose(monitor.history)
    assert "non_finite" in [finding.code for finding in findings]
    assert monitor.history.meta["non_finite"]["step"] == 1
    assert monitor.history.meta["non_finite"]["where"]


def test_a_long_loop_keeps_few_windows() -> None:
    module = nn.Linear(2, 1)
    monitor = wellfit.Monitor(module)
    rows = torch.ones(4, 2)
    for _ in range(1000):
        loss = module(rows).sum()
        loss.backward()
        monitor.observe(loss)
    losses = monitor.history["batch_loss"]
    assert 60 <= len(losses) <= 128
    assert losses.mean() == pytest.approx(loss.item(), rel=0.05)


def test_a_softmax_before_cross_entropy_is_found_in_three_lines() -> None:
    module = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2), nn.Softmax(-1))
    monitor = train(module, None, watch=True)
    assert monitor is not None
    assert [finding.code for finding in wellfit.diagnose(monitor.history)][:1] == ["loss_output_mismatch"]


class Odd(nn.Module):
    """Gives a tuple of a tensor and text, from a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(6, 2)

    def forward(self, given: dict[str, Tensor]) -> tuple[Tensor, str]:
        return self.layer(given["x"]), "text"


def test_odd_inputs_and_outputs_do_not_stop_it() -> None:
    module = Odd()
    monitor = wellfit.Monitor(module)
    for _ in range(5):
        loss = functional.cross_entropy(module({"x": X})[0], Y)
        loss.backward()
        monitor.observe(loss)
    assert len(monitor.history["batch_loss"]) == 5
    assert "doctor_failed" not in monitor.history.meta


def test_nothing_to_train_is_said() -> None:
    with pytest.raises(BadInput, match="parameters that are trained"):
        wellfit.Monitor(nn.ReLU())


def test_a_loss_of_many_numbers_is_noted_and_the_loop_goes_on() -> None:
    module = nn.Linear(6, 2)
    monitor = wellfit.Monitor(module)
    monitor.observe(torch.ones(3))
    assert "one number" in monitor.history.meta["doctor_failed"]
