"""Products of members, whatever computes them, against float64; and which shapes each way is taken for."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from wellfit.models import member_products, onednn
from wellfit.models.member_layers import MemberBlock, MemberLinear
from wellfit.models.member_products import affine, of_inputs, of_weights

SHAPES = [(1, 256, 64, 256), (3, 64, 300, 128), (2, 40, 30, 1), (1, 33, 20, 3), (4, 8, 5, 40)]
"""Members, rows, inputs, outputs: large enough to be multiplied member by member, narrow, and small."""


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the products that oneDNN makes on a processor on which it is faster."""
    if not torch.backends.mkldnn.is_available():
        pytest.skip("torch has no oneDNN")
    found: list[int] = []
    times = onednn.times
    monkeypatch.setattr(onednn, "is_faster", lambda: True)
    monkeypatch.setattr(onednn, "times", lambda *given: found.append(1) or times(*given))
    return found


def made(shape: tuple[int, ...]) -> tuple[Tensor, ...]:
    members, rows, inputs, outputs = shape
    generator = torch.Generator().manual_seed(0)
    sizes = ((members, rows, inputs), (members, inputs, outputs), (members, 1, outputs), (members, rows, outputs))
    return tuple(torch.randn(size, generator=generator) for size in sizes)


@pytest.mark.parametrize("shape", SHAPES)
def test_products_are_those_of_float64(shape: tuple[int, ...], calls: list[int]) -> None:
    x, weight, bias, slope = made(shape)
    exact = [each.double() for each in (x, weight, bias, slope)]
    ways = (affine, (0, 1, 2)), (of_inputs, (3, 1)), (of_weights, (0, 3))
    wanted = (
        exact[0] @ exact[1] + exact[2],
        exact[3] @ exact[1].transpose(1, 2),
        exact[0].transpose(1, 2) @ exact[3],
    )
    for (product, places), right in zip(ways, wanted, strict=True):
        ours = product(*((x, weight, bias, slope)[place] for place in places))
        assert ours.shape == right.shape
        torch.testing.assert_close(ours.double(), right, rtol=1e-4, atol=1e-4)
    large = shape[1] * shape[2] * shape[3] >= member_products._LEAST
    assert len(calls) == (3 * shape[0] if large else 0)


def test_matrices_with_gaps_are_closed_up_before_they_are_multiplied(monkeypatch: pytest.MonkeyPatch) -> None:
    def times(a: Tensor, b: Tensor, bias: Tensor | None = None) -> Tensor:
        assert all(each.is_contiguous() or each.mT.is_contiguous() for each in (a, b))
        return a @ b.mT + (0.0 if bias is None else bias)

    monkeypatch.setattr(onednn, "is_faster", lambda: True)
    monkeypatch.setattr(onednn, "times", times)
    x, weight, bias, slope = made((3, 256, 128, 64))
    gaps = [each.transpose(0, 1).contiguous().transpose(0, 1) for each in (x, slope)]
    assert not gaps[1][0].is_contiguous()
    torch.testing.assert_close(affine(gaps[0], weight, bias), torch.baddbmm(bias, x, weight), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(of_inputs(gaps[1], weight), slope @ weight.mT, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(of_weights(*gaps), x.mT @ slope, rtol=1e-4, atol=1e-3)


def test_another_processor_multiplies_all_members_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onednn, "is_faster", lambda: False)
    monkeypatch.setattr(onednn, "times", lambda *given: pytest.fail("oneDNN was asked"))
    x, weight, bias, slope = made(SHAPES[0])
    torch.testing.assert_close(affine(x, weight, bias), torch.baddbmm(bias, x, weight))
    torch.testing.assert_close(of_inputs(slope, weight), slope @ weight.transpose(1, 2))
    torch.testing.assert_close(of_weights(x, slope), x.transpose(1, 2) @ slope)


@pytest.mark.parametrize("kind", [torch.float64, torch.bfloat16])
def test_numbers_of_another_size_are_left_to_torch(kind: torch.dtype, calls: list[int]) -> None:
    x, weight, bias, _ = (each.to(kind) for each in made(SHAPES[0]))
    assert affine(x, weight, bias).dtype == kind
    assert not calls


@pytest.mark.parametrize("outputs", [1, 2, 40])
def test_a_layer_has_the_gradients_of_its_formula(outputs: int) -> None:
    layer = MemberLinear(3, 6, outputs).double()
    x = torch.randn(3, 9, 6, dtype=torch.float64, requires_grad=True)
    wanted = [x, *layer.parameters()]
    trained, plain = layer.train()(x), layer.eval()(x)
    torch.testing.assert_close(trained, plain, rtol=1e-12, atol=1e-12)
    up = torch.randn_like(plain)
    pairs = zip(torch.autograd.grad(trained, wanted, up), torch.autograd.grad(plain, wanted, up), strict=True)
    for ours, right in pairs:
        torch.testing.assert_close(ours, right, rtol=1e-11, atol=1e-11)


def test_a_block_gives_the_same_with_and_without_gradients() -> None:
    block = MemberBlock(2, 60, 300, activation="mish").eval()
    x = torch.randn(2, 200, 60)
    with torch.no_grad():
        quick = block(x, 0.0)
        torch.testing.assert_close(quick, block(x.requires_grad_(), 0.0), rtol=1e-4, atol=1e-5)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(block(x, 0.0).float(), quick, rtol=0.05, atol=0.05)


def test_a_second_derivative_is_refused_rather_than_wrong() -> None:
    block = MemberBlock(1, 4, 5, activation="silu").train()
    x = torch.randn(1, 7, 4, requires_grad=True)
    (slope,) = torch.autograd.grad(block(x, 0.0).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.square().sum().backward()
