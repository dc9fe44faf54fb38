from __future__ import annotations

import pytest
import torch

from wellfit.errors import RunFailed
from wellfit.optimizers import refuse_non_finite, require_finite


def named(**gradients):
    for name, gradient in gradients.items():
        param = torch.nn.Parameter(torch.zeros(gradient.shape, dtype=gradient.dtype))
        param.grad = gradient
        yield name, param


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16], ids=str)
def test_gives_the_norm_that_clipping_needs(dtype):
    generator = torch.Generator().manual_seed(0)
    gradients = {f"p{size}": torch.randn(size, size, generator=generator).to(dtype) for size in (2, 3, 30)}
    total = require_finite(named(**gradients))
    wanted = torch.cat([gradient.double().flatten() for gradient in gradients.values()]).norm()
    assert total.shape == ()
    assert total.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert total.item() == pytest.approx(wanted.item(), rel=1e-5)
    params = [param for _, param in named(**gradients)]
    if dtype == torch.float32:
        assert total.item() == pytest.approx(torch.nn.utils.get_total_norm([p.grad for p in params]).item())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_names_the_first_that_is_not_finite(value, dtype):
    bad = torch.ones(4, dtype=dtype)
    bad[2] = value
    gradients = {"layers.0.weight": torch.ones(3), "layers.0.bias": bad, "layers.1.weight": bad.clone()}
    with pytest.raises(RunFailed, match=r"gradient of 'layers\.0\.bias' is not finite: 1 of its 4") as caught:
        require_finite(named(**gradients))
    assert "learning rate" in str(caught.value)


def test_large_finite_gradients_are_finite():
    total = require_finite(named(big=torch.full((10,), 1e30), small=torch.ones(2)))
    assert total.item() == pytest.approx(1e30 * 10**0.5)


def test_missing_empty_and_sparse_gradients():
    assert require_finite([("idle", torch.nn.Parameter(torch.ones(2)))]).item() == 0
    assert require_finite([]).item() == 0
    assert require_finite(named(nothing=torch.zeros(0), some=torch.tensor([3.0, 4.0]))).item() == 5
    table = torch.nn.Embedding(5, 2, sparse=True)
    table(torch.tensor([1, 1])).sum().backward()
    assert require_finite(table.named_parameters()).item() == pytest.approx(8**0.5)
    table(torch.tensor([2])).mul(float("inf")).sum().backward()
    with pytest.raises(RunFailed, match="'weight'"):
        require_finite(table.named_parameters())


def test_mixed_types_are_measured_together():
    total = require_finite(named(a=torch.tensor([3.0], dtype=torch.float64), b=torch.tensor([4.0])))
    assert total.item() == pytest.approx(5)


TYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16, torch.complex64]


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_refuses_one_bad_number_wherever_it_is(dtype, value, place):
    gradients = {"a": torch.ones(2, 3, dtype=dtype), "b": torch.ones(3, 2, dtype=dtype).t(), "c": torch.ones(0)}
    pairs = list(named(**gradients))
    refuse_non_finite(pairs)
    gradients["b"][place // 3, place % 3] = value
    with pytest.raises(RunFailed, match="gradient of 'b' is not finite: 1 of its 6"):
        refuse_non_finite(pairs)


def test_infinities_that_cancel_are_refused():
    with pytest.raises(RunFailed, match="gradient of 'a' is not finite: 1 of its 1"):
        refuse_non_finite(list(named(a=torch.tensor([torch.inf]), b=torch.tensor([-torch.inf]))))


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_sums_that_overflow_are_not_refused_and_no_bit_moves(dtype):
    most = torch.finfo(dtype).max
    # the last is smaller than all normal numbers
    given = torch.tensor([most, most, -0.0, 0.0, torch.finfo(dtype).smallest_normal / 2], dtype=dtype)
    kept = given.clone()
    pairs = list(named(a=given, b=torch.ones(2)))
    refuse_non_finite(pairs)
    require_finite(pairs)
    assert torch.equal(given.view(torch.uint8), kept.view(torch.uint8))
    assert pairs[0][1].grad is given


def test_missing_sparse_and_mixed_gradients_are_refused_or_not():
    refuse_non_finite([])
    refuse_non_finite([("idle", torch.nn.Parameter(torch.ones(2)))])
    table = torch.nn.Embedding(5, 2, sparse=True)
    table(torch.tensor([1, 1])).sum().backward()
    mixed = [*named(a=torch.ones(2, dtype=torch.float64), b=torch.ones(2, dtype=torch.bfloat16))]
    refuse_non_finite([*mixed, *table.named_parameters()])
    table(torch.tensor([2])).mul(float("inf")).sum().backward()
    with pytest.raises(RunFailed, match="'weight'"):
        refuse_non_finite([*mixed, *table.named_parameters()])


def test_gradients_on_another_device_are_looked_at_beside_those_on_the_cpu(monkeypatch):
    # A tensor without numbers stands for one of another device: what is asked of it there is seen.
    seen = []
    monkeypatch.setattr("wellfit.optimizers.guard.require_finite", lambda pairs: seen.extend(name for name, _ in pairs))
    there = torch.nn.Parameter(torch.ones(2, device="meta"))
    there.grad = torch.ones(2, device="meta")
    pairs = [*named(here=torch.ones(2)), ("there", there), ("idle", torch.nn.Parameter(torch.ones(2)))]
    refuse_non_finite(pairs)
    assert seen == ["there"]
    pairs[0][1].grad[0] = torch.nan
    with pytest.raises(RunFailed, match="'here'"):
        refuse_non_finite(pairs)


@pytest.mark.parametrize("types", [[torch.float32] * 3, [torch.float64] * 2, [torch.float32, torch.float64]], ids=str)
def test_norms_of_like_types_are_those_of_unlike_ones_to_the_bit(types):
    generator = torch.Generator().manual_seed(0)
    gradients = [torch.randn(9, 7, generator=generator, dtype=dtype) for dtype in types]
    widest = torch.float64 if torch.float64 in types else torch.float32
    norms = [torch.linalg.vector_norm(gradient).to(widest) for gradient in gradients]
    total = require_finite(named(**{f"p{place}": gradient for place, gradient in enumerate(gradients)}))
    assert torch.equal(total, torch.linalg.vector_norm(torch.stack(norms)))
