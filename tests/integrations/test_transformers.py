"""The callback in the order in which the Trainer of Transformers calls it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from wellfit.errors import BadInput
from wellfit.integrations import transformers as integration

X = torch.randn(256, 6, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] + X[:, 1] > 0).long()

EVENTS = (
    "on_init_end",
    "on_train_begin",
    "on_train_end",
    "on_epoch_begin",
    "on_epoch_end",
    "on_step_begin",
    "on_pre_optimizer_step",
    "on_optimizer_step",
    "on_substep_end",
    "on_step_end",
    "on_evaluate",
    "on_predict",
    "on_save",
    "on_log",
    "on_prediction_step",
)


class TrainerCallback:
    """As documented: every event takes args, state, control and keywords, and by itself does nothing."""


for event in EVENTS:
    setattr(TrainerCallback, event, lambda self, args, state, control, **kwargs: None)


class Wrapped:
    """An optimizer as Accelerate wraps it."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer = optimizer


@dataclass
class State:
    is_world_process_zero: bool = True


class Network(nn.Module):
    """Gives its loss where it is given labels, as models of Transformers do."""

    def __init__(self, *ending: nn.Module, tells: bool = True) -> None:
        super().__init__()
        self.tells = tells
        self.body = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Dropout(0.2), nn.Linear(16, 2), *ending)

    def forward(self, rows: Tensor, labels: Tensor) -> dict[str, Tensor]:
        logits = self.body(rows)
        loss = functional.cross_entropy(logits, labels)
        return {"loss": loss, "logits": logits} if self.tells else {"logits": logits}


@dataclass
class Trainer:
    """The documented order of events around a loop."""

    model: Network
    callbacks: list[Any]
    epochs: int = 3
    state: State = field(default_factory=State)

    def call(self, event: str, **kwargs: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, event)(None, self.state, None, model=self.model, optimizer=self.wrapped, **kwargs)

    def train(self) -> None:
        optimizer = torch.optim.AdamW(self.model.parameters(), lr=0.01)
        self.wrapped = Wrapped(optimizer)
        self.model.train()
        self.call("on_train_begin")
        for _ in range(self.epochs):
            self.call("on_epoch_begin")
            for first in range(0, 256, 32):
                rows, labels = X[first : first + 32], Y[first : first + 32]
                output = self.model(rows=rows, labels=labels)
                loss = functional.cross_entropy(output["logits"], labels)
                loss.backward()
                nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
                self.call("on_pre_optimizer_step")
                optimizer.step()
                self.call("on_optimizer_step")
                self.model.zero_grad()
                self.call("on_step_end")
                if first == 128:
                    self.call("on_log", logs={"loss": loss.item(), "learning_rate": 0.01})
            self.call("on_epoch_end")
            self.model.eval()
            with torch.no_grad():
                valid = functional.cross_entropy(self.model(X, Y)["logits"], Y)
            self.model.train()
            self.call("on_evaluate", metrics={"eval_loss": valid.item()})
        self.call("on_train_end")


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the documented interface where the package would be."""
    module = ModuleType("transformers")
    module.TrainerCallback = TrainerCallback  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "transformers", module)
    integration._callback.cache_clear()
    yield
    integration._callback.cache_clear()


def trained(*ending: nn.Module, doctor: Any = None, tells: bool = True) -> Network:
    torch.manual_seed(0)
    model = Network(*ending, tells=tells)
    Trainer(model, [] if doctor is None else [doctor]).train()
    return model


def test_a_watched_training_ends_with_the_same_bits() -> None:
    doctor = integration.DoctorCallback()
    assert isinstance(doctor, TrainerCallback)
    plain, watched = trained(), trained(doctor=doctor)
    for (name, a), b in zip(plain.state_dict().items(), watched.state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    history = doctor.history
    assert history.meta["steps"] == 24
    assert "doctor_failed" not in history.meta
    assert len(history["train_loss"]) == len(history["valid_loss"]) == 3
    assert history["train_loss"][-1] < history["train_loss"][0]
    assert "body.0.weight" in history.places("update_ratio")
    assert not watched._forward_hooks, "the model is left without hooks"
    assert not watched._forward_pre_hooks


class Overflow(nn.Module):
    """Gives what is no number."""

    def forward(self, given: Tensor) -> Tensor:
        return given * float("inf")


def test_a_gradient_that_is_no_number_is_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    doctor = integration.DoctorCallback()
    trained(Overflow(), doctor=doctor)
    (found,) = [finding for finding in doctor.findings if finding.code == "non_finite"]
    assert found.where.startswith("body.")
    assert capsys.readouterr().err.count("[non_finite]") == 1


def test_a_model_that_gives_no_loss_is_watched_by_the_one_that_is_logged() -> None:
    doctor = integration.DoctorCallback()
    trained(doctor=doctor, tells=False)
    # The first log comes after the fifth of 24 steps.
    assert doctor.history.meta["steps"] == 19


def test_another_process_than_the_first_does_not_watch() -> None:
    doctor = integration.DoctorCallback()
    Trainer(Network(), [doctor], state=State(is_world_process_zero=False)).train()
    assert (len(doctor.history), doctor.findings, doctor.fit) == (0, [], None)


def test_a_missing_package_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(BadInput, match=r"pip install 'transformers\[torch\]"):
        integration.DoctorCallback  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'Docter'"):
        integration.Docter  # noqa: B018
