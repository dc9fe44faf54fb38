"""From a history to findings: every check, ordered by severity, causes before what they cause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wellfit.diagnosis.check import Check
from wellfit.diagnosis.checks import CHECKS
from wellfit.diagnosis.ensembles import for_ensemble
from wellfit.diagnosis.evidence import Evidence
from wellfit.diagnosis.own_modules import for_own_module
from wellfit.findings import Finding
from wellfit.history import History

__all__ = ["diagnose", "weighed"]

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
    found = [finding for check in CHECKS if check.live or not live for finding in _found(check, evidence)]
    told = found
    if history.meta.get("ensemble"):
        told = for_ensemble(found)
    elif history.meta.get("own_module"):
        told = for_own_module(found)
    return sorted([*weighed(told), *_fault(history)], key=lambda finding: _ORDER[finding.severity])


def _found(check: Check, evidence: Evidence) -> list[Finding]:
    """Let one check speak; a fault of its own costs neither the others nor the training that it looks at."""
    try:
        return list(check.find(evidence))
    except Exception as error:
        evidence.history.meta["doctor_failed"] = f"{check.code}: {type(error).__name__}: {error}"[:200]
        return []


def _fault(history: History) -> list[Finding]:
    """Say that the doctor died: that it names nothing is then no sign of health."""
    fault = history.meta.get("doctor_failed")
    if not fault:
        return []
    message = f"The doctor stopped looking, so that problems may be unnamed; training was not touched. It said: {fault}"
    return [Finding(code="doctor_failed", severity="info", message=message)]


def weighed(findings: Sequence[Finding]) -> list[Finding]:
    """Make a remark of what another finding explains: the cause is to be mended first."""
    grave = {finding.code for finding in findings if finding.severity != "info"}
    explained: dict[str, str] = {}
    for check in CHECKS:
        # What is explained itself explains nothing more.
        if check.code in grave and check.code not in explained:
            explained |= {code: check.code for code in check.explains if code not in explained}
    return [
        replace(
            finding,
            severity="info",
            message=f"{finding.message} It may come of {explained[finding.code].replace('_', ' ')}: mend that first.",
        )
        if finding.code in explained and finding.severity != "info"
        else finding
        for finding in findings
    ]
