"""Gradients that are not finite in a loop of one's own: told where they reach the weights, not where a scaler is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import wellfit
from wellfit.training.bad_gradients import BadGradients

X = torch.randn(64, 6, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2))


class Spoilt(torch.autograd.Function):
    """Gives its input, and a gradient that is not finite."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx, gradient: Tensor) -> Tensor:
        return torch.full_like(gradient, float("nan"))


def loss_of(module: nn.Sequential, *, spoilt: bool) -> Tensor:
    """Give a finite loss; a spoilt one has no finite gradient in the first layer."""
    first = module[0](X)
    return functional.cross_entropy(module[1:](Spoilt.apply(first) if spoilt else first), Y)


def watched(module: nn.Module, optimizer: torch.optim.Optimizer | None) -> tuple[BadGradients, list[dict]]:
    told: list[dict] = []
    gradients = BadGradients(list(module.named_parameters()), optimizer, told.append)
    if optimizer is not None:
        optimizer.register_step_pre_hook(lambda *_: gradients.before_update())
    return gradients, told


OPTIMIZERS = {
    "of one tensor": lambda weights: torch.optim.Adam(weights, lr=0.01, foreach=False, fused=False),
    "of many tensors": lambda weights: torch.optim.Adam(weights, lr=0.01, foreach=True),
    "fused": lambda weights: torch.optim.Adam(weights, lr=0.01, fused=True),
}


@pytest.mark.parametrize("unscaled", [False, True], ids=["scaled", "unscaled"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_what_a_scaler_leaves_out_is_not_told(optimizer: Callable, unscaled: bool) -> None:
    module = network()
    made = optimizer(module.parameters())
    gradients, told = watched(module, made)
    scaler = torch.amp.GradScaler("cpu", init_scale=1e38)
    moved = []
    for step in range(1, 12):
        made.zero_grad()
        loss = functional.cross_entropy(module(X * 1000), Y)
        scaler.scale(loss).backward()
        if unscaled:
            scaler.unscale_(made)
        gradients.look(step, loss.item())
        before = module[0].weight.detach().clone()
        scaler.step(made)
        scaler.update()
        moved.append(not torch.equal(before, module[0].weight))
    # the scale is halved until nothing overflows
    assert not moved[0]
    assert moved[-1]
    assert told == []


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_what_is_updated_with_is_told_once_with_its_layer_and_step(optimizer: Callable) -> None:
    module = network()
    made = optimizer(module.parameters())
    gradients, told = watched(module, made)
    for step in range(1, 6):
        made.zero_grad()
        loss = loss_of(module, spoilt=step == 3)
        loss.backward()
        gradients.look(step, loss.item())
        assert len(told) == (step > 3)
        made.step()
    assert [(found["step"], found["where"]) for found in told] == [(3, "0.weight")]
    assert "48 of its 48" in told[0]["message"]


def test_a_loop_that_leaves_spoilt_steps_out_by_itself_is_healthy() -> None:
    module = network()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    gradients, told = watched(module, optimizer)
    for step in range(1, 7):
        optimizer.zero_grad()
        loss = loss_of(module, spoilt=step % 2 == 0)
        loss.backward()
        gradients.look(step, loss.item())
        if step % 2:
            optimizer.step()
    assert told == []


@pytest.mark.parametrize("given", [float, torch.tensor])
def test_a_loop_that_stops_at_a_loss_that_is_not_finite_is_told(given: Callable) -> None:
    module = network()
    gradients, told = watched(module, torch.optim.SGD(module.parameters(), lr=0.1))
    loss = functional.cross_entropy(module(X) * float("nan"), Y)
    loss.backward()
    gradients.look(1, given(loss.item()))
    assert [found["step"] for found in told] == [1]


def test_a_gradient_alone_is_told_where_no_optimizer_is_known() -> None:
    module = network()
    gradients, told = watched(module, None)
    loss = loss_of(module, spoilt=True)
    loss.backward()
    gradients.look(1, loss.item())
    assert [found["where"] for found in told] == ["0.weight"]


def test_parts_of_an_accumulated_update_are_told_once_it_is_made() -> None:
    module = network()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    gradients, told = watched(module, optimizer)
    for step, spoilt in enumerate((False, True, False, False), 1):
        loss = loss_of(module, spoilt=spoilt) / 4
        loss.backward()
        gradients.look(step, loss.item())
    assert told == []
    optimizer.step()
    assert [found["where"] for found in told] == ["0.weight"]


def test_a_monitor_sees_layers_that_are_trained_later_and_new_ones_stop_nothing() -> None:
    module = network()
    module[0].requires_grad_(False)
    groups = [{"params": module[2].parameters()}, {"params": module[0].parameters(), "lr": 0.01}]
    optimizer = torch.optim.SGD(groups, lr=0.1)
    monitor = wellfit.Monitor(module, optimizer)
    for step in range(4):
        optimizer.zero_grad()
        loss = loss_of(module, spoilt=step == 3)
        loss.backward()
        monitor.observe(loss)
        optimizer.step()
        if step == 1:
            module[0].requires_grad_(True)
            module[2].requires_grad_(False)
    history = monitor.history
    found = history.meta["non_finite"]
    assert (found["step"], found["where"], found["lr"]) == (4, "0.weight", 0.1)
    assert "non_finite" in [finding.code for finding in wellfit.diagnose(history)]
    module.append(nn.Linear(2, 2))
    optimizer.add_param_group({"params": module[3].parameters()})
    before = module[3].weight.detach().clone()
    module[3](X[:, :2]).sum().backward()
    monitor.observe(0.5)
    optimizer.step()
    assert not torch.equal(before, module[3].weight)
