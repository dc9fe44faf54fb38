"""Random search over the space that `wellfit.treat` has: the same changes, the same trainings, the same proof.

Kim et al. 2023 (arXiv 2301.11568): a repair is worth what it gains over random search at an equal budget.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from torch import nn

from wellfit.findings import CODES, Finding
from wellfit.treatment.course import Change, Course
from wellfit.treatment.proof import proven
from wellfit.treatment.remedies import REMEDIES, Case, standard_recipes
from wellfit.treatment.search import KEPT, Candidate, Search
from wellfit.treatment.subject import Subject
from wellfit.treatment.treating import ModuleBench

_FRESH = 1000
_TOGETHER = 3
"""Most changes drawn at a time."""


@dataclass
class Found:
    """What the search ended with: the module as given where nothing was proved."""

    module: nn.Module
    outputs: str
    course: str
    accepted: bool
    trainings: int


def changes_of(subject: Subject) -> dict[str, list[Change]]:
    """Give all changes that any finding would propose, by family."""
    findings = [Finding(code=code, severity="warning", message="") for code in CODES]
    case = Case(subject, Course(), findings)
    changes = [change for remedies in REMEDIES for change in remedies.propose(case)]
    families: dict[str, list[Change]] = {}
    for change in [*changes, *standard_recipes(case)]:
        if change.edits or change.options or change.optimizer:
            families.setdefault(change.family, []).append(change)
    return families


def drawn(families: dict[str, list[Change]], draws: random.Random) -> Iterator[Course]:
    """Draw courses without end: one to three families, a change of each."""
    while True:
        course = Course()
        for family in draws.sample(sorted(families), draws.randint(1, min(_TOGETHER, len(families)))):
            course = course.then(draws.choice(families[family]))
        yield course


def random_search(
    make_module: Callable[[], nn.Module],
    train: Any,
    valid: Any,
    *,
    budget: int,
    balanced: bool,
    seed: int,
    seeds: int = 3,
    **options: Any,
) -> Found:
    """Screen random courses on one seed, settle the best on all, prove the best of those on fresh ones."""
    subject = Subject(make_module, train, valid, options)
    bench = ModuleBench(subject)
    bench.balanced = balanced
    chosen = list(range(seed, seed + seeds))
    search = Search(bench, chosen, budget - 2 * seeds)
    base = Candidate(Course())
    search.compared_with(base)
    screened = max(1, search.left - KEPT * (seeds - 1))
    courses = drawn(changes_of(subject), random.Random(seed))
    tried = search.screen(next(courses) for _ in range(screened))
    best = next((found for found in search.settle(tried[:KEPT]) if not found.refused), None)
    if best is None or best.value() <= base.value():
        return Found(base.trials[seed].result.module, subject.outputs, "as given", False, bench.trainings)
    fresh = range(seed + _FRESH, seed + _FRESH + seeds)
    before = [bench.measure(Course(), number) for number in fresh]
    after = [bench.measure(best.course, number) for number in fresh]
    accepted, _ = proven([trial.figures for trial in before], [trial.figures for trial in after])
    kept = max(after if accepted else before, key=lambda trial: trial.figures.value)
    outputs = best.course.outputs(subject) if accepted else subject.outputs
    return Found(kept.result.module, outputs, best.course.what, accepted, bench.trainings)
