"""Averages of members, and the mean of their losses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import expit, logit, logsumexp, softmax
from torch import nn

from wellfit.losses import LOSSES, MemberLoss
from wellfit.models import MODELS
from wellfit.models.members import averaged, factors_of, pace_of, told_of


def outputs(columns: int, spread: float = 3.0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(columns)
    return spread * torch.randn(20, 5, columns, generator=generator, dtype=torch.float64)


def test_averages_equal_scipy() -> None:
    values = outputs(3)
    np.testing.assert_allclose(averaged(values, "value"), values.numpy().mean(1), rtol=1e-12)
    shares = softmax(averaged(values, "logits").numpy(), axis=1)
    np.testing.assert_allclose(shares, softmax(values.numpy(), axis=2).mean(1), rtol=1e-12)
    one = outputs(1)
    np.testing.assert_allclose(averaged(one, "logit"), logit(expit(one.numpy()).mean(1)), rtol=1e-9)


def test_logits_of_an_average_are_log_probabilities() -> None:
    np.testing.assert_allclose(logsumexp(averaged(outputs(4), "logits").numpy(), axis=1), 0.0, atol=1e-12)


@pytest.mark.parametrize("kind", ["logit", "logits"])
def test_sure_members_keep_their_digits(kind: str) -> None:
    far = torch.full((1, 4, 1 if kind == "logit" else 2), -90.0, dtype=torch.float32)
    if kind == "logits":
        far[..., 1] = 0.0
    answer = averaged(far, kind)
    assert torch.isfinite(answer).all()
    assert float(answer[0, 0]) == pytest.approx(-90.0, rel=1e-5)


def test_one_member_is_its_own_average() -> None:
    alone = outputs(2)[:, :1]
    for kind in ("value", "logits", "logit"):
        assert torch.equal(averaged(alone, kind), alone[:, 0])


CASES = {
    "mse": (1, torch.randn(20, generator=torch.Generator().manual_seed(1), dtype=torch.float64)),
    "bce": (1, (torch.arange(20) % 2).double()),
    "cce": (3, torch.arange(20) % 3),
}


@pytest.mark.parametrize("name", list(CASES))
def test_the_loss_is_the_mean_of_the_members_losses(name: str) -> None:
    columns, target = CASES[name]
    made, inner = outputs(columns), LOSSES[name].make()
    total, weight = MemberLoss(inner, 5).total(made, target)
    of_members = torch.stack([inner(made[:, member], target) for member in range(5)])
    assert float(total) / float(weight) == pytest.approx(float(of_members.mean()), rel=1e-12)
    assert float(total) / float(weight) != pytest.approx(float(inner(made.mean(1), target)), rel=1e-3)


@pytest.mark.parametrize("name", list(CASES))
def test_members_with_rows_of_their_own(name: str) -> None:
    columns, target = CASES[name]
    made, inner = outputs(columns), LOSSES[name].make()
    own = torch.stack([target.roll(member) for member in range(5)], 1)
    weight = torch.ones(20, 5, dtype=torch.float64)
    weight[17:, 2] = 0.0
    loss = MemberLoss(inner, 5)
    ready = loss.prepare(own, columns)
    assert ready.shape == own.shape
    total, count = loss.total(made, ready.to(own.dtype), weight)
    sums = [inner.total(made[:17, 2], own[:17, 2])[0]]
    sums += [inner.total(made[:, member], own[:, member])[0] for member in (0, 1, 3, 4)]
    assert float(total) == pytest.approx(float(sum(sums)), rel=1e-6)
    assert float(count) == 97


def test_a_row_of_weight_zero_changes_no_gradient() -> None:
    made = outputs(1).requires_grad_()
    weight = torch.ones(20, 5, dtype=torch.float64)
    weight[3, 1] = 0.0
    target = torch.zeros(20, 5, dtype=torch.float64)
    MemberLoss(LOSSES["mse"].make(), 5).total(made, target, weight)[0].backward()
    assert float(made.grad[3, 1]) == 0.0
    assert float(made.grad[3, 2]) != 0.0


def test_heads_of_a_member_share_its_rows() -> None:
    made, inner = outputs(1).repeat(1, 2, 1)[:, :10], LOSSES["mse"].make()
    own = torch.arange(40, dtype=torch.float64).reshape(20, 2)
    total, count = MemberLoss(inner, 2).total(made, own)
    expected = inner.total(made[:, :5].flatten(0, 1), own[:, :1].expand(-1, 5).reshape(-1))[0]
    expected += inner.total(made[:, 5:].flatten(0, 1), own[:, 1:].expand(-1, 5).reshape(-1))[0]
    assert float(total) == pytest.approx(float(expected), rel=1e-12)
    assert count == 200


def test_averaged_outputs_go_to_the_loss_as_they_are() -> None:
    inner, made, target = LOSSES["cce"].make(), outputs(3)[:, 0], torch.arange(20) % 3
    assert float(MemberLoss(inner, 5).total(made, target)[0]) == float(inner.total(made, target)[0])
    assert torch.equal(MemberLoss(inner, 5).activate(made), inner.activate(made))


def test_a_module_of_ones_own_is_asked_for_nothing() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.factors, self.at, self.told = nn.Linear(1, 1), nn.Linear(1, 1), nn.Linear(1, 1)

    assert factors_of(Net()) == {}
    assert pace_of(Net()) is None
    assert told_of(Net()) is None


@pytest.mark.parametrize("name", ["realmlp", "tabm", "modernnca"])
def test_settled_options_say_what_outputs_are(name: str) -> None:
    entry = MODELS[name]
    assert entry.settle(entry.resolve({}), "logit")["kind"] == "logit"
    assert entry.settle(entry.resolve({"kind": "value"}), "logit")["kind"] == "value"
