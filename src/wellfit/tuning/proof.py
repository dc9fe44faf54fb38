"""Whether what was best in the search is better than the default, counting seeds that did not choose it."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wellfit.tuning.bench import Job

__all__ = ["CANDIDATES", "FRESH", "Candidate", "Proof", "candidates", "proof_jobs"]

FRESH = 1000
"""What is added to the training's seed for the first fresh one."""

CANDIDATES = 3
"""Trials that are put to the proof: the best of so many draws owes some of its lead to its seed."""


LUCK = 0.5
"""The part of a lead in the search that counts: the rest is put down to its being the best of many draws. On few rows
one fresh seed alone turns the order of settings round that differ by less than seeds do (Pima: 0.471 to 0.489 for the
default)."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A trial that did better than the default."""

    number: int
    values: Mapping[str, Any]
    value: float


def candidates(trials: Sequence[Mapping[str, Any]], *, greater_is_better: bool) -> list[Candidate]:
    """Give the best trials that did better than the default, the best first."""
    sign = 1.0 if greater_is_better else -1.0
    default = next((trial["value"] for trial in trials if trial["default"] and trial["state"] == "complete"), None)
    better = [
        Candidate(number=trial["number"], values=trial["values"], value=trial["value"])
        for trial in trials
        if trial["state"] == "complete"
        and not trial["default"]
        and (default is None or sign * trial["value"] > sign * default)
    ]
    return sorted(better, key=lambda candidate: (-sign * candidate.value, candidate.number))[:CANDIDATES]


def proof_jobs(candidate: Candidate, seeds: Iterable[int]) -> Iterator[Job]:
    """Give the trainings that compare a candidate with the default, in pairs of one seed."""
    for seed in seeds:
        yield Job(key=f"proof default {seed}", values={}, seed=seed)
        yield Job(key=f"proof {candidate.number} {seed}", values=candidate.values, seed=seed)


@dataclass(kw_only=True)
class Proof:
    """A candidate beside the default, seed by seed."""

    number: int
    seeds: list[int] = field(default_factory=list)
    default: list[float | None] = field(default_factory=list)
    candidate: list[float | None] = field(default_factory=list)
    searched: tuple[float, float | None] | None = None
    """The candidate's figure and the default's in the search."""
    greater_is_better: bool = False

    @property
    def gains(self) -> list[float]:
        """What the candidate is better by, for each seed on which both were trained."""
        sign = 1.0 if self.greater_is_better else -1.0
        pairs = zip(self.candidate, self.default, strict=True)
        return [sign * (own - usual) for own, usual in pairs if own is not None and usual is not None]

    @property
    def holds(self) -> bool:
        """Whether the candidate is better in the mean of the fresh seeds and a part of its lead in the search.

        A training of the candidate that failed speaks against it; where the default can't be trained, anything that
        can is better.
        """
        if not self.candidate or None in self.candidate:
            return False
        return all(usual is None for usual in self.default) or self.gain > 0

    @property
    def gain(self) -> float:
        """The mean gain; 0 where nothing can be compared.

        >>> round(Proof(number=1, default=[1.0], candidate=[0.8], searched=(0.6, 1.0)).gain, 6)
        0.2
        """
        sign = 1.0 if self.greater_is_better else -1.0
        own, usual = self.searched or (0.0, None)
        gains = [*self.gains, *([] if usual is None else [LUCK * sign * (own - usual)])]
        return statistics.fmean(gains) if gains else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Give the proof as ``tuning.json`` holds it."""
        return {
            "number": self.number,
            "seeds": self.seeds,
            "default": self.default,
            "tuned": self.candidate,
            "holds": self.holds,
        }
