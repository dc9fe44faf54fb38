"""What only the author of a training can change, by what was found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wellfit.findings import Finding

__all__ = ["advice_for"]

_ADVICE = {
    "shuffled_labels": "The labels have nothing to do with the inputs: check how rows and labels were joined, shuffled "
    "and sorted. No setting of the training can cure this.",
    "overfitting": "More training rows help most against learning by heart.",
    "underfitting": "Features that say more of the target raise what any network can reach.",
    "class_imbalance_ignored": "More rows of the rare class tell more than weights do.",
    "non_finite": "Look for inputs and targets that are not finite, and for logarithms, divisions and roots in the "
    "module and the loss.",
    "target_leakage": "Take out the columns that give the target away.",
    "split_leakage": "Deal the rows anew, so that no row of one split stands in another.",
}


def advice_for(findings: Iterable[Finding], refused: Sequence[str]) -> list[str]:
    """Give advice for what was found, and for what could not be edited.

    >>> advice_for([], ["Activations can be exchanged where each is a module. Got relu called in forward."])
    ['Activations can be exchanged where each is a module. Got relu called in forward.']
    """
    said = [_ADVICE[finding.code] for finding in findings if finding.code in _ADVICE]
    blocked = [reason for reason in refused if "forward" in reason]
    return list(dict.fromkeys([*said, *blocked]))
