"""Options that several optimizers share, each with the same meaning, range and default."""

from __future__ import annotations

from wellfit.registry import Option

__all__ = ["BETA1", "BETA2", "EPS", "weight_decay"]

BETA1 = Option(
    name="beta1",
    default=0.9,
    low=0.0,
    high=1.0,
    high_open=True,
    search=(0.8, 0.99),
    help="decay of the gradient's mean",
)
BETA2 = Option(
    name="beta2",
    default=0.999,
    low=0.0,
    high=1.0,
    high_open=True,
    search=(0.9, 0.9999),
    help="decay of the mean of the gradient's square",
)
EPS = Option(name="eps", default=1e-8, low=0.0, low_open=True, help="added to the root")


def weight_decay(default: float) -> Option:
    """Give the option of decoupled weight decay: every step, the weights lose this share times the rate."""
    return Option(
        name="weight_decay",
        default=default,
        low=0.0,
        example=0.01,
        search=(1e-4, 1.0),
        log=True,
        help="decoupled decay: W <- W - a l W; a parameter group may set its own",
    )
