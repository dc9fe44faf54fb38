"""Remedies by family: one file each, one line here, in the order in which the field would try them."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.treatment.course import Change
from wellfit.treatment.remedies import (
    activation,
    batch,
    capacity,
    clipping,
    direction,
    frozen,
    imbalance,
    initialization,
    norms,
    pairing,
    rate,
    regularization,
    scaling,
)
from wellfit.treatment.remedies.remedy import Case, Remedies
from wellfit.treatment.remedies.standard import standard_recipes

__all__ = ["REMEDIES", "Case", "Remedies", "proposed", "standard_recipes"]

REMEDIES: tuple[Remedies, ...] = (
    direction.REMEDIES,
    pairing.REMEDIES,
    frozen.REMEDIES,
    scaling.REMEDIES,
    initialization.REMEDIES,
    activation.REMEDIES,
    norms.REMEDIES,
    clipping.REMEDIES,
    rate.REMEDIES,
    imbalance.REMEDIES,
    batch.REMEDIES,
    regularization.REMEDIES,
    capacity.REMEDIES,
)


def proposed(case: Case) -> Iterator[Change]:
    """Give what the families propose for what was found: each family's likeliest first, then their second choices.

    Families for the first finding come before those for the second: causes are found before their effects.
    """
    families: dict[str, Iterator[Change]] = {}
    # Where nothing was found and treatment is asked for, more may be had: what helps against underfitting.
    for code in [finding.code for finding in case.findings] or ["underfitting"]:
        for remedies in REMEDIES:
            if code in remedies.codes and remedies.family not in families:
                families[remedies.family] = iter(remedies.propose(case))
    while families:
        for family in list(families):
            change = next(families[family], None)
            if change is None:
                del families[family]
            elif change.edits or change.options or change.optimizer:
                yield change
