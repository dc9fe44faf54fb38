"""Problems are named while training goes on: once, with layer and epoch, above the bar or in one plain line."""

from __future__ import annotations

import io
import itertools
import re
import time
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from rich.console import Console
from torch import nn

import wellfit
from wellfit import alarm as module
from wellfit.alarm import Alarm, alarm_line, live_display
from wellfit.findings import Finding
from wellfit.history import History
from wellfit.training.progress import LiveProgress

X = torch.randn(128, 4, generator=torch.Generator().manual_seed(0))
Y = (X[:, 0] > 0).long()


@pytest.fixture(autouse=True)
def always_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_EVERY", 0.0)
    monkeypatch.setattr(module, "_SHARE", 1e9)


def found(code: str = "dead_units", severity: Any = "warning", where: str = "2") -> Finding:
    return Finding(code=code, severity=severity, where=where, message=f"It has {code}.")


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[Finding]]:
    """What the checks find, look by look."""
    planned: list[Sequence[Finding]] = []
    monkeypatch.setattr(module, "diagnose", lambda history, live: planned.pop(0))
    return planned


def said_of(planned: list[Sequence[Finding]]) -> list[tuple[int, str, str]]:
    said: list[tuple[int, str, str]] = []
    alarm = Alarm(lambda finding, epoch: said.append((epoch, finding.code, finding.where)))
    for epoch in range(1, len(planned) + 1):
        alarm.look(History(), epoch)
    return said


def test_an_error_is_named_at_once_and_once(looks: list[Sequence[Finding]]) -> None:
    looks += [[found("non_finite", "error")]] * 3
    assert said_of(looks) == [(1, "non_finite", "2")]


def test_a_warning_is_named_when_it_is_found_again(looks: list[Sequence[Finding]]) -> None:
    looks += [[found()], [], [found()], [found()], [found()]]
    assert said_of(looks) == [(4, "dead_units", "2")]


def test_a_warning_that_becomes_an_error_is_named_again(looks: list[Sequence[Finding]]) -> None:
    looks += [[found()], [found()], [found(severity="error")]]
    assert said_of(looks) == [(2, "dead_units", "2"), (3, "dead_units", "2")]


def test_remarks_are_not_alarms_and_many_layers_are_few_lines(looks: list[Sequence[Finding]]) -> None:
    many = [found(where=str(layer)) for layer in range(9)] + [found("good_fit", "info")]
    looks += [many, many]
    assert [where for _, _, where in said_of(looks)] == ["0", "1", "2"]


def test_a_fault_of_the_checks_ends_the_looking_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(history: History, live: bool) -> list[Finding]:
        raise ZeroDivisionError("no")

    monkeypatch.setattr(module, "diagnose", fail)
    result = wellfit.fit(
        nn.Linear(4, 2), (X, Y), loss="cce", epochs=3, threads=1, callbacks=[Alarm(module.to_standard_error)]
    )
    assert len(result.history["train_loss"]) == 3
    assert capsys.readouterr().err == "note: the doctor failed and looks no more (ZeroDivisionError: no)\n"


def test_looks_are_rare_in_proportion_to_their_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    looked: list[float] = []

    def look(history: History, live: bool) -> list[Finding]:
        looked.append(clock[0])
        clock[0] += 0.1
        return []

    monkeypatch.setattr(module, "_EVERY", 2.0)
    monkeypatch.setattr(module, "_SHARE", 0.005)
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(module, "diagnose", look)
    alarm = Alarm(module.to_standard_error)
    for tick in range(1000):
        clock[0] = max(clock[0], tick / 10)
        alarm.look_if_due(History, tick)
    # A look took a tenth of a second: twenty seconds pass between two, and none in the first two seconds.
    assert looked[0] == pytest.approx(2.0)
    assert all(later - sooner >= 20 for sooner, later in itertools.pairwise(looked))
    assert len(looked) == 5


@pytest.mark.parametrize("doctor", ["watch", "off"])
def test_a_fault_known_before_training_is_said_in_one_plain_line(
    capsys: pytest.CaptureFixture[str], doctor: str
) -> None:
    softened = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2), nn.Softmax(-1))
    with live_display() as callbacks:
        wellfit.fit(softened, (X, Y), loss="cce", epochs=3, threads=1, callbacks=callbacks, doctor=doctor)
    lines = capsys.readouterr().err.splitlines()
    if doctor == "off":
        assert lines == []
        return
    (line,) = lines
    assert re.fullmatch(r"error: before training: .+ \[loss_output_mismatch\]", line)


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with live_display(quiet=True) as callbacks:
        assert callbacks == []
    assert capsys.readouterr().err == ""


def test_it_stays_above_the_bar(monkeypatch: pytest.MonkeyPatch, looks: list[Sequence[Finding]]) -> None:
    monkeypatch.setattr("wellfit.training.progress._REDRAWN_EVERY", 0.0)
    monkeypatch.setattr("wellfit.api.diagnose", lambda history: [])
    screen = io.StringIO()
    progress = LiveProgress(Console(file=screen, force_terminal=True, width=100))
    looks += [[], [found()], [found()], [], []]
    progress.open()
    wellfit.fit(
        nn.Linear(4, 2), (X, Y), loss="cce", epochs=4, threads=1, callbacks=[progress, Alarm(module._above([progress]))]
    )
    progress.close()
    text = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", screen.getvalue())
    assert text.count("warning: epoch 2: It has dead_units. At '2'. [dead_units]") == 1
    assert text.index("[dead_units]") < text.index("epoch 4/4")


def test_a_watched_training_ends_with_the_same_bits() -> None:
    ends = []
    for callbacks in ([], [Alarm(module.to_standard_error)]):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2))
        result = wellfit.fit(network, (X, Y), valid=(X, Y), loss="cce", epochs=5, threads=1, callbacks=callbacks)
        ends.append((network.state_dict(), result.history))
    (plain, recorded), (watched, other) = ends
    assert recorded == other
    for name, value in plain.items():
        assert torch.equal(value, watched[name]), name


def test_the_line_names_place_and_time_once() -> None:
    finding = Finding(code="dead_units", severity="warning", where="'2'", message="Units of '2'\nare dead.")
    assert alarm_line(finding, 0) == "warning: before training: Units of '2' are dead. [dead_units]"
