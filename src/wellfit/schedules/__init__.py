"""Schedules: how the rate changes over a run. One file each; `SCHEDULES` looks them up by name."""

from __future__ import annotations

from wellfit.registry import Family
from wellfit.schedules import constant, cosine, coslog4, exponential, flat_cos, one_cycle, plateau, step, warmup
from wellfit.schedules.schedule import Factor, ScheduleEntry

__all__ = ["SCHEDULES", "Factor", "ScheduleEntry"]

SCHEDULES: Family[ScheduleEntry] = Family(
    "schedules",
    "schedule",
    [
        constant.ENTRY,
        step.ENTRY,
        exponential.ENTRY,
        cosine.ENTRY,
        one_cycle.ENTRY,
        warmup.ENTRY,
        plateau.ENTRY,
        coslog4.ENTRY,
        flat_cos.ENTRY,
    ],
)
