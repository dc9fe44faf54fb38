"""The first gradient that is not finite in a loop that someone else wrote, where an update was made with it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from wellfit.errors import RunFailed
from wellfit.optimizers import refuse_non_finite

__all__ = ["BadGradients"]

Found = dict[str, Any]
"""Step, layer and message, as `diagnose` reads them."""


class BadGradients:
    """Looks at every step's gradients before the update, and tells the first that is not finite, once.

    A finite loss whose gradients overflowed is told when an update is made with them: a `torch.amp.GradScaler` leaves
    such a step out and goes on with a smaller scale, which is how half precision works.

    >>> from torch import nn
    >>> import torch
    >>> told = []
    >>> layer = nn.Linear(1, 1)
    >>> gradients = BadGradients(list(layer.named_parameters()), None, told.append)
    >>> (layer(torch.ones(1)) * float("inf")).sum().backward()
    >>> gradients.look(1, float("inf"))
    >>> told[0]["where"]
    'weight'
    """

    def __init__(self, named: Sequence[tuple[str, Tensor]], optimizer: Any, tell: Callable[[Found], None]) -> None:
        """Look at these parameters; without an optimizer, updates are not known, and all is told at once."""
        self._named, self._optimizer, self._tell = named, optimizer, tell
        self._told = False
        self.waiting: Found | None = None
        """What the last look found, as long as no update is made with it."""

    def look(self, step: int, loss: Tensor | float) -> None:
        """Look at the gradients of a step, counted from 1, after ``backward``; ``loss`` is one number, detached."""
        if self._told:
            return
        self.waiting = None
        try:
            refuse_non_finite(self._named)
        except RunFailed as failure:
            place = failure.rule.split("'")[1] if "'" in failure.rule else ""
            self.waiting = {"step": step, "where": place, "message": failure.rule}
            if self._optimizer is None or not math.isfinite(loss):
                self._say()

    def before_update(self) -> None:
        """Take in that an update begins."""
        if self.waiting is not None and not _left_out(self._optimizer):
            self._say()

    def _say(self) -> None:
        assert self.waiting is not None
        self._told = True
        self._tell(self.waiting)
        self.waiting = None


def _left_out(optimizer: Any) -> bool:
    """Whether a scaler has a fused optimizer leave this step out, which begins as any other."""
    found = getattr(optimizer, "found_inf", None)
    return found is not None and bool(found)
