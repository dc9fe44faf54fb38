"""Whether the probabilities of all classes fit into memory for the rows that are scored."""

from __future__ import annotations

from wellfit.data.cleaning import TargetPlan
from wellfit.data.large.memory import memory_limit, memory_share
from wellfit.errors import DataError

__all__ = ["refuse_wide_answers"]


def refuse_wide_answers(target: TargetPlan, rows: int, *, copies: int) -> None:
    """Raise `DataError` where the probabilities of so many rows, held so often, would not fit into memory."""
    needed = 8.0 * copies * rows * len(target.classes)
    if needed > memory_share():
        raise DataError(
            f"The probabilities of {len(target.classes):,} classes for {rows:,} rows must fit into half of the memory.",
            got=f"about {needed / 1e9:.1f} GB, and a memory of {memory_limit() / 1e9:.1f} GB",
            do="Put rare labels together, name another column as the target, or give fewer rows.",
        )
