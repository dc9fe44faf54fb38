"""Checks on trainings whose fault is known by construction, each beside the same training without it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import wellfit
from wellfit.diagnosis.checks import CHECKS
from wellfit.diagnosis.diagnosing import diagnose
from wellfit.findings import CODES
from wellfit.history import History

GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(900, 6, generator=GENERATOR)
SIGNAL = torch.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2]
IDS = (SIGNAL > 0.5).long() + (SIGNAL > -0.5).long()
NUMBERS = ((SIGNAL - SIGNAL.mean()) / SIGNAL.std()).reshape(-1, 1)


def mlp(
    *, outputs: int = 3, depth: int = 2, act: Callable[[], nn.Module] = nn.ReLU, seed: int = 0, width: int = 32
) -> nn.Sequential:
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for before in [6, *[width] * (depth - 1)]:
        layers += [nn.Linear(before, width), act()]
    return nn.Sequential(*layers, nn.Linear(width, outputs))


def codes(module: nn.Module, target: Tensor = IDS, inputs: Tensor = X, **options: Any) -> list[str]:
    settings = {"loss": "cce", "lr": 0.01, "batch_size": 32, "epochs": 15, "threads": 1, **options}
    result = wellfit.fit(module, (inputs[:600], target[:600]), valid=(inputs[600:], target[600:]), **settings)
    assert "doctor_failed" not in result.history.meta
    return [finding.code for finding in result.findings if finding.severity != "info"]


def changed(module: nn.Sequential, change: Callable[[Any], None]) -> nn.Sequential:
    with torch.no_grad():
        for layer in module:
            if isinstance(layer, nn.Linear):
                change(layer)
    return module


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"target": NUMBERS, "module": mlp(outputs=1), "loss": "mse"},
        {"inputs": X.clamp(-2, 2) * 2, "lr": 0.003},
        {"optimizer": "minibatch", "lr": 0.3},
        {"module": mlp(act=nn.Tanh, depth=6), "lr": 0.003},
    ],
)
def test_what_trains_well_raises_nothing(options: dict[str, Any]) -> None:
    module = options.pop("module", mlp())
    assert codes(module, **options) == []


FAULTS: list[tuple[str, Callable[[], nn.Module], dict[str, Any]]] = [
    ("loss_output_mismatch", lambda: nn.Sequential(*mlp(), nn.Softmax(-1)), {}),
    ("loss_output_mismatch", lambda: nn.Sequential(*mlp(), nn.ReLU()), {}),
    (
        "loss_output_mismatch",
        lambda: mlp(),
        {"loss": lambda o, t: -o.gather(1, t.reshape(-1, 1)).clamp(1e-7, 1 - 1e-7).log().mean()},
    ),
    (
        "loss_output_mismatch",
        lambda: nn.Sequential(*mlp(outputs=1), nn.Sigmoid()),
        {"target": NUMBERS, "loss": functional.mse_loss},
    ),
    (
        "loss_output_mismatch",
        lambda: mlp(outputs=1),
        {"target": NUMBERS, "loss": lambda o, t: ((o - t.reshape(1, -1)) ** 2).mean()},
    ),
    (
        "loss_output_mismatch",
        lambda: mlp(outputs=1),
        {"loss": lambda o, t: functional.mse_loss(o[:, 0], t.float())},
    ),
    ("loss_output_mismatch", lambda: mlp(), {"loss": lambda o, t: -functional.cross_entropy(o, t)}),
    ("unscaled_inputs", lambda: mlp(), {"inputs": X * torch.tensor([1.0, 3000, 1, 1, 1, 1]), "optimizer": "minibatch"}),
    ("unscaled_target", lambda: mlp(outputs=1), {"target": NUMBERS * 5e4 + 2e5, "loss": "mse", "lr": 0.001}),
    ("missing_nonlinearity", lambda: mlp(act=nn.Identity), {}),
    ("bad_initialization", lambda: changed(mlp(), lambda layer: layer.weight.fill_(0.05)), {}),
    ("bad_initialization", lambda: changed(mlp(act=nn.Tanh, depth=4), lambda layer: layer.weight.normal_(0, 8)), {}),
    ("vanishing_gradient", lambda: mlp(act=nn.Sigmoid, depth=9), {}),
    ("dead_units", lambda: changed(mlp(), lambda layer: layer.bias.fill_(-20)), {"lr": 0.001}),
    (
        "saturated_units",
        lambda: changed(mlp(act=nn.Tanh, depth=3), lambda layer: layer.weight.normal_(0, 15)),
        {"lr": 1e-3},
    ),
    ("learning_rate_too_high", lambda: mlp(), {"lr": 3.0}),
    ("learning_rate_too_low", lambda: mlp(), {"lr": 1e-6}),
    ("batch_size_problem", lambda: mlp(), {"lr": 0.001, "batch_size": 600}),
    ("non_finite", lambda: mlp(), {"inputs": torch.where(X > 3, torch.nan, X)}),
    ("shuffled_labels", lambda: mlp(), {"target": IDS[torch.randperm(900, generator=GENERATOR)]}),
]


@pytest.mark.parametrize(("code", "make", "options"), FAULTS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_fault_is_named(code: str, make: Callable[[], nn.Module], options: dict[str, Any]) -> None:
    given = dict(options)
    assert code in codes(make(), given.pop("target", IDS), given.pop("inputs", X), **given)


def test_an_exploding_gradient_is_told_from_a_rate_that_is_too_high() -> None:
    module = changed(mlp(outputs=1, depth=10), lambda layer: layer.weight.normal_(0, 0.9))
    assert "exploding_gradient" in codes(module, NUMBERS, loss="mse", optimizer="minibatch", lr=0.01)


def test_frozen_weights_are_named() -> None:
    module = mlp()
    for weight in module.parameters():
        weight.requires_grad_(weight.ndim == 1)
    assert "not_learning" in codes(module)


def test_effects_are_remarks_of_their_cause() -> None:
    module = nn.Sequential(*mlp(outputs=1), nn.Softmax(-1))
    target = (IDS > 0).long()
    result = wellfit.fit(
        module,
        (X, target),
        loss=lambda o, t: functional.binary_cross_entropy(o.clamp(1e-6, 1 - 1e-6)[:, 0], t.float()),
        epochs=3,
        threads=1,
    )
    grave = [finding.code for finding in result.findings if finding.severity != "info"]
    assert grave == ["loss_output_mismatch"]
    assert [finding.code for finding in result.findings if "It may come of" in finding.message]


def test_every_check_is_silent_without_evidence() -> None:
    for check in CHECKS:
        history = History()
        assert list(diagnose(history)) == []
        assert "doctor_failed" not in history.meta, check.code


def test_checks_are_one_a_code_and_explain_codes_that_exist() -> None:
    listed = [check.code for check in CHECKS]
    assert len(listed) == len(set(listed))
    assert all(code in CODES for check in CHECKS for code in (check.code, *check.explains))


def test_a_saved_history_gives_the_same_findings(tmp_path: Path) -> None:
    result = wellfit.fit(mlp(), (X, IDS), loss="cce", lr=3.0, epochs=4, threads=1)
    result.history.write(tmp_path / "history.parquet")
    read = wellfit.diagnose(History.read(tmp_path / "history.parquet"))
    assert [finding.as_dict() for finding in read] == [finding.as_dict() for finding in result.findings]


def test_a_fault_of_a_check_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    result = wellfit.fit(nn.Sequential(*mlp(), nn.Softmax(-1)), (X, IDS), loss="cce", epochs=2, threads=1)
    result.history.meta["data"] = {"inputs": {"rms_max": "text"}}
    found = wellfit.diagnose(result.history)
    assert "loss_output_mismatch" in [finding.code for finding in found]
    assert "unscaled_inputs" in result.history.meta["doctor_failed"]


def test_watched_or_not_a_training_ends_with_the_same_bits() -> None:
    ends = []
    for doctor in ("off", "watch"):
        torch.manual_seed(0)
        module = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3))
        wellfit.fit(module, (X, IDS), loss="cce", epochs=3, threads=1, seed=5, doctor=doctor)
        ends.append(module.state_dict())
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])
