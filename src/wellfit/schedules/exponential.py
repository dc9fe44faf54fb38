"""Falls by an equal share in equal time."""

from __future__ import annotations

from collections.abc import Sequence

from wellfit.registry import Option
from wellfit.schedules.schedule import Factor, ScheduleEntry

__all__ = ["ENTRY"]


def exponential(total_steps: int, steps_per_epoch: int, *, gamma: float) -> Factor:
    """Multiply by ``gamma`` over each epoch, smoothly from step to step."""

    def factor(step: int, losses: Sequence[float] = ()) -> float:
        return float(gamma ** (step / steps_per_epoch))

    return factor


ENTRY = ScheduleEntry(
    name="exponential",
    summary="falls by an equal share each epoch, smoothly",
    make=exponential,
    options=(
        Option(
            name="gamma",
            default=0.95,
            low=0.0,
            high=1.0,
            low_open=True,
            search=(0.8, 0.999),
            help="factor of an epoch",
        ),
    ),
    formula="gamma^(step / steps per epoch)",
    reference="torch.optim.lr_scheduler.ExponentialLR; keras ExponentialDecay",
)
