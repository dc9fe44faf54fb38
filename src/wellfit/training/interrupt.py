"""Ctrl-C, and the signal by which schedulers end a process, as a request: the step in progress is finished first."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

__all__ = ["Interruption"]

_DEFAULT: dict[signal.Signals, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}


class Interruption:
    """Turns the first Ctrl-C or SIGTERM into ``asked``; a second one interrupts at once.

    Signals reach the main thread alone; elsewhere nothing is changed. A signal that the program handles or ignores
    by itself is left to it.
    """

    def __init__(self) -> None:
        self.asked = False
        self._taken: list[signal.Signals] = []

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            self._taken = [number for number, usual in _DEFAULT.items() if signal.getsignal(number) == usual]
        for number in self._taken:
            signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number in self._taken:
            signal.signal(number, _DEFAULT[number])

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
