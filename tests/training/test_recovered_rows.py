"""Targets worked out from a loop's gradients, against the targets that the loop used."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import wellfit
from wellfit.training.loss_graph import loss_from_graph, loss_kind
from wellfit.training.recovered_rows import MOST_ROWS, RecoveredRows

SEEDED = torch.Generator().manual_seed(0)
X = torch.randn(64, 5, generator=SEEDED)
IDS = torch.randint(0, 3, (64,), generator=SEEDED)
NUMBERS = 50 + 20 * torch.randn(64, 1, generator=SEEDED)
BINARY = (X[:, :1] > 0).float()

CASES = {
    "cross-entropy": (nn.Linear(5, 3), functional.cross_entropy, IDS),
    "cross-entropy of a softmax": (nn.Sequential(nn.Linear(5, 3), nn.Softmax(1)), functional.cross_entropy, IDS),
    "negative log-likelihood": (nn.Sequential(nn.Linear(5, 3), nn.LogSoftmax(1)), functional.nll_loss, IDS),
    "squared error": (nn.Linear(5, 1), functional.mse_loss, NUMBERS),
    "logits": (nn.Linear(5, 1), functional.binary_cross_entropy_with_logits, BINARY),
    "probabilities": (nn.Sequential(nn.Linear(5, 1), nn.Sigmoid()), functional.binary_cross_entropy, BINARY),
}


def seen(module: nn.Module, loss: Callable[[Tensor, Tensor], Tensor], target: Tensor, steps: int = 4) -> RecoveredRows:
    recovered = RecoveredRows(module)
    for step in range(steps):
        rows = torch.arange(step * 16, step * 16 + 16) % 64
        value = loss(module(X[rows]), target[rows])
        value.backward()
        recovered.take(value, loss_kind(value))
    return recovered


@pytest.mark.parametrize("name", CASES)
def test_targets_are_those_of_the_loop(name: str) -> None:
    rows = seen(*CASES[name]).rows()
    assert torch.equal(rows.inputs[0], X)
    torch.testing.assert_close(rows.target, CASES[name][2], rtol=1e-4, atol=1e-4)


def test_targets_that_the_output_is_sure_of_are_known() -> None:
    """Where the probability of the right class is 1 in all digits, no logit has a gradient."""
    sure = nn.Linear(5, 3)
    nn.init.zeros_(sure.weight)
    sure.bias.data = torch.tensor([-200.0, -100.0, 100.0])
    rows = seen(sure, functional.cross_entropy, torch.full((64,), 2)).rows()
    assert rows.target.unique().tolist() == [2]


def test_rows_that_come_again_are_kept_once() -> None:
    recovered = seen(*CASES["squared error"], steps=9)
    assert recovered.count == 9 * 16
    assert len(recovered.rows().target) == 64


def weighted(output: Tensor, target: Tensor) -> Tensor:
    return functional.cross_entropy(output, target, weight=torch.tensor([1.0, 5.0, 1.0]))


@pytest.mark.parametrize("loss", [weighted, lambda o, t: functional.mse_loss(o[:, :1], NUMBERS[:16]) * 3])
def test_a_loss_that_is_not_known_gives_no_rows(loss: Callable[[Tensor, Tensor], Tensor]) -> None:
    recovered = seen(nn.Linear(5, 3), loss, IDS)
    assert (recovered.count, recovered.open) == (0, False)


def test_a_module_called_twice_a_step_gives_no_rows() -> None:
    module = nn.Linear(5, 1)
    recovered = RecoveredRows(module)
    value = functional.mse_loss(module(X) + module(-X), NUMBERS)
    value.backward()
    assert not recovered.take(value, "MseLoss")


def test_rows_kept_are_bounded() -> None:
    module, many = nn.Linear(1, 1), torch.arange(3 * MOST_ROWS).float().reshape(-1, 1)
    recovered = RecoveredRows(module)
    value = functional.mse_loss(module(many), many)
    value.backward()
    assert recovered.take(value, "MseLoss")
    assert not recovered.open
    assert len(recovered.rows().target) == MOST_ROWS


def test_outputs_broadcast_against_their_targets_are_seen_in_the_graph() -> None:
    with pytest.warns(UserWarning, match="target size"):
        spread = functional.mse_loss(nn.Linear(5, 1)(X), NUMBERS[:, 0])
    assert loss_from_graph(spread).get("constant_beats_right") is True
    assert "constant_beats_right" not in loss_from_graph(functional.mse_loss(nn.Linear(5, 1)(X), NUMBERS))


def watched(module: nn.Module, steps: int, lr: float) -> wellfit.Monitor:
    optimizer = torch.optim.SGD(module.parameters(), lr=lr)
    monitor = wellfit.Monitor(module, optimizer)
    for step in range(steps):
        rows = torch.arange(step * 16, step * 16 + 16) % 64
        loss = functional.mse_loss(module(X[rows]), X[rows].sum(1, keepdim=True))
        optimizer.zero_grad()
        loss.backward()
        monitor.observe(loss)
        optimizer.step()
    return monitor


@pytest.mark.parametrize(("lr", "wrong"), [(0.1, False), (1e-7, True)])
def test_three_lines_judge_learning_against_baselines(lr: float, wrong: bool) -> None:
    history = watched(nn.Linear(5, 1), 200, lr).history
    assert "doctor_failed" not in history.meta
    assert history.meta["appraisal"]["train"]["rows"] == 64
    assert history.meta["data"]["rows"] == 64
    assert any(finding.severity != "info" for finding in wellfit.diagnose(history)) is wrong


def test_a_history_read_on_the_way_changes_no_weight() -> None:
    made = []
    for reads in (False, True):
        torch.manual_seed(0)
        module = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))
        optimizer = torch.optim.Adam(module.parameters())
        monitor = wellfit.Monitor(module, optimizer)
        for step in range(20):
            loss = functional.mse_loss(module(X), NUMBERS)
            optimizer.zero_grad()
            loss.backward()
            monitor.observe(loss)
            optimizer.step()
            if reads and step % 5 == 0:
                assert len(monitor.history)
        made.append(module.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(made[0].values(), made[1].values(), strict=True))
