"""A bound on the gradient."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.treatment.course import Change
from wellfit.treatment.remedies.remedy import Case, Remedies

__all__ = ["REMEDIES"]


def propose(case: Case) -> Iterator[Change]:
    """Hold the gradient's norm to 1: Pascanu et al. 2013."""
    if case.subject.recipe.clip_norm is None:
        why = "one steep batch does not throw the weights away"
        yield Change(family="clipping", what="clip_norm 1", why=why, options={"clip_norm": 1.0})


REMEDIES = Remedies(family="clipping", codes=frozenset({"exploding_gradient", "non_finite"}), propose=propose)
