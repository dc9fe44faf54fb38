"""A linear warm-up, then a fall."""

from __future__ import annotations

from collections.abc import Sequence

from wellfit.registry import Option
from wellfit.schedules.schedule import Factor, ScheduleEntry, fell, share_done

__all__ = ["ENTRY"]


def warmup(total_steps: int, steps_per_epoch: int, *, share: float, decay: str, final: float) -> Factor:
    """Rise in equal steps to 1 over the share ``share`` of the run, then fall to ``final``.

    The first step already moves: its factor is ``1 / w`` of ``w`` warm-up steps.
    """
    rising = round(share * total_steps)
    falling = max(total_steps - rising, 1)

    def factor(step: int, losses: Sequence[float] = ()) -> float:
        if step < rising:
            return (step + 1) / rising
        fallen = share_done(step - rising, falling)
        return 1 - (1 - final) * fallen if decay == "linear" else fell(fallen, final)

    return factor


ENTRY = ScheduleEntry(
    name="warmup",
    summary="rises linearly to the base rate, then falls",
    make=warmup,
    options=(
        Option(
            name="share", default=0.05, low=0.0, high=1.0, high_open=True, search=(0.0, 0.2), help="share that rises"
        ),
        Option(
            name="decay", default="cosine", kind="str", choices=("linear", "cosine"), help="how it falls afterwards"
        ),
        Option(name="final", default=0.0, low=0.0, high=1.0, help="factor at the end"),
    ),
    formula="(step + 1) / w for step < w = share total, then 1 - (1 - final) u, or half a cosine of u, "
    "u = (step - w) / (total - w)",
    reference="Goyal et al., Accurate, large minibatch SGD, 2017; "
    "torch.optim.lr_scheduler.SequentialLR of LinearLR and CosineAnnealingLR",
)
