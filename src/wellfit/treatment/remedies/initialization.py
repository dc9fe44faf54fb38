"""First weights drawn by the activation behind them."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.treatment.course import Change
from wellfit.treatment.remedies.remedy import Case, Remedies
from wellfit.treatment.surgery import rectify_recurrence, reinitialize

__all__ = ["REMEDIES"]


def propose(case: Case) -> Iterator[Change]:
    """He for the ReLU family, Xavier for bounded activations; orthogonal; for plain recurrence the identity."""
    why = "a signal keeps its size through the layers, and so does its gradient"
    yield Change(family="init", what="He/Xavier init by activation", why=why, edits=(reinitialize(),))
    rectified = case.can(rectify_recurrence())
    if rectified:
        edits = (*rectified, reinitialize())
        yield Change(family="init", what="rectified recurrence from the identity", why=why, edits=edits)
    elif "vanishing_gradient" in case.codes:
        yield Change(family="init", what="orthogonal init", why=why, edits=(reinitialize("orthogonal"),))


REMEDIES = Remedies(
    family="init",
    codes=frozenset(
        {
            "bad_initialization",
            "dead_units",
            "saturated_units",
            "exploding_gradient",
            "vanishing_gradient",
            "not_learning",
        }
    ),
    propose=propose,
)
