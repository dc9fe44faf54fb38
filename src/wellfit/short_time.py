"""What is said where a time limit was too short for a network."""

from __future__ import annotations

from wellfit.findings import Finding

__all__ = ["linear_instead", "too_few_updates"]

_FEWEST = 50
"""Updates below which a training is next to none: the loss of a network has hardly begun to fall."""
_MORE = "Give more time, such as --time 2m."


def too_few_updates(made: int) -> list[Finding]:
    """Give a finding where so many updates are all that a time limit left room for, and they are too few.

    >>> [finding.code for finding in too_few_updates(1)], too_few_updates(5000)
    (['short_time'], [])
    """
    if made >= _FEWEST:
        return []
    updates = f"{made:,} update{'' if made == 1 else 's'}"
    message = f"The time limit left room for {updates}, too few for a network to learn from. {_MORE}"
    return [Finding(code="short_time", severity="warning", message=message, evidence={"steps": made})]


def linear_instead(seconds: float) -> Finding:
    """Give the finding of a run that is a linear model alone, for want of time.

    >>> linear_instead(1.0).evidence["seconds"]
    1.0
    """
    message = (
        "The time limit left no room for a network that would be better than a linear model, "
        f"so a linear model is what was trained. {_MORE}"
    )
    return Finding(code="short_time", severity="warning", message=message, evidence={"seconds": seconds})
