"""The linear layer with ReLU and dropout against torch's, and the dropout's shares."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from wellfit.models import rectified as layers
from wellfit.models.kept_units import kept_units
from wellfit.models.rectified import rectified, rectified_heads


def layer(rows: int = 50, inputs: int = 7, outputs: int = 20, kind: torch.dtype = torch.float64) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    sizes = (rows, inputs), (outputs, inputs), (outputs,)
    return [torch.randn(size, generator=generator, dtype=kind).requires_grad_() for size in sizes]


@pytest.mark.parametrize("outputs", [3, 20])
def test_values_and_gradients_are_those_of_torch(outputs: int) -> None:
    x, weight, bias = layer(outputs=outputs)
    expected = functional.linear(x, weight, bias).relu()
    up = torch.randn_like(expected)
    right = torch.autograd.grad(expected, (x, weight, bias), up)
    for training in (True, False):
        made = rectified(x, weight, bias, training=training)
        torch.testing.assert_close(made, expected)
        for ours, theirs in zip(torch.autograd.grad(made, (x, weight, bias), up), right, strict=True):
            torch.testing.assert_close(ours, theirs)
    with torch.no_grad():
        torch.testing.assert_close(rectified(x, weight, bias, 0.5), expected)


def test_gradients_are_of_the_units_that_were_kept() -> None:
    x, weight, bias = layer()
    torch.manual_seed(1)
    made = rectified(x, weight, bias, 0.3, training=True)
    plain = functional.linear(x, weight, bias).relu()
    kept = torch.where(made > 0, 1 / 0.7, 0.0)
    assert 0.6 < float((made > 0).sum() / (plain > 0).sum()) < 0.8
    torch.testing.assert_close(made, plain * kept)
    up = torch.randn_like(made)
    pairs = (torch.autograd.grad(each, (x, weight, bias), up) for each in (made, plain * kept))
    for ours, theirs in zip(*pairs, strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("at_once", [1, 2, 3])
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_heads_are_those_of_torch_however_many_are_made_at_once(
    at_once: int, dropout: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    x, weight, bias = layer()
    scale = torch.randn(3, 7, dtype=torch.float64, requires_grad=True)
    monkeypatch.setattr(layers, "_IN_CACHE", at_once * weight.numel())
    torch.manual_seed(1)
    made = rectified_heads(x, scale, weight, bias, dropout, training=True)
    plain = functional.linear(x.unsqueeze(1) * scale, weight, bias).relu().flatten(0, 1)
    expected = plain * torch.where(made > 0, 1 / (1 - dropout), 0.0)
    torch.testing.assert_close(made, expected)
    assert dropout == 0 or 0.6 < float((made > 0).sum() / (plain > 0).sum()) < 0.8
    up = torch.randn_like(made)
    pairs = (torch.autograd.grad(each, (x, scale, weight, bias), up) for each in (made, expected))
    for ours, theirs in zip(*pairs, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_under_autocast_products_are_of_short_numbers_and_gradients_of_the_weights_width() -> None:
    x, weight, bias = layer(kind=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        made = rectified(x, weight, bias, training=True)
    assert made.dtype == torch.bfloat16
    found = torch.autograd.grad(made, (x, weight, bias), torch.ones_like(made))
    expected = functional.linear(x, weight, bias).relu()
    right = torch.autograd.grad(expected, (x, weight, bias), torch.ones_like(expected))
    torch.testing.assert_close(made.float(), expected, rtol=0.05, atol=0.05)
    for ours, theirs in zip(found, right, strict=True):
        assert ours.dtype == torch.float32
        assert float((ours - theirs).norm() / theirs.norm()) < 0.05


def test_a_second_derivative_is_refused_rather_than_wrong() -> None:
    x, weight, bias = layer()
    (slope,) = torch.autograd.grad(rectified(x, weight, bias, training=True).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.square().sum().backward()


@pytest.mark.parametrize("share", [0.001, 0.1, 0.15, 0.5, 0.93])
def test_each_unit_is_dropped_with_the_very_share(share: float) -> None:
    torch.manual_seed(0)
    dropped = torch.stack([kept_units(torch.empty(2003), share) == 0 for _ in range(400)]).float()
    error = (share * (1 - share) / 2003 / 400) ** 0.5
    # A share between two 256ths is either in a call, which spreads the means of calls a little more.
    assert float(dropped.mean()) == pytest.approx(share, abs=4 * error + 4 / 256 / 2 / 20)
    assert float((dropped.mean(0) - share).abs().max()) < 5 * (share * (1 - share) / 400) ** 0.5 + 0.01


def test_what_is_kept_makes_up_for_what_is_dropped() -> None:
    torch.manual_seed(0)
    kept = kept_units(torch.empty(1000, 1000), 0.25)
    assert kept.unique().tolist() == [0.0, pytest.approx(1 / 0.75)]
    assert float(kept.mean()) == pytest.approx(1.0, abs=0.003)
    assert torch.isfinite(kept_units(torch.empty(50, 50), 1 - 1e-9)).all()


def test_neighbours_are_dropped_independently() -> None:
    torch.manual_seed(0)
    dropped = (kept_units(torch.empty(100_000, 8), 0.5) == 0).float() - 0.5
    together = dropped.T @ dropped / len(dropped)
    together.fill_diagonal_(0.0)
    assert float(together.abs().max()) < 0.005
