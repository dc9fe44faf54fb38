"""Four waves, each twice as long as the one before."""

from __future__ import annotations

import math
from collections.abc import Sequence

from wellfit.schedules.schedule import Factor, ScheduleEntry, share_done

__all__ = ["ENTRY"]


def coslog4(total_steps: int, steps_per_epoch: int) -> Factor:
    """Swing four times between 0 and 1, each wave twice as long as the one before; the first step's factor is 0."""

    def factor(step: int, losses: Sequence[float] = ()) -> float:
        return 0.5 * (1 - math.cos(2 * math.pi * math.log2(1 + 15 * share_done(step, total_steps))))

    return factor


ENTRY = ScheduleEntry(
    name="coslog4",
    summary="four waves from 0 to 1 and back, each twice as long as the one before",
    make=coslog4,
    formula="(1 - cos(2 pi log2(1 + 15 t))) / 2, t = step / total",
    reference="Holzmüller et al., Better by default (RealMLP), 2024",
)
