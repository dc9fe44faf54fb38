"""An optimizer that makes the loss large: it climbs where it should descend."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.treatment.course import Change
from wellfit.treatment.remedies.remedy import Case, Remedies

__all__ = ["REMEDIES"]


def propose(case: Case) -> Iterator[Change]:
    """Turn the step around, where the optimizer's settings say that it maximizes."""
    if case.subject.rates.maximize:
        yield Change(
            family="direction",
            what="loss made small, not large",
            why="the optimizer maximizes",
            optimizer={"maximize": False},
        )


REMEDIES = Remedies(
    family="direction",
    # Uphill, gradients and loss grow until something gives way: any of these may be what is seen of it.
    codes=frozenset(
        {
            "not_learning",
            "non_finite",
            "exploding_gradient",
            "learning_rate_too_high",
            "dead_units",
            "saturated_units",
            "underfitting",
        }
    ),
    propose=propose,
)
