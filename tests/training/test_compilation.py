"""Compiled training gives the figures of eager training; without a C++ compiler it is eager, with one note."""

from __future__ import annotations

import pytest
import torch

import wellfit
from wellfit.errors import WellfitWarning


def test_without_a_compiler_training_is_eager_with_one_note(rows, make_net, monkeypatch):
    from torch._inductor import cpp_builder, exc

    def missing() -> str:
        raise exc.InvalidCxxCompiler

    monkeypatch.setattr(cpp_builder, "get_cpp_compiler", missing)
    eager, asked = make_net(), make_net()
    wellfit.fit(eager, rows, loss="cce", epochs=2)
    with pytest.warns(WellfitWarning, match="no C\\+\\+ compiler"):
        wellfit.fit(asked, rows, loss="cce", epochs=2, compile=True)
    for a, b in zip(eager.parameters(), asked.parameters(), strict=True):
        assert torch.equal(a, b)


class OwnNet(torch.nn.Module):
    """A module without a length, as most are."""

    def __init__(self, inner: torch.nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(x)


def test_what_compiling_gives_is_called_and_not_asked_for_its_length(rows, make_net, monkeypatch):
    class Wrapped:
        def __init__(self, module: torch.nn.Module) -> None:
            self.module = module

        def __call__(self, *inputs: torch.Tensor) -> torch.Tensor:
            return self.module(*inputs)

        def __len__(self) -> int:
            raise TypeError("a module does not support len()")

    monkeypatch.setattr("wellfit.training.compilation._cpp_compiler_is_there", lambda: True)
    monkeypatch.setattr(torch, "compile", lambda module, **given: Wrapped(module))
    eager, asked = OwnNet(make_net()), OwnNet(make_net())
    wellfit.fit(eager, rows, loss="cce", epochs=2)
    wellfit.fit(asked, rows, loss="cce", epochs=2, compile=True)
    assert all(torch.equal(a, b) for a, b in zip(eager.parameters(), asked.parameters(), strict=True))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_compiled_training_agrees_with_eager_training(rows, make_net):
    # No batch norm: it makes the bias before it meaningless, and Adam blows its rounding up to full steps.
    eager, compiled = (OwnNet(make_net(dropout=0, norm=False)) for _ in range(2))
    wellfit.fit(eager, rows, loss="cce", batch_size=32, epochs=3)
    result = wellfit.fit(compiled, rows, loss="cce", batch_size=32, epochs=3, compile=True)
    assert result.history.places("grad_norm") == [name for name, _ in compiled.named_parameters()]
    for a, b in zip(eager.parameters(), compiled.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)
