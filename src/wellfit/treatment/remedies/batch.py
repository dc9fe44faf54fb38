"""The batch size, with a rate that suits it."""

from __future__ import annotations

from collections.abc import Iterator

from wellfit.treatment.course import Change
from wellfit.treatment.remedies.remedy import Case, Remedies

__all__ = ["REMEDIES"]

_SIZES = (32, 64, 256)


def propose(case: Case) -> Iterator[Change]:
    """Give 32, 64 and 256 rows an update; the rate grows and falls with the root of the size for a single row."""
    subject = case.subject
    for size in _SIZES:
        if size == subject.batch_rows or size * 2 > subject.count:
            continue
        why = "more updates an epoch" if size < subject.batch_rows else "an update sees more than a few rows"
        yield Change(family="batch", what=f"batch size {size}", why=why, options={"batch_size": size})


REMEDIES = Remedies(family="batch", codes=frozenset({"batch_size_problem"}), propose=propose)
