"""Ctrl-C, and the signal by which schedulers end a process, as a request: the step in progress is finished first."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

__all__ = ["Interruption"]

_USUAL = (signal.SIG_DFL, signal.default_int_handler)
"""What ends a process, or interrupts it: handlers that nobody has a reason to keep."""


class Interruption:
    """Turns the first Ctrl-C or SIGTERM into ``asked``; a second one interrupts at once.

    Signals reach the main thread alone; elsewhere nothing is changed. A signal that the program handles or ignores
    by itself is left to it.
    """

    def __init__(self) -> None:
        self.asked = False
        self._taken: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
            self._taken = {number: handler for number, handler in handlers.items() if handler in _USUAL}
        for number in self._taken:
            signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._taken.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
