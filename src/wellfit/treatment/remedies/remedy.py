"""What a family of remedies is, and what it is asked about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from wellfit.errors import BadInput
from wellfit.findings import Finding
from wellfit.treatment.course import Change, Course
from wellfit.treatment.subject import Subject
from wellfit.treatment.surgery import Edit, perform

__all__ = ["Case", "Remedies"]


@dataclass(frozen=True)
class Case:
    """What remedies are asked for: the subject, the course it is on, and what was found of it."""

    subject: Subject
    course: Course
    findings: Sequence[Finding] = ()

    @property
    def codes(self) -> set[str]:
        """The codes of what was found."""
        return {finding.code for finding in self.findings}

    def can(self, *edits: Edit) -> tuple[Edit, ...]:
        """Give those of the edits that can be made, one after the other, on the module as it was given."""
        made: list[Edit] = []
        for edit in edits:
            try:
                perform([*made, edit], self.subject.module, self.subject.sample)
            except BadInput:
                continue
            made.append(edit)
        return tuple(made)


@dataclass(frozen=True, kw_only=True)
class Remedies:
    """A family of remedies as data: which findings it is for, and what it proposes, the likeliest first."""

    family: str
    codes: frozenset[str]
    propose: Callable[[Case], Iterable[Change]]
