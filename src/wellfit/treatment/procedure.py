"""The procedure of every treatment: train as given, diagnose, screen, halve, compound, and prove on fresh seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any, Protocol

from wellfit.diagnosis import diagnose
from wellfit.findings import Finding
from wellfit.treatment.bench import Bench, Trial
from wellfit.treatment.course import Change, Course
from wellfit.treatment.outcome import TrialRow
from wellfit.treatment.proof import effect, proven
from wellfit.treatment.search import KEPT, NEAR, NEARLY_PERFECT, Candidate, Search, simplest

__all__ = [
    "BUDGET",
    "FRESH",
    "Conclusion",
    "Practice",
    "Procedure",
    "Report",
    "findings_of",
    "joined",
    "mean_metric",
    "serious_of",
]

BUDGET = 30
"""Trainings, unless told otherwise: three as given, eight candidates, six to settle the best of them, seven to refine
one, and six for the proof, which makes up to six more where a gain is not yet told from noise."""
FRESH = 1000
"""Distance of the seeds that prove from those that choose."""
_SCREENED = 6
"""Candidates beside the standard recipes."""
_REFINED = 3
_GOOD = 0.9
"""Skill below which a course is diagnosed anew, for what is still wrong under it."""
_INCURABLE = ("shuffled_labels",)

Report = Callable[[str], None]


class Practice(Protocol):
    """What proposes changes: for a module of one's own, or for a run's config."""

    bench: Bench

    def single(self, findings: Sequence[Finding]) -> Iterator[Change]:
        """Propose changes for what was found, the likeliest first."""

    def standard(self, findings: Sequence[Finding]) -> Iterator[Change]:
        """Propose the last resorts: many changes at once."""

    def further(self, course: Course, findings: Sequence[Finding]) -> Iterator[Change]:
        """Propose what may help beside a course, by what is still found under it."""

    def changed(self, course: Course) -> dict[str, Any]:
        """Give the settings that a course changes."""


@dataclass(frozen=True)
class Conclusion:
    """What a procedure came to; ``course`` is None where nothing was proved to help."""

    findings: list[Finding]
    serious: list[Finding]
    rows: list[TrialRow]
    refused: list[str]
    before: list[Trial]
    """Trainings as given: on the fresh seeds where it came to a proof."""
    after: list[Trial]
    course: Course | None = None

    @property
    def best(self) -> int:
        """The place of the best training of what was concluded: after the cure, or as given where there is none."""
        trials = self.after if self.course is not None else self.before
        return max(range(len(trials)), key=lambda place: trials[place].figures.value)


class Procedure:
    """One treatment, step by step."""

    def __init__(self, practice: Practice, seeds: Sequence[int], budget: int | None, report: Report | None) -> None:
        self.practice, self.seeds = practice, list(seeds)
        self.say: Report = report or (lambda text: None)
        allowed = BUDGET if budget is None else budget
        self.search = Search(practice.bench, self.seeds, allowed - 2 * len(self.seeds))
        self.rows: list[TrialRow] = []

    def run(self, known: Sequence[Finding] = (), *, settled: bool = False) -> Conclusion:
        """Diagnose, search, prove; ``known`` was found before, in the data or in a saved run.

        ``settled`` says that it is all there is to find: of trials that are smaller than the run, none is asked.
        """
        self.say("training as given")
        base = Candidate(Course())
        findings = self._diagnosed(base, known, settled)
        serious = serious_of(findings)
        if not serious or any(finding.code in _INCURABLE for finding in serious):
            return self._concluded(findings, list(base.trials.values()), [])
        self.search.compared_with(base)
        if any(finding.code == "class_imbalance_ignored" for finding in serious):
            self._rebalance(base)
        chosen = self._chosen(base, serious)
        if chosen is None or chosen.value() <= base.value():
            self._note(base, "")
            return self._concluded(findings, list(base.trials.values()), [])
        return self._proved(base, chosen, findings)

    def _diagnosed(self, base: Candidate, known: Sequence[Finding], settled: bool) -> list[Finding]:
        """Train as given, seed by seed until something serious shows: what one start hides, another may show."""
        findings = list(known)
        for seed in self.seeds:
            self.search.give(base, seed)
            if not settled:
                findings = joined(findings_of(base.trials[seed]), known)
            if settled or serious_of(findings):
                break
        return findings

    def _rebalance(self, base: Candidate) -> None:
        """Measure anew by the figure in which every class counts alike."""
        for seed, trial in base.trials.items():
            base.trials[seed] = self.practice.bench.rebalanced(trial)
        self.search.best_skill = base.skill()

    def _chosen(self, base: Candidate, findings: Sequence[Finding]) -> Candidate | None:
        """Find the best single change or last resort, and put further changes on it."""
        changes = islice(_each_once(self.practice.single(findings)), _SCREENED)
        single = self.search.screen(self._courses(Course(), changes))
        # Screened before anything is refined: refining takes all that is left of the budget.
        resorts = self.search.screen(self._courses(Course(), self.practice.standard(findings)))
        settled = self.search.settle([*single[:KEPT], *resorts[:1]])
        if not settled:
            return None
        best = simplest(settled)
        given = base.trials[self.seeds[0]].figures.value
        improving = [found.course for found in single if found.value() > given]
        return self._refined(best, [] if best in resorts else improving)

    def _courses(self, course: Course, changes: Iterable[Change]) -> Iterator[Course]:
        for change in changes:
            further = course.then(change)
            self.say(further.what)
            yield further

    def _refined(self, best: Candidate, improving: Sequence[Course]) -> Candidate:
        """Put further changes on the best course, greedily, as long as they help."""
        # A watched training to see what is left, and a change to try on it, on all seeds.
        while best.skill() < NEARLY_PERFECT and self.search.left > len(self.seeds):
            changes = islice(_each_once(self._further(best, improving)), _REFINED)
            wider = self.search.screen(self._courses(best.course, changes))
            better = [found for found in wider[:1] if _is_better(found, best, self.seeds[0])]
            settled = self.search.settle(better)
            if not settled or settled[0].value() <= best.value():
                break
            best = settled[0]
        return best

    def _further(self, best: Candidate, improving: Sequence[Course]) -> Iterator[Change]:
        """Propose by what is still wrong under the best course, then what helped alone, then other rates."""
        course = best.course
        left: list[Finding] = []
        if best.skill() < _GOOD:
            trial = self.practice.bench.measure(course, self.seeds[0], watch=True)
            left = serious_of(findings_of(trial))
            proposed = self.practice.single(left)
            yield from islice((change for change in proposed if change.family not in course.families), 1)
        beside = (other for other in improving if not other.families & course.families)
        yield from (other.changes[-1] for other in islice(beside, 1))
        yield from self.practice.further(course, left)

    def _proved(self, base: Candidate, chosen: Candidate, findings: list[Finding]) -> Conclusion:
        self.say("proof on fresh seeds")
        bench = self.practice.bench
        before: list[Trial] = []
        after: list[Trial] = []
        accepted, why = False, ""
        for seed in islice(count(self.seeds[0] + FRESH), 2 * len(self.seeds)):
            before.append(bench.measure(Course(), seed))
            after.append(bench.measure(chosen.course, seed, watch=not after))
            if len(after) < len(self.seeds):
                continue
            accepted, why = proven([trial.figures for trial in before], [trial.figures for trial in after])
            # More fresh seeds only where the gain is there and not yet told from noise.
            if accepted or _mean_value(after) <= _mean_value(before):
                break
        gains = [b.figures.metric - a.figures.metric for a, b in zip(before, after, strict=True)]
        self._note(base, chosen.course.what)
        self.rows.append(
            TrialRow(
                remedy=f"on fresh seeds: {chosen.course.what}",
                change=self.practice.changed(chosen.course),
                effect=effect(gains),
                seconds=sum(trial.seconds for trial in after),
                accepted=accepted,
                why=why,
            )
        )
        return self._concluded(findings, before, after, chosen.course if accepted else None)

    def _concluded(
        self, findings: list[Finding], before: list[Trial], after: list[Trial], course: Course | None = None
    ) -> Conclusion:
        serious = serious_of(findings)
        refused = [candidate.refused for candidate in self.search.tried if candidate.refused]
        return Conclusion(findings, serious, self.rows, refused, before, after, course)

    def _note(self, base: Candidate, chosen: str) -> None:
        """Write all that was tried into the table."""
        for candidate in self.search.tried:
            seeds = [seed for seed in self.seeds if seed in candidate.trials]
            pairs = zip(base.figures(seeds), candidate.figures(seeds), strict=True)
            gains = [after.metric - before.metric for before, after in pairs]
            self.rows.append(
                TrialRow(
                    remedy=candidate.course.what,
                    change={} if candidate.refused else self.practice.changed(candidate.course),
                    effect=effect(gains) if gains else None,
                    seconds=candidate.seconds,
                    accepted=False,
                    why=_why(candidate, len(seeds), chosen),
                )
            )


def _why(candidate: Candidate, seeds: int, chosen: str) -> str:
    if candidate.refused:
        return f"refused: {candidate.refused}"
    if candidate.course.what == chosen:
        return "chosen: proved or not by the row on fresh seeds"
    if any(trial.stopped for trial in candidate.trials.values()):
        return "given up half-way: no better than a constant guess"
    return "others gained more on the first seed" if seeds == 1 else "another did as well or better on all seeds"


def joined(findings: Iterable[Finding], others: Iterable[Finding]) -> list[Finding]:
    """Give findings, and of others those of another code."""
    first = list(findings)
    codes = {finding.code for finding in first}
    return [*first, *(finding for finding in others if finding.code not in codes)]


def serious_of(findings: Iterable[Finding]) -> list[Finding]:
    """Give the warnings and errors."""
    return [finding for finding in findings if finding.severity != "info"]


def findings_of(trial: Trial) -> list[Finding]:
    """Diagnose a watched trial; what the training itself found comes first."""
    return joined(trial.result.findings, diagnose(trial.result.history))


def mean_metric(trials: Sequence[Trial]) -> float:
    """Give the mean metric of trials."""
    return sum(trial.figures.metric for trial in trials) / len(trials)


def _mean_value(trials: Sequence[Trial]) -> float:
    return sum(trial.figures.value for trial in trials) / len(trials)


def _each_once(changes: Iterable[Change]) -> Iterator[Change]:
    seen: set[str] = set()
    for change in changes:
        if change.what not in seen:
            seen.add(change.what)
            yield change


def _is_better(found: Candidate, best: Candidate, seed: int) -> bool:
    if found.refused or seed not in found.trials:
        return False
    return found.trials[seed].figures.value > best.trials[seed].figures.value + NEAR
