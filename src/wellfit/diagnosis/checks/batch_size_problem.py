"""Batches so large that there are few updates, or so small that they are noise."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.diagnosis.check import Check
from wellfit.diagnosis.evidence import Evidence
from wellfit.diagnosis.rates import SMALL, first_updates
from wellfit.findings import Finding, Remedy

__all__ = ["CHECK"]

_FEW = 100
"""Updates in all: Adam's largest move is its rate a step, so that a rate of 0.001 moves a weight by 0.1 at most."""
_SHARE = 0.25
"""Share of the rows in one batch from which on smaller batches would give more updates at the same cost."""

_EPOCHS = 5
"""Epochs below which it is more epochs that are wanting, whatever the batch."""


def _find(evidence: Evidence) -> Iterator[Finding]:
    rows, size = evidence.data.get("rows"), evidence.settings.get("batch_size")
    # L-BFGS takes all rows by its nature, and makes many moves in one update.
    if not rows or not size or not evidence.poor or evidence.settings.get("optimizer") == "LBFGS":
        return
    steps = evidence.total_steps
    epochs = int(evidence.settings.get("epochs") or 1)
    # Where the clock or a number of updates ended it, it is not the batch that made them few.
    if size >= _SHARE * rows and steps <= _FEW and epochs >= _EPOCHS and rows > 64 and not evidence.cut_short:
        yield _finding(
            evidence,
            f"A batch holds {size:,} of {rows:,} rows: {steps:,} updates in all.",
            Remedy(path="train.batch_size", value=32, why="more updates from the same rows"),
            steps,
        )
    elif size <= 2 and rows > 64 and not _hardly_moves(evidence):
        yield _finding(
            evidence,
            f"A batch of {size} gives a gradient that is mostly noise, and the outcome is poor.",
            Remedy(path="train.batch_size", value=32, why="averages the noise of single rows"),
            steps,
        )


def _hardly_moves(evidence: Evidence) -> bool:
    """Whether updates are too small to count: larger batches would make fewer of them."""
    ratio = first_updates(evidence)
    return ratio is not None and ratio <= SMALL


def _finding(evidence: Evidence, message: str, remedy: Remedy, steps: int) -> Finding:
    facts: dict[str, float | int | str] = {
        "batch_size": int(evidence.settings["batch_size"]),
        "rows": int(evidence.data["rows"]),
        "steps": steps,
    }
    noise = evidence.last("noise_scale")
    if noise is not None:
        facts["noise_scale"] = noise
    return Finding(code="batch_size_problem", severity="warning", evidence=facts, message=message, remedies=(remedy,))


CHECK = Check(
    code="batch_size_problem",
    reads="batch size, rows, updates, and the outcome",
    find=_find,
    explains=(
        "exploding_gradient",
        "learning_rate_too_low",
        "not_learning",
        "underfitting",
    ),
)
