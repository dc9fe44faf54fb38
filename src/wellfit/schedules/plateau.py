"""Falls when the validation loss stops falling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from wellfit.registry import Option
from wellfit.schedules.schedule import Factor, ScheduleEntry

__all__ = ["ENTRY"]


def plateau(
    total_steps: int, steps_per_epoch: int, *, gamma: float, patience: int, min_delta: float, final: float
) -> Factor:
    """Multiply by ``gamma`` each time more than ``patience`` epochs in a row bring no better validation loss.

    Better is lower than the best by the share ``min_delta``; a loss that is not finite is no better. A step sees the
    losses of the epochs that ended before it, whatever else is in the list.
    """

    # every step of an epoch asks with the same losses
    @lru_cache(maxsize=2)
    def after(losses: tuple[float, ...]) -> float:
        best, waited, factor = math.inf, 0, 1.0
        for loss in losses:
            margin = 0.0 if math.isinf(best) else min_delta * abs(best)
            if loss < best - margin:
                best, waited = loss, 0
            else:
                waited += 1
            if waited > patience:
                factor, waited = max(factor * gamma, final), 0
        return factor

    def factor(step: int, losses: Sequence[float] = ()) -> float:
        return after(tuple(losses[: step // steps_per_epoch]))

    return factor


ENTRY = ScheduleEntry(
    name="plateau",
    summary="falls by a factor when the validation loss stops falling",
    make=plateau,
    options=(
        Option(name="gamma", default=0.1, low=0.0, high=1.0, low_open=True, high_open=True, help="factor of a fall"),
        Option(name="patience", default=10, kind="int", low=0, help="epochs without a better loss that are borne"),
        Option(
            name="min_delta",
            default=1e-4,
            low=0.0,
            high=1.0,
            high_open=True,
            help="how much lower a loss must be to count as better, as a share of the best",
        ),
        Option(name="final", default=0.0, low=0.0, high=1.0, help="factor below which it does not fall"),
    ),
    formula="max(gamma^k, final), k the number of times that patience ran out",
    reference="torch.optim.lr_scheduler.ReduceLROnPlateau",
    refuses="training without validation rows: there would be no loss to watch",
    needs_losses=True,
)
