"""The rate as it is."""

from __future__ import annotations

from collections.abc import Sequence

from wellfit.schedules.schedule import Factor, ScheduleEntry

__all__ = ["ENTRY"]


def constant(total_steps: int, steps_per_epoch: int) -> Factor:
    """Keep the base rate."""

    def factor(step: int, losses: Sequence[float] = ()) -> float:
        return 1.0

    return factor


ENTRY = ScheduleEntry(
    name="constant",
    summary="the base rate from first to last",
    make=constant,
    formula="1",
    reference="torch.optim.lr_scheduler.ConstantLR with factor 1",
)
