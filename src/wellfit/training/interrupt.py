"""Ctrl-C as a request: the step in progress is finished first."""

from __future__ import annotations

import signal
import threading
from types import FrameType

__all__ = ["Interruption"]


class Interruption:
    """Turns the first Ctrl-C into ``asked``; a second one interrupts at once.

    Signals reach the main thread alone; elsewhere nothing is changed.
    """

    def __init__(self) -> None:
        self.asked = False
        self._former: object = None
        self._active = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> Interruption:
        if self._active:
            self._former = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        if self._active:
            signal.signal(signal.SIGINT, self._former)  # type: ignore[arg-type]

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
