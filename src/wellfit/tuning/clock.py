"""How the time allowed is dealt: search, proof, and the final training, which always gets its part."""

from __future__ import annotations

import time

__all__ = ["Clock"]

_SEARCH = 0.7
"""The share of the time at which the last trial is cut short at the latest."""

_FIRST = 0.45
"""The same for the first trial, before it is known how long one takes: as much is left for the final training."""

_SEVERAL = 0.35
"""The same of both, and the share that is left for the final training at the least, where that is of several networks:
what is searched is a part of them."""

_CLOSING = 1.5
"""Seconds for the pages and files that come after the final run's own."""


class Clock:
    """The time that is left, counted from ``started``; no limit where ``limit`` is None.

    ``several``: whether the final training is of several networks, where trials are of one.
    """

    def __init__(self, limit: float | None, started: float, *, several: bool = False) -> None:
        self.limit, self.started, self.several = limit, started, several

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    def left_for_search(self, longest: float, proofs: float) -> float | None:
        """Give the seconds that a further trial may take; 0 or less where there should be none, None for no limit.

        Args:
            longest: seconds of a whole training, as far as one was seen.
            proofs: trainings that come after the search, the final one among them, which takes a part of one if it is
                made of several.
        """
        if self.limit is None:
            return None
        share = _SEVERAL if self.several else _SEARCH if longest else _FIRST
        return min(share * self.limit, self.limit - self._closing() - longest * proofs) - self.elapsed

    def left_for_proof(self, final: float) -> float | None:
        """Give the seconds that a training of the proof may take, so that the final one can still be made."""
        if self.limit is None:
            return None
        kept = max(1.2 * final, _SEVERAL * self.limit if self.several else 0.0)
        return self.limit - self._closing() - kept - self.elapsed

    def for_final(self) -> float | None:
        """Give the limit of the final run, counted from the start of all."""
        return None if self.limit is None else max(self.limit - min(_CLOSING, 0.2 * self.limit), 0.1)

    def _closing(self) -> float:
        assert self.limit is not None
        # What a run keeps for its scores and pages, and what tuning adds.
        return min(2.0 + 0.05 * self.limit, 0.5 * self.limit) + min(_CLOSING, 0.2 * self.limit)
