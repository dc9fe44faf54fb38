"""What findings of a module of one's own name as remedies can be done to it, whatever the code."""

from __future__ import annotations

import inspect

import pytest
import torch
from torch import nn

import wellfit
from stated_remedies import stated_remedies
from wellfit.diagnosis.own_modules import for_own_module
from wellfit.diagnosis.penalties import lighter
from wellfit.findings import Finding, Remedy

KEYWORDS = set(inspect.signature(wellfit.fit).parameters) | {"module", "inputs", "target", "rows"}
REMEDIES = [
    *stated_remedies("diagnosis/checks/*.py"),
    *lighter({"weight_decay": 0.1, "decoupled_weight_decay": 0.1, "l1": 0.01, "l2": 0.01}),
]
X = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("remedy", REMEDIES, ids=lambda remedy: f"{remedy.path}={remedy.value}")
def test_every_remedy_names_a_keyword_the_rows_or_the_module(remedy: Remedy) -> None:
    finding = Finding(code="underfitting", severity="warning", message="m", remedies=(remedy,))
    (told,) = for_own_module([finding])[0].remedies
    assert told.path in KEYWORDS
    assert told.why == remedy.why


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 1))


def test_a_fit_and_a_monitor_name_what_their_user_has() -> None:
    y = torch.randn(200, 1, generator=torch.Generator().manual_seed(1)) + X[:, :1]
    options = {"loss": "mse", "lr": 0.01, "epochs": 60, "batch_size": 32, "threads": 1}
    found = wellfit.fit(net(), (X[:60], y[:60]), valid=(X[60:], y[60:]), **options).findings
    paths = {remedy.path for finding in found for remedy in finding.remedies}
    assert {"module", "early_stopping", "l2"} <= paths <= KEYWORDS

    module = net()
    optimizer = torch.optim.SGD(module.parameters(), lr=1e-7)
    monitor = wellfit.Monitor(module, optimizer)
    for _ in range(20):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(module(X), y)
        loss.backward()
        monitor.observe(loss)
        optimizer.step()
    paths = {remedy.path for finding in wellfit.diagnose(monitor) for remedy in finding.remedies}
    assert {"lr", "epochs"} <= paths <= KEYWORDS
