"""What cleaning does to a table, and what it proposes: a line for each, with the setting that undoes or does it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from wellfit.cli.console import print_lines, print_table

if TYPE_CHECKING:
    from wellfit.findings import Finding
    from wellfit.prepared import PreparedRows

__all__ = ["cleaning_record", "is_action", "print_cleaning", "setting_of"]


def is_action(finding: Finding) -> bool:
    """Say whether a finding is something that cleaning does or proposes."""
    return "applied" in finding.evidence


def print_cleaning(findings: Iterable[Finding]) -> None:
    """Print the actions of cleaning as a table; nothing where there are none."""
    actions = [finding for finding in findings if is_action(finding)]
    if not actions:
        return
    rows = ((_where(action), _what(action), _count(action), _example(action), setting_of(action)) for action in actions)
    print_table("Cleaning", ["column", "what", "count", "such as", "setting"], rows, right_from=9)
    print_lines(["What is done is turned off by the setting beside it; what is proposed is done with it."])


def _where(action: Finding) -> str:
    return action.where or "all rows"


def _what(action: Finding) -> str:
    proposed = "" if action.evidence["applied"] == "yes" else " (proposed)"
    return action.code.replace("_", " ") + proposed


def _count(action: Finding) -> str:
    count = action.evidence.get("cells", action.evidence.get("rows", ""))
    return f"{count:,}" if isinstance(count, int) else str(count)


def _example(action: Finding) -> str:
    example = action.evidence.get("example", "")
    return repr(example) if action.where and isinstance(example, str) and example else str(example)


def setting_of(action: Finding) -> str:
    """Give the option that undoes what was done, or does what is proposed; nothing where there is none."""
    return ", ".join(f"-o '{remedy.path}={_value(remedy.value)}'" for remedy in action.remedies[:1])


def _value(value: Any) -> str:
    if isinstance(value, list) and len(value) > 2:
        return f"[{json.dumps(value[0], ensure_ascii=False)}, ...]"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def cleaning_record(prepared: PreparedRows) -> dict[str, Any]:
    """Give the actions as ``--json`` prints them, with every spelling that is read, or proposed, as another level."""
    actions = [
        {
            "action": finding.code,
            "column": finding.where,
            "applied": finding.evidence["applied"] == "yes",
            "count": finding.evidence.get("cells", finding.evidence.get("rows")),
            "example": finding.evidence.get("example"),
            "settings": {remedy.path: remedy.value for remedy in finding.remedies},
        }
        for finding in prepared.findings
        if is_action(finding)
    ]
    columns = prepared.cleaning.columns
    return {
        "actions": actions,
        "merged": {column.name: dict(column.merged) for column in columns if column.merged},
        "proposed": {column.name: dict(column.proposed) for column in columns if column.proposed},
        "set_aside": prepared.set_aside.height,
    }
