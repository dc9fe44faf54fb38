"""One rise and one long fall."""

from __future__ import annotations

from collections.abc import Sequence

from wellfit.registry import Option
from wellfit.schedules.schedule import Factor, ScheduleEntry, fell

__all__ = ["ENTRY"]


def one_cycle(total_steps: int, steps_per_epoch: int, *, share: float, start: float, final: float) -> Factor:
    """Rise from ``start`` to 1 over a share of the run, then fall to ``final``, both along half a cosine."""
    last = total_steps - 1
    peak = share * total_steps - 1

    def factor(step: int, losses: Sequence[float] = ()) -> float:
        if step <= peak:
            return 1 + start - fell(step / peak, start) if peak > 0 else 1.0
        # where the rise is shorter than a step the fall begins at step 0
        first = max(peak, 0.0)
        return fell(min((step - first) / (last - first), 1.0), final) if last > first else 1.0

    return factor


ENTRY = ScheduleEntry(
    name="one_cycle",
    summary="rises to the base rate, then falls to almost nothing",
    make=one_cycle,
    options=(
        Option(
            name="share", default=0.3, low=0.0, high=1.0, high_open=True, search=(0.1, 0.4), help="share that rises"
        ),
        Option(name="start", default=0.04, low=0.0, high=1.0, help="factor of the first step"),
        Option(name="final", default=4e-6, low=0.0, high=1.0, help="factor of the last step"),
    ),
    formula="start -> 1 along half a cosine until step share total - 1, then 1 -> final until the last step",
    reference="Smith & Topin, Super-convergence, 2018; torch.optim.lr_scheduler.OneCycleLR",
)
