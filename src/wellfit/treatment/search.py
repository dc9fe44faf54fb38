"""From candidates to one course: successive halving on paired seeds, then compounds, greedily."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from wellfit.errors import BadInput
from wellfit.treatment.bench import Bench, Trial
from wellfit.treatment.course import Course
from wellfit.treatment.yardstick import Figures

__all__ = ["Candidate", "Search", "simplest"]

KEPT = 2
"""Candidates that go on from the first seed to all."""
NEAR = 0.005
"""Values nearer than this are alike: half a row in a hundred."""
MOST_ALIKE = 0.02
"""Values further apart than this are never alike, however few the rows: two rows in a hundred are worth a change."""
NEARLY_PERFECT = 0.995
"""Skill beyond which nothing more is tried."""


@dataclass
class Candidate:
    """A course and its trials, by seed."""

    course: Course
    trials: dict[int, Trial] = field(default_factory=dict)
    refused: str = ""
    """Why it could not be tried."""

    @property
    def seconds(self) -> float:
        """What its trainings took."""
        return sum(trial.seconds for trial in self.trials.values())

    def figures(self, seeds: Sequence[int]) -> list[Figures]:
        """Give its figures on the seeds, in their order."""
        return [self.trials[seed].figures for seed in seeds]

    def value(self) -> float:
        """Give its mean value over the seeds it was tried on; the least of all where it was refused."""
        values = [trial.figures.value for trial in self.trials.values()]
        return float(np.mean(values)) if values else -np.inf

    def skill(self) -> float:
        """Give its mean skill."""
        return float(np.mean([trial.figures.skill for trial in self.trials.values()])) if self.trials else -np.inf


class Search:
    """Tries courses on the seeds that choose. The first seed screens; the best few go on to all.

    >>> Search.__init__.__annotations__["seeds"]
    'Sequence[int]'
    """

    def __init__(self, bench: Bench, seeds: Sequence[int], budget: int) -> None:
        self.bench, self.seeds, self.budget = bench, list(seeds), budget
        self.tried: list[Candidate] = []
        self.best_skill = 0.0

    @property
    def left(self) -> int:
        """Trainings that may still be made."""
        return self.budget - self.bench.trainings

    def give(self, base: Candidate, seed: int) -> None:
        """Train as given under a seed, watched."""
        base.trials[seed] = self.bench.measure(base.course, seed, watch=True)

    def compared_with(self, base: Candidate) -> None:
        """Train as given on all seeds: what courses are compared with."""
        for seed in self.seeds:
            base.trials[seed] = base.trials.get(seed) or self.bench.measure(base.course, seed)
        self.best_skill = base.skill()

    def screen(self, courses: Iterable[Course]) -> list[Candidate]:
        """Try courses on the first seed, as long as the budget lasts to try one of them on all; the best first."""
        found: list[Candidate] = []
        known = {candidate.course for candidate in self.tried}
        for course in courses:
            enough = self.best_skill >= NEARLY_PERFECT and len(found) >= KEPT
            if course in known or self.left < len(self.seeds) or enough:
                continue
            candidate = Candidate(course)
            self._try(candidate, self.seeds[0])
            self.tried.append(candidate)
            found.append(candidate)
        return sorted(found, key=Candidate.value, reverse=True)

    def settle(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Try candidates on the other seeds as well, those that the budget allows; the best first."""
        settled = []
        for candidate in candidates:
            others = [seed for seed in self.seeds[1:] if seed not in candidate.trials]
            if len(others) > self.left or candidate.refused:
                continue
            for seed in others:
                self._try(candidate, seed)
            settled.append(candidate)
        return sorted((found for found in settled if not found.refused), key=Candidate.value, reverse=True)

    def _try(self, candidate: Candidate, seed: int) -> None:
        try:
            trial = self.bench.measure(candidate.course, seed, best=self.best_skill)
        except BadInput as refusal:
            candidate.refused = str(refusal)
            return
        candidate.trials[seed] = trial
        self.best_skill = max(self.best_skill, candidate.skill())


def simplest(candidates: Sequence[Candidate]) -> Candidate:
    """Give the candidate with the fewest changes among those as good as the best.

    As good: within one standard error, over the validation rows, of their difference (Breiman et al. 1984), as the
    best of many is partly the luckiest on just these rows.
    """
    best = max(candidates, key=Candidate.value)
    alike = [candidate for candidate in candidates if best.value() - candidate.value() <= _margin(best, candidate)]
    return min(alike, key=lambda candidate: (_weight(candidate.course), -candidate.value()))


def _margin(best: Candidate, other: Candidate) -> float:
    shared = [seed for seed in best.trials if seed in other.trials]
    if not shared:
        return 0.0
    gaps = np.mean([best.trials[seed].figures.rows - other.trials[seed].figures.rows for seed in shared], axis=0)
    error = float(np.std(gaps)) * len(gaps) ** 0.5
    return float(np.clip(error, NEAR, MOST_ALIKE))


def _weight(course: Course) -> int:
    """Count what a course changes."""
    return sum(len(change.edits) + len(change.options) + len(change.optimizer) for change in course.changes)
