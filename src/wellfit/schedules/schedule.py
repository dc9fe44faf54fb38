"""What every schedule is: a pure function of the step that multiplies the base rate.

Steps count from 0; the factor of a step holds for the update that this step makes. No schedule keeps a state: the
factor of any step can be asked for at any time, so that a resumed run goes on with the same rates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from wellfit.registry import Entry

__all__ = ["Factor", "ScheduleEntry", "fell", "share_done"]


class Factor(Protocol):
    """A schedule made for a run."""

    def __call__(self, step: int, losses: Sequence[float] = ()) -> float:
        """Give the factor of a step; ``losses`` are the validation losses at the ends of the epochs so far."""
        ...


@dataclass(frozen=True, kw_only=True)
class ScheduleEntry(Entry):
    """A schedule as data.

    >>> from wellfit.schedules import SCHEDULES
    >>> cosine = SCHEDULES.choose("cosine")
    >>> factor = cosine.entry.make(100, 10, **cosine.options)
    >>> factor(0), factor(50)
    (1.0, 0.5)
    """

    make: Callable[..., Factor]
    """``make(total_steps, steps_per_epoch, **options)``: both lengths 1 or more, the options all there."""
    needs_losses: bool = False
    """Whether the factor depends on the validation losses, so that the run must have validation rows."""


def share_done(step: int, total_steps: int) -> float:
    """Give the share of the run that lies before a step, from 0 to 1; 1 beyond the end."""
    return min(step / total_steps, 1.0)


def fell(share: float, final: float = 0.0) -> float:
    """Fall along half a cosine, from 1 at share 0 to ``final`` at share 1.

    >>> fell(0.0), round(fell(0.5, final=0.5), 6), fell(1.0)
    (1.0, 0.75, 0.0)
    """
    return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * share))
