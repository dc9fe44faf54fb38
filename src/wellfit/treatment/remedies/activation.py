"""Activations that let a gradient through, and those that are missing."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.treatment.course import Change
from wellfit.treatment.remedies.remedy import Case, Remedies
from wellfit.treatment.surgery import gate_recurrence, insert_activations, reinitialize, swap_activations
from wellfit.treatment.surgery.anatomy import SQUASHERS

__all__ = ["REMEDIES"]


def propose(case: Case) -> Iterator[Change]:
    """Insert missing ones; bounded ones become ReLU, dead ones leaky ReLU or GELU; plain recurrence gets gates."""
    if "missing_nonlinearity" in case.codes:
        yield Change(
            family="activation",
            what="ReLU between linear layers",
            why="linear layers in a row are one linear layer",
            edits=case.can(insert_activations("relu"), reinitialize()),
        )
    gated = case.can(gate_recurrence())
    if gated and case.codes & {"vanishing_gradient", "exploding_gradient"}:
        why = "gates carry a signal over many steps"
        yield Change(family="activation", what="GRU for plain recurrence", why=why, edits=gated)
    kinds = {part.kind for part in case.subject.anatomy.hidden}
    if kinds & set(SQUASHERS):
        why = "the slope of a bounded activation dies at its ends"
        yield _swapped("relu", why)
        yield _swapped("gelu", why)
    elif kinds and "dead_units" in case.codes:
        why = "a unit that is off still has a gradient"
        yield _swapped("leaky_relu", why)
        yield _swapped("gelu", why)


def _swapped(to: str, why: str) -> Change:
    edits = (swap_activations(to), reinitialize())
    return Change(family="activation", what=f"{to} and its init", why=why, edits=edits)


REMEDIES = Remedies(
    family="activation",
    codes=frozenset({"missing_nonlinearity", "vanishing_gradient", "saturated_units", "dead_units"}),
    propose=propose,
)
