"""What the step does with sums of losses: every update is made from a mean, however many batches make it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import wellfit
from wellfit.errors import RunFailed
from wellfit.optimizers import refuse_non_finite


def _linear() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(3, 1)


def test_a_last_group_of_one_batch_is_a_mean_too():
    # three batches, two an update: the second update is made from one batch alone
    X, y = torch.randn(24, 3, generator=torch.Generator().manual_seed(1)), torch.zeros(24)
    options = {"loss": "mse", "optimizer": "minibatch", "lr": 0.1, "epochs": 1, "seed": 3, "threads": 1}
    split = wellfit.fit(_linear(), (X, y), batch_size=8, accumulate=2, **options).module
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []

    class Seen(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = _linear()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.training:
                seen.append(x)
            return self.inner(x)

    wellfit.fit(Seen(), (X, y), batch_size=8, accumulate=2, **options)
    by_hand = _linear()
    for rows in (torch.cat(seen[:2]), seen[2]):
        by_hand.zero_grad()
        by_hand(rows).square().mean().backward()
        with torch.no_grad():
            for weight in by_hand.parameters():
                weight -= 0.1 * weight.grad
    torch.testing.assert_close(split.weight, by_hand.weight)
    torch.testing.assert_close(split.bias, by_hand.bias)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_ends_training_without_clipping_too(value):
    class Spoilt(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, gradient):
            return torch.full_like(gradient, value)

    class Module(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = _linear()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return Spoilt.apply(self.inner(x))

    result = wellfit.fit(Module(), (torch.ones(8, 3), torch.arange(8.0)), loss="mse", batch_size=4, epochs=1, threads=1)
    assert [finding.code for finding in result.findings] == ["non_finite"]
    assert torch.equal(result.module.inner.weight, _linear().weight)


def test_large_finite_gradients_are_not_refused():
    weight = nn.Parameter(torch.zeros(4))
    weight.grad = torch.full((4,), 3e38)
    refuse_non_finite([("weight", weight)])
    weight.grad[1] = -torch.inf
    with pytest.raises(RunFailed, match=r"gradient of 'weight' is not finite: 1 of its 4"):
        refuse_non_finite([("weight", weight)])
