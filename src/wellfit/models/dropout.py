"""The share of units that a network for tables drops while it trains: one option of several architectures."""

from __future__ import annotations

from wellfit.registry import Option

__all__ = ["dropout"]


def dropout(default: float) -> Option:
    """Give the option with an architecture's own default.

    >>> dropout(0.1).interval()
    '[0, 1)'
    """
    return Option(
        name="dropout",
        default=default,
        low=0.0,
        high=1.0,
        high_open=True,
        help="share of units dropped",
        search=(0.0, 0.5),
        example=0.1,
    )
