"""What of later rows breaks the contract of a run, and the policies under which they are read all the same.

    error       such rows are refused
    warn        they are read, and a warning says what does not fit; a table that lacks a column is refused
    coerce      they are read without a word; a column that is not there counts as missing in every row

What training rows had too fits: text that is corrected into numbers, and as many unreadable cells or rare levels as
chance allows at the share that training rows had of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from wellfit.data.cleaning.contract import Z_SCORE, ColumnContract
from wellfit.data.cleaning.plan import CleaningPlan, ColumnPlan
from wellfit.data.cleaning.report import Coerced, CoercionReport
from wellfit.errors import ConfigError, did_you_mean

__all__ = ["POLICIES", "breaches", "checked_policy"]

POLICIES = ("warn", "error", "coerce")

LEAST_UNSEEN = 10
"""Cells of unseen levels from which on their share is known."""

UNSEEN_MARGIN = 0.05
"""The part of the cells by which unseen levels may exceed their share in training beyond chance."""


def checked_policy(policy: str) -> str:
    """Give a policy that there is.

    Raises:
        ConfigError: There is none of that name.
    """
    if policy not in POLICIES:
        raise ConfigError(f"A policy is one of {', '.join(POLICIES)}.", got=policy, do=did_you_mean(policy, POLICIES))
    return policy


def breaches(report: CoercionReport, plan: CleaningPlan) -> list[str]:
    """Say what of some rows does not fit the rows that a plan was learnt from, a line for each kind; drift comes last.

    Args:
        report: What reading the rows changed.
        plan: The plan that they were read by.
    """
    known = {column.name: column for column in plan.used}
    kept = {name: _misfits(coerced, known[name], report.rows) for name, coerced in report.columns.items()}
    return replace(report, columns=kept).sentences()


def _misfits(coerced: Coerced, column: ColumnPlan, rows: int) -> Coerced:
    """Leave only the counts of what does not fit."""
    fitting = dict.fromkeys(_fitting(coerced, column, rows), 0)
    return replace(coerced, **fitting)  # type: ignore[arg-type]


def _fitting(coerced: Coerced, column: ColumnPlan, rows: int) -> Iterator[str]:
    # The plan has a fill for missing cells and a level for other spellings.
    yield from ("missing", "merged")
    if "converted" in column.usual:
        yield "converted"
    contract = column.contract or ColumnContract(rows=rows, shares=())
    for kind in ("unparsed", "infinite"):
        if getattr(coerced, kind) <= _most(column.usual.get(kind, 0.0), rows, contract.rows):
            yield kind
    present = rows - coerced.missing
    most = _most(contract.unseen, present, contract.rows) + UNSEEN_MARGIN * present
    if coerced.unseen < LEAST_UNSEEN or coerced.unseen <= most:
        yield "unseen"


def _most(share: float, rows: int, learnt: int) -> float:
    """Give the most cells that chance explains at a share that was itself measured on so many rows."""
    spread = math.sqrt(share * (1 - share) * rows * (1 + rows / max(learnt, 1)))
    return share * rows + Z_SCORE * spread
