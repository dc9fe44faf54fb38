"""Falls in steps."""

from __future__ import annotations

from collections.abc import Sequence

from wellfit.registry import Option
from wellfit.schedules.schedule import Factor, ScheduleEntry

__all__ = ["ENTRY"]


def step_decay(total_steps: int, steps_per_epoch: int, *, every: int, gamma: float) -> Factor:
    """Multiply by ``gamma`` after every ``every`` epochs."""

    def factor(step: int, losses: Sequence[float] = ()) -> float:
        return float(gamma ** (step // (steps_per_epoch * every)))

    return factor


ENTRY = ScheduleEntry(
    name="step",
    summary="falls by a factor every few epochs",
    make=step_decay,
    options=(
        Option(name="every", default=30, kind="int", low=1, help="epochs between two falls"),
        Option(name="gamma", default=0.1, low=0.0, high=1.0, low_open=True, search=(0.1, 0.9), help="factor of a fall"),
    ),
    formula="gamma^floor(epoch / every)",
    reference="torch.optim.lr_scheduler.StepLR",
)
