"""Frozen parameters freed."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.treatment.course import Change
from wellfit.treatment.remedies.rate import adam_rate
from wellfit.treatment.remedies.remedy import Case, Remedies
from wellfit.treatment.surgery import reinitialize, unfreeze

__all__ = ["REMEDIES"]


def propose(case: Case) -> Iterator[Change]:
    """Train all parameters; with Adam, and from new weights."""
    free = case.can(unfreeze())
    if not free:
        return
    why = "a parameter without requires_grad stays as it is"
    yield Change(family="frozen", what="all parameters trained", why=why, edits=free)
    yield Change(
        family="frozen",
        what="all parameters trained, from new weights, with adam",
        why=why,
        edits=(*free, reinitialize()),
        options={"optimizer": "adam", "lr": adam_rate(case)},
    )


REMEDIES = Remedies(family="frozen", codes=frozenset({"not_learning", "underfitting"}), propose=propose)
