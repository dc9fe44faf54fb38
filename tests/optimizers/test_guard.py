from __future__ import annotations

import pytest
import torch

from wellfit.errors import RunFailed
from wellfit.optimizers import require_finite


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
