"""A look that is put off sees what was there, and leaves alone what is there by then."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import wellfit
from wellfit.data.batches import as_batches
from wellfit.training import glimpse as glimpses
from wellfit.training.fit import make_trainer
from wellfit.training.glimpse import Glimpse, glimpse
from wellfit.training.options import FitOptions, settle

X = torch.randn(80, 4, generator=torch.Generator().manual_seed(0))
Y = (X.sum(1) > 0).long()


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2))


def looked(module: nn.Module, rows: Tensor) -> tuple[nn.Module, object]:
    batches = as_batches((rows, Y))
    recipe = settle(module, batches, FitOptions(loss="cce"), has_valid=True).recipe
    return module, glimpse(module, batches, as_batches((rows[:20], Y[:20])), recipe)


@pytest.mark.parametrize("kept", [10**6, 0])
def test_it_shows_rows_and_weights_as_they_were(monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    monkeypatch.setattr(glimpses, "_KEPT", kept)
    rows = X.clone()
    module, look = looked(network().train(), rows)
    module.eval()
    wanted = module(X).detach()
    module.train()
    # What a person may do before the findings are read.
    rows.zero_()
    module(X)
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(1.0)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    state = torch.get_rng_state()
    seen = look()
    assert isinstance(seen, Glimpse)
    assert seen.failed is None
    assert seen.train is not None
    assert seen.valid is not None
    batch, output = seen.train
    order = [int((row == X).all(1).nonzero()) for row in batch.inputs[0]]
    assert sorted(order) == list(range(80))
    assert torch.allclose(output, wanted[order], atol=1e-6)
    assert len(seen.valid[1]) == 20
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())
    assert module.training


def test_other_layers_by_then_are_said() -> None:
    module, look = looked(network(), X)
    module[2] = nn.Tanh()
    assert "layers are others" in str(look().failed)


def test_findings_do_not_depend_on_when_they_are_read() -> None:
    def trained() -> tuple[wellfit.FitResult, nn.Module]:
        module = network()
        return wellfit.fit(module, (X, Y), valid=(X, Y), loss="cce", epochs=3, batch_size=16, device="cpu"), module

    (soon, _), (late, module) = trained(), trained()
    at_once = soon.history.meta["appraisal"]
    with torch.no_grad():
        for weight in module.parameters():
            weight.zero_()
    assert late.history.meta["appraisal"] == at_once
    assert "failed" not in at_once


def test_a_training_alone_takes_no_look(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    outputs = glimpses._outputs
    monkeypatch.setattr(glimpses, "_outputs", lambda *given: looks.append(1) or outputs(*given))
    result = wellfit.fit(network(), (X, Y), loss="cce", epochs=1, device="cpu")
    assert not looks
    assert result.findings is not None
    assert looks == [1]


@pytest.mark.parametrize(("rows", "epochs", "steps"), [(80, 70, [0, 5, 20, 80, 320, 350]), (16, 8, [0, 1, 4, 8])])
def test_probes_are_few_where_epochs_are_short(rows: int, epochs: int, steps: list[int]) -> None:
    module, batches = network(), as_batches((X[:rows], Y[:rows]))
    settled = settle(
        module, batches, FitOptions(loss="cce", epochs=epochs, batch_size=16, device="cpu"), has_valid=False
    )
    trainer = make_trainer(module, batches, None, settled)
    trainer.run()
    probed = [step for step, _, name, _, _ in trainer.history.rows() if name == "probe_loss"]
    assert probed == steps
    assert "doctor_failed" not in trainer.history.meta
