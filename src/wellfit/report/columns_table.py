"""What was decided for each column of the data: its kind, and what becomes of its cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wellfit.report.facts import ReportFacts, inside, number, section
from wellfit.report.html import Markup, fold, join, table, tag
from wellfit.report.scores import UNKNOWN, figure

__all__ = ["columns_table", "is_dropped", "shown_columns"]

_MANY = 30


def shown_columns(facts: ReportFacts) -> list[Mapping[str, Any]]:
    """Give the columns of the cleaning plan."""
    held = inside(facts.plan, "cleaning", "columns")
    return [column for column in held or () if isinstance(column, Mapping)]


def is_dropped(column: Mapping[str, Any]) -> bool:
    """Tell whether the cleaning plan leaves a column out."""
    return column.get("kind") == "drop"


def columns_table(facts: ReportFacts) -> Markup | None:
    """List the columns; where there are many, all are folded and those left out stay in sight."""
    held = shown_columns(facts)
    if not held:
        return None
    shares, treated = _missing_shares(facts), dict(_treated(section(facts.plan, "features")))
    dropped = [column for column in held if is_dropped(column)]

    def listed(columns: Sequence[Mapping[str, Any]], caption: str) -> Markup:
        rows = [[tag("code", column.get("name", "")), *_decided(column, shares, treated)] for column in columns]
        return table(["Column", "Kind", "Missing", "Decided"], rows, caption=caption)

    caption = f"{len(held):,} columns, {len(dropped):,} left out"
    if len(held) <= _MANY:
        return listed(held, caption)
    return join([listed(dropped, "Columns left out") if dropped else None, fold(caption, listed(held, caption))])


def _decided(column: Mapping[str, Any], shares: Mapping[str, float], treated: Mapping[str, str]) -> list[object]:
    name, left_out, reason = str(column.get("name")), is_dropped(column), str(column.get("reason") or "")
    share = shares.get(name, 0.0)
    missing = f"{max(share * 100, 0.1):.1f} %" if share else UNKNOWN if left_out else "0 %"
    said = ["left out" if left_out else treated.get(name, ""), reason]
    return [UNKNOWN if left_out else column.get("kind", UNKNOWN), missing, ": ".join(part for part in said if part)]


def _missing_shares(facts: ReportFacts) -> dict[str, float]:
    """Give the share of missing training cells by column, as the finding on it says."""
    found = [
        (finding.where, number(finding.evidence.get("share")))
        for finding in facts.findings
        if finding.code == "missing_values"
    ]
    return {where: share for where, share in found if share is not None}


def _treated(features: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Say what the feature plan makes of each column."""
    scale, medians = features.get("scale"), features.get("medians") or ()
    for place, name in enumerate(features.get("numbers") or ()):
        fill = f"missing becomes {figure(medians[place])}" if place < len(medians) else ""
        yield str(name), ", ".join(part for part in (f"{scale} scale" if scale else "", fill) if part)
    for date in features.get("dates") or ():
        yield str(inside(date, "name")), "parts: " + ", ".join(map(str, inside(date, "parts") or ()))
    for column in features.get("encoded") or ():
        known = len(inside(column, "levels") or ())
        yield (
            str(inside(column, "name")),
            f"{inside(column, 'encoder')}, {known:,} known value{'' if known == 1 else 's'}",
        )
