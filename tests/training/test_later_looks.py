"""What is found only when a history is read, against what is found at once."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import wellfit
from wellfit.history import History
from wellfit.training import examiner

X = torch.randn(64, 5, generator=torch.Generator().manual_seed(0))
NUMBERS = X.sum(1, keepdim=True)


def test_looking_later_finds_what_looking_at_once_does(monkeypatch: pytest.MonkeyPatch) -> None:
    histories = []
    for most in (2**22, 0):
        monkeypatch.setattr(examiner, "_KEPT", most)
        torch.manual_seed(0)
        module = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 1))
        result = wellfit.fit(module, (X, NUMBERS), loss="mse", batch_size=16, epochs=5)
        histories.append(result.history)
    assert histories[0] == histories[1]
    assert histories[0].meta == histories[1].meta
    assert len(histories[0].series("silent_share", "1")[0]) == 4


def test_a_module_taken_apart_before_its_history_is_read_is_noted() -> None:
    module = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 1))
    result = wellfit.fit(module, (X, NUMBERS), loss="mse", epochs=2)
    module[2] = nn.Linear(8, 4)
    assert "layers are others" in result.history.meta["doctor_failed"]
    assert len(result.history["train_loss"]) == 2


def test_a_history_places_what_is_found_later_where_it_was_asked_for() -> None:
    history = History()

    def asked(part: History) -> None:
        part.meta["task"] = "binary"
        part.later(lambda inner: inner.add(step=1, epoch=1, name="inner", value=1.0))
        part.add(step=1, epoch=1, name="outer", value=2.0)

    history.add(step=0, epoch=0, name="first", value=0.0)
    history.later(asked)
    history.add(step=2, epoch=1, name="last", value=3.0)
    assert (len(history), history.names()) == (4, ["first", "inner", "outer", "last"])
    assert history.meta == {"task": "binary"}
    restored = History()
    restored.restore(history.state())
    assert restored == history
