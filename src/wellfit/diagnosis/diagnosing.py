"""From a history to findings: every check, ordered by severity, causes before what they cause."""

from __future__ import annotations

from wellfit.diagnosis.checks import CHECKS
from wellfit.diagnosis.evidence import Evidence
from wellfit.findings import Finding
from wellfit.history import History

__all__ = ["diagnose"]

_ORDER = {"error": 0, "warning": 1, "info": 2}


def diagnose(history: History, *, live: bool = False) -> list[Finding]:
    """Give what the checks find in a history, live or saved.

    Args:
        history: what a training or a `Monitor` recorded.
        live: whether training goes on: then only checks speak that need not know its end.

    Returns:
        Findings, errors before warnings before remarks; among those of one severity causes come before effects.

    >>> from wellfit.history import History
    >>> diagnose(History())
    []
    """
    evidence = Evidence(history)
    found = [finding for check in CHECKS if check.live or not live for finding in check.find(evidence)]
    return sorted(found, key=lambda finding: _ORDER[finding.severity])
