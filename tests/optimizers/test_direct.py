"""The kernel called directly against torch's own step, to the bit."""

from __future__ import annotations

import copy
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from wellfit.optimizers import OPTIMIZERS, stepper


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(*(nn.Linear(a, b) for a, b in pairwise((5, 7, 3))))


def give_gradients(module: nn.Module, step: int, skip: str = "") -> None:
    generator = torch.Generator().manual_seed(step)
    for name, weight in module.named_parameters():
        weight.grad = None if name == skip else torch.randn(weight.shape, generator=generator)


def optimizers(module: nn.Module) -> list[Optimizer]:
    weights = list(module.parameters())
    return [
        OPTIMIZERS["adam"].make(weights, lr=0.01),
        OPTIMIZERS["adamw"].make(weights, lr=0.01),
        Adam(weights, lr=0.01, fused=True, weight_decay=0.1, decoupled_weight_decay=True),
        AdamW([{"params": weights[:2], "lr": 0.1}, {"params": weights[2:]}], lr=0.01, fused=True),
    ]


@pytest.mark.parametrize("which", range(4))
def test_steps_are_torchs_own_to_the_bit(which: int) -> None:
    ours, theirs = network(), network()
    optimizer, reference = optimizers(ours)[which], optimizers(theirs)[which]
    step = stepper(optimizer)
    assert step != optimizer.step
    for count in range(12):
        skip = "0.bias" if count in (0, 6) else ""
        for module, update, stepping in ((ours, step, optimizer), (theirs, reference.step, reference)):
            give_gradients(module, count, skip)
            for group in stepping.param_groups:
                group["lr"] *= 0.9
            update()
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))
    saved, expected = optimizer.state_dict()["state"], reference.state_dict()["state"]
    for key, state in expected.items():
        assert all(torch.equal(saved[key][name], value) for name, value in state.items())


def test_it_goes_on_from_a_loaded_state() -> None:
    whole, parted = network(), network()
    optimizer = OPTIMIZERS["adam"].make(whole.parameters())
    step = stepper(optimizer)
    for count in range(8):
        if count == 4:
            parted.load_state_dict(whole.state_dict())
            state = copy.deepcopy(optimizer.state_dict())
        give_gradients(whole, count)
        step()
    other = OPTIMIZERS["adam"].make(parted.parameters())
    later = stepper(other)
    give_gradients(parted, 99)
    later()
    parted.load_state_dict({name: value.clone() for name, value in parted.state_dict().items()})
    other.load_state_dict(state)
    fresh = network()
    third = OPTIMIZERS["adam"].make(fresh.parameters())
    third.load_state_dict(state)
    fresh.load_state_dict(parted.state_dict())
    for count in range(4, 8):
        for module, update in ((parted, later), (fresh, third.step)):
            give_gradients(module, count)
            update()
    assert all(torch.equal(a, b) for a, b in zip(parted.parameters(), fresh.parameters(), strict=True))


def test_a_hook_of_someone_elses_is_called() -> None:
    module = network()
    optimizer = OPTIMIZERS["adam"].make(module.parameters())
    step, calls = stepper(optimizer), []
    for count in range(3):
        give_gradients(module, count)
        step()
    optimizer.register_step_post_hook(lambda *_: calls.append(1))
    give_gradients(module, 3)
    step()
    assert calls == [1]
    assert stepper(optimizer) == optimizer.step


@pytest.mark.parametrize(
    "make",
    [
        lambda weights: SGD(weights, lr=0.1),
        lambda weights: Adam(weights, amsgrad=True, fused=True),
        lambda weights: Adam(weights, maximize=True, fused=True),
        lambda weights: Adam(weights, lr=torch.tensor(0.1), fused=True),
        lambda weights: Adam(weights, foreach=True),
    ],
)
def test_any_other_optimizer_steps_itself(make) -> None:
    optimizer = make(list(network().parameters()))
    assert stepper(optimizer) == optimizer.step
