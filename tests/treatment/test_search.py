"""The search on a bench of known values: what it picks, what it costs, when it stops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from wellfit.errors import ConfigError
from wellfit.findings import Finding
from wellfit.history import History
from wellfit.treatment.bench import Bench
from wellfit.treatment.course import Change, Course
from wellfit.treatment.procedure import Conclusion, Procedure
from wellfit.treatment.search import Candidate, simplest
from wellfit.treatment.yardstick import Figures

ILL = [Finding(code="underfitting", severity="warning", message="m")]
WORTH = {"good": 0.3, "better": 0.35, "useless": 0.0, "harmful": -0.2}


class Result:
    def __init__(self, findings: Sequence[Finding] = ()) -> None:
        self.findings, self.history = list(findings), History()


class Bench0(Bench):
    """A figure of 0.4, plus what each change is worth, plus noise of the seed and the course."""

    def __init__(self, noise: float, findings: Sequence[Finding] = ILL) -> None:
        super().__init__()
        self.noise, self.found, self.seeds = noise, findings, set()

    def train(self, course: Course, seed: int, *, watch: bool, hopeful: bool) -> tuple[Any, bool]:
        self.seeds.add(seed)
        if "refused" in course.what:
            raise ConfigError("This can't be done.")
        return Result(self.found), False

    def figures(self, course: Course, result: Any) -> Figures:
        key = len(self._done)
        gain = sum(WORTH[change.what] for change in course.changes)
        value = 0.4 + gain + self.noise * np.random.default_rng(key).normal()
        return Figures(value, value, value, np.full(100, value / 100))


class Practice0:
    def __init__(self, bench: Bench, names: Sequence[str], standard: Sequence[str] = ()) -> None:
        self.bench, self.names, self.last = bench, names, standard

    def single(self, findings: Sequence[Finding]) -> Iterator[Change]:
        return (Change(family=name, what=name, why="", options={name: 1}) for name in self.names)

    def standard(self, findings: Sequence[Finding]) -> Iterator[Change]:
        return (Change(family="standard", what=name, why="", options={"a": 1, "b": 2}) for name in self.last)

    def further(self, course: Course, findings: Sequence[Finding]) -> Iterator[Change]:
        return iter(())

    def changed(self, course: Course) -> dict[str, Any]:
        return {}


def concluded(bench: Bench, names: Sequence[str], budget: int | None = None) -> Conclusion:
    return Procedure(Practice0(bench, names), [0, 1, 2], budget, None).run()


def test_what_helps_is_found_and_compounded() -> None:
    conclusion = concluded(Bench0(0.002), ["useless", "good", "harmful", "refused"])
    assert conclusion.course is not None
    assert conclusion.course.what == "good"
    assert conclusion.refused == ["This can't be done."]


def test_compounds_of_what_helped_alone() -> None:
    conclusion = concluded(Bench0(0.002), ["good", "better"], budget=40)
    assert conclusion.course is not None
    assert conclusion.course.families == {"good", "better"}


def test_nothing_is_accepted_where_nothing_helps() -> None:
    conclusion = concluded(Bench0(0.02), ["useless", "harmful"])
    assert conclusion.course is None


def test_the_seeds_that_prove_did_not_choose() -> None:
    bench = Bench0(0.002)
    concluded(bench, ["good"])
    assert {0, 1, 2} < bench.seeds
    assert {1000, 1001, 1002} <= bench.seeds
    assert conclusion_rows(concluded(Bench0(0.002), ["good"]))[-1]


def conclusion_rows(conclusion: Conclusion) -> list[bool]:
    return [row.accepted for row in conclusion.rows]


@pytest.mark.parametrize("budget", [14, 18, 26])
def test_the_budget_is_kept(budget: int) -> None:
    bench = Bench0(0.002)
    conclusion = concluded(bench, ["useless", "good", "better", "harmful"] * 3, budget=budget)
    assert conclusion.course is not None
    assert bench.trainings <= budget


def test_shuffled_labels_are_not_treated() -> None:
    finding = Finding(code="shuffled_labels", severity="error", message="m")
    bench = Bench0(0.002, [finding])
    conclusion = concluded(bench, ["good"])
    assert conclusion.course is None
    assert bench.trainings == 1


def test_what_one_start_hides_another_shows() -> None:
    class Later(Bench0):
        def train(self, course: Course, seed: int, *, watch: bool, hopeful: bool) -> tuple[Any, bool]:
            self.found = ILL if seed == 1 else []
            return super().train(course, seed, watch=watch, hopeful=hopeful)

    assert concluded(Later(0.002), ["good"]).course is not None


def test_a_healthy_training_is_left_alone() -> None:
    bench = Bench0(0.002, [Finding(code="good_fit", severity="info", message="m")])
    conclusion = concluded(bench, ["good"])
    assert conclusion.course is None
    assert bench.trainings == 3


def test_the_simplest_of_those_alike_is_taken() -> None:
    bench = Bench0(0.0)
    small = Candidate(Course().then(Change(family="a", what="good", why="", options={"a": 1})))
    large = Candidate(Course().then(Change(family="a", what="good", why="", options={"a": 1, "b": 2})))
    best = Candidate(Course().then(Change(family="a", what="better", why="", options={"a": 1, "b": 2, "c": 3})))
    for candidate in (small, large, best):
        candidate.trials[0] = bench.measure(candidate.course, 0)
    assert simplest([large, small]) is small
    assert simplest([large, small, best]) is best
