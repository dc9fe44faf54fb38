"""The signal that schedulers end a process by is answered with a sentence at any time, and the run can be resumed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import wellfit.recording
from small import QUICK_OPTIONS, Command
from wellfit.training.interrupt import Interruption


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def ended_in(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, in which the process is told to end."""

    def told(*args: Any, **kwargs: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)
        # Python hears a signal between two of its own operations.
        time.sleep(0.01)
        return function(*args, **kwargs)

    return told


def test_while_rows_are_prepared(command: Command, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wellfit.recording, "prepare_source", ended_in(wellfit.recording.prepare_source))
    answer = command("train", table, "--target", "label", "--out", "run", *QUICK_OPTIONS)
    assert (answer.code, answer.err) == (1, "error: Interrupted.\n")
    assert not Path("run").exists()


def test_while_scores_are_written(command: Command, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(wellfit.recording, "_evaluation", ended_in(wellfit.recording._evaluation))
        answer = command("train", table, "--target", "label", "--out", "run", *QUICK_OPTIONS)
    assert answer.code == 1
    assert answer.err.splitlines()[-1].endswith("Go on with: wellfit resume run")
    assert "Training was stopped after" in answer.err
    assert command("resume", "run").code == 0
    assert Path("run", "metrics.json").exists()


def test_a_signal_that_a_program_ignores_is_left_to_it(command: Command) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    assert command("list").code == 0
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    with Interruption():
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN


@pytest.mark.parametrize("usual", [signal.SIG_DFL, signal.default_int_handler])
def test_training_takes_both_signals_and_gives_them_back(usual: Any) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, usual)
    with Interruption() as asked:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.01)
        assert asked.asked
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == [usual, usual]
