"""Linear layers by oneDNN against float64 and torch's own, with what must not differ by how they are computed."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

import wellfit
from wellfit.training import products
from wellfit.training.products import LinearByOneDnn, linear_by_onednn

pytestmark = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="torch has no oneDNN")


def made(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the products that oneDNN makes, of any size."""
    found: list[int] = []
    times = products.times
    monkeypatch.setattr(products, "_LEAST", 1)
    monkeypatch.setattr(products, "times", lambda *given: found.append(1) or times(*given))
    return found


@pytest.mark.parametrize("shape", [(7, 5), (3, 4, 5)])
@pytest.mark.parametrize("bias", [True, False])
def test_values_and_gradients_are_those_of_float64(calls: list[int], shape: tuple[int, ...], bias: bool) -> None:
    weight, offset = made(6, 5, seed=1), made(6, seed=2) if bias else None
    given = [made(*shape), weight, *([offset] if bias else [])]
    slopes = made(*shape[:-1], 6, seed=3)

    def asked(kind: torch.dtype) -> list[Tensor]:
        parts = [part.to(kind).requires_grad_() for part in given]
        output = functional.linear(parts[0], parts[1], parts[2] if bias else None)
        return [output, *torch.autograd.grad(output, parts, slopes.to(kind))]

    with LinearByOneDnn():
        ours = asked(torch.float32)
    assert len(calls) == 3
    for mine, exact in zip(ours, asked(torch.float64), strict=True):
        assert torch.allclose(mine.double(), exact, rtol=1e-5, atol=1e-6)


def test_a_gradient_can_be_differentiated_again(calls: list[int]) -> None:
    module, rows = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 1)), made(5, 4).requires_grad_()

    def penalty() -> list[Tensor]:
        (slope,) = torch.autograd.grad(module(rows).sum(), rows, create_graph=True)
        return list(torch.autograd.grad(slope.square().sum(), list(module.parameters())[:3]))

    with LinearByOneDnn():
        ours = penalty()
    assert calls
    for mine, torchs in zip(ours, penalty(), strict=True):
        assert torch.allclose(mine, torchs, atol=1e-5)


def test_checkpointed_blocks_and_transforms_are_left_to_torch(calls: list[int]) -> None:
    layer, rows = nn.Linear(4, 4), made(5, 4)
    with LinearByOneDnn():
        output = checkpoint(layer, rows, use_reentrant=False)
        jacobian = torch.func.jacrev(layer)(rows[0])
        mapped = torch.func.vmap(layer)(rows)
    output.sum().backward()
    assert not calls
    assert torch.allclose(layer.weight.grad, rows.sum(0).expand(4, 4), atol=1e-5)
    assert torch.allclose(jacobian, layer.weight)
    assert torch.allclose(mapped, layer(rows), atol=1e-6)


def test_other_types_are_left_to_torch(calls: list[int]) -> None:
    layer, rows = nn.Linear(4, 4), made(5, 4)
    with LinearByOneDnn():
        assert layer.double()(rows.double()).dtype == torch.float64
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert layer.float()(rows).dtype == torch.bfloat16
    assert not calls


@pytest.mark.parametrize(
    ("faster", "module", "rows", "used"),
    [
        (True, nn.Sequential(nn.Linear(256, 256), nn.ReLU()), 256, True),
        (True, nn.Sequential(nn.Linear(256, 256), nn.ReLU()), 32, False),
        (True, nn.Sequential(nn.Linear(256, 256), *(nn.ReLU() for _ in range(20))), 256, False),
        (False, nn.Linear(256, 256), 256, False),
    ],
)
def test_machine_and_shapes_decide(
    monkeypatch: pytest.MonkeyPatch, faster: bool, module: nn.Module, rows: int, used: bool
) -> None:
    monkeypatch.setattr(products, "is_faster", lambda: faster)
    assert (linear_by_onednn(module, rows, torch.device("cpu")) is not None) == used
    assert linear_by_onednn(module, rows, torch.device("meta")) is None


def test_a_module_that_was_compiled_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "is_faster", lambda: True)
    module = nn.Linear(256, 256)
    assert linear_by_onednn(module, 256, torch.device("cpu")) is not None
    module._compiled_call_impl = module.forward
    assert linear_by_onednn(module, 256, torch.device("cpu")) is None


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(20, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 2))


def fitted(**options: object) -> list[Tensor]:
    X = made(96, 20)
    module = network()
    wellfit.fit(
        module, (X, (X.sum(1) > 0).long()), loss="cce", batch_size=32, epochs=2, threads=1, device="cpu", **options
    )
    return [weight.detach().clone() for weight in module.parameters()]


def test_a_training_uses_it_and_a_resumed_one_repeats_the_choice(
    calls: list[int], monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    plain = fitted(doctor="off")
    assert not calls
    monkeypatch.setattr(products, "is_faster", lambda: True)
    monkeypatch.setattr(products, "_A_PART", 1)
    whole = fitted()
    assert len(calls) == 6 * 5
    folder = {"checkpoint": tmp_path / "kept", "checkpoint_every": 4}
    with pytest.raises(KeyboardInterrupt):
        fitted(**folder, callbacks=[Stop()])
    # As on another machine, where the choice would be another.
    monkeypatch.setattr(products, "is_faster", lambda: False)
    resumed = fitted(**folder, resume=True)
    assert all(torch.equal(a, b) for a, b in zip(whole, resumed, strict=True))
    assert all(torch.allclose(a, b, atol=1e-4) for a, b in zip(whole, plain, strict=True))


class Stop(wellfit.Callback):
    def on_step(self, trainer) -> None:
        if trainer.position.step == 5:
            raise KeyboardInterrupt
