"""What only the author of a training can change, by what was found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wellfit.findings import Finding

__all__ = ["UNPROVABLE", "advice_for"]

UNPROVABLE = frozenset(("shuffled_labels", "target_leakage", "split_leakage", "distribution_shift"))
"""What no figure of the rows at hand can prove a cure of: it is those figures that are not to be believed."""

_ADVICE = {
    "shuffled_labels": "The labels have nothing to do with the inputs: check how rows and labels were joined, shuffled "
    "and sorted. No setting of the training can cure this.",
    "overfitting": "More training rows help most against learning by heart.",
    "underfitting": "Features that say more of the target raise what any network can reach.",
    "class_imbalance_ignored": "More rows of the rare class tell more than weights do.",
    "non_finite": "Look for inputs and targets that are not finite, and for logarithms, divisions and roots in the "
    "module and the loss.",
    "target_leakage": "Take out the columns that give the target away and are not known when a prediction is made; "
    "the figures will be worse, and true.",
    "split_leakage": "Deal the rows anew, so that no row of one split stands in another.",
}


def advice_for(findings: Iterable[Finding], refused: Sequence[str]) -> list[str]:
    """Give advice for what was found, and for what could not be edited.

    >>> advice_for([], ["Activations can be exchanged where each is a module. Got relu called in forward."])
    ['Activations can be exchanged where each is a module. Got relu called in forward.']
    """
    said = [_said(finding) for finding in findings if finding.code in _ADVICE]
    blocked = [reason for reason in refused if "forward" in reason]
    return list(dict.fromkeys([*said, *blocked]))


def _said(finding: Finding) -> str:
    """Give the advice, and for a column the setting that takes it out."""
    untried = finding.remedies if finding.code in UNPROVABLE else ()
    settings = [f"{remedy.path}={remedy.value}" for remedy in untried if remedy.path.startswith("features.")]
    return " ".join([_ADVICE[finding.code], *(["Set " + ", ".join(settings) + "."] if settings else [])])
