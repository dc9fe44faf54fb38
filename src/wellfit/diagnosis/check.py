"""What a check tells of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from wellfit.diagnosis.evidence import Evidence
from wellfit.findings import CODES, Finding

__all__ = ["Check", "rounded"]


@dataclass(frozen=True, kw_only=True)
class Check:
    """A check as data: ``find(evidence)`` gives findings of ``code``, and none where there is no evidence."""

    code: str
    reads: str
    """What it looks at, in a few words."""
    find: Callable[[Evidence], Iterable[Finding]]
    explains: tuple[str, ...] = ()
    """Codes that are no more than remarks once this one is found: what it causes."""
    live: bool = False
    """Whether it may speak before training has ended."""

    def __post_init__(self) -> None:
        """Refuse a code that no finding may have."""
        if self.code not in CODES:
            raise ValueError(f"'{self.code}' is not a finding's code")


def rounded(value: float) -> float:
    """Give a number to propose, in two digits.

    >>> rounded(9.999999999999999e-06)
    1e-05
    """
    return float(f"{value:.2g}")
