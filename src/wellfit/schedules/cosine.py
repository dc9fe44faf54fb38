"""Falls along half a cosine."""

from __future__ import annotations

from collections.abc import Sequence

from wellfit.registry import Option
from wellfit.schedules.schedule import Factor, ScheduleEntry, fell, share_done

__all__ = ["ENTRY"]


def cosine(total_steps: int, steps_per_epoch: int, *, final: float) -> Factor:
    """Fall from 1 to ``final`` along half a cosine over the run."""

    def factor(step: int, losses: Sequence[float] = ()) -> float:
        return fell(share_done(step, total_steps), final)

    return factor


ENTRY = ScheduleEntry(
    name="cosine",
    summary="falls along half a cosine over the run",
    make=cosine,
    options=(Option(name="final", default=0.0, low=0.0, high=1.0, help="factor at the end"),),
    formula="final + (1 - final) (1 + cos(pi t)) / 2, t = step / total",
    reference="Loshchilov & Hutter, SGDR, 2017; torch.optim.lr_scheduler.CosineAnnealingLR",
)
