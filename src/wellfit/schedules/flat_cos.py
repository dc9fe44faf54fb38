"""Flat, then half a cosine."""

from __future__ import annotations

from collections.abc import Sequence

from wellfit.registry import Option
from wellfit.schedules.schedule import Factor, ScheduleEntry, fell, share_done

__all__ = ["ENTRY"]


def flat_cos(total_steps: int, steps_per_epoch: int, *, flat: float, final: float) -> Factor:
    """Keep 1 for the share ``flat`` of the run, then fall to ``final`` along half a cosine."""

    def factor(step: int, losses: Sequence[float] = ()) -> float:
        share = share_done(step, total_steps)
        return 1.0 if share <= flat else fell((share - flat) / (1 - flat), final)

    return factor


ENTRY = ScheduleEntry(
    name="flat_cos",
    summary="the base rate for a while, then falls along half a cosine",
    make=flat_cos,
    options=(
        Option(name="flat", default=0.5, low=0.0, high=1.0, high_open=True, help="share of the run before the fall"),
        Option(name="final", default=0.0, low=0.0, high=1.0, help="factor at the end"),
    ),
    formula="1 for t <= flat, then final + (1 - final) (1 + cos(pi (t - flat) / (1 - flat))) / 2",
    reference="Holzmüller et al., Better by default (RealMLP), 2024; fastai fit_flat_cos",
)
